// Makes the page's Lambda artifact: `npm run artifact -w web -- DIR`, where DIR is new or empty. The same sources give
// the same bytes.
import { execFileSync, spawn } from "node:child_process";
import { createHash } from "node:crypto";
import { once } from "node:events";
import {
  chmodSync,
  cpSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  statSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import { request } from "node:http";
import { createServer } from "node:net";
import path from "node:path";
import { setTimeout } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { deflateRawSync } from "node:zlib";

const MOST_BYTES = 6_000_000;
const web = fileURLToPath(new URL("..", import.meta.url));
const workspace = path.join(web, "..");
const built = path.join(web, ".next");
const configured = {
  AUTH_MODE: "iam",
  SIGN_URL: "https://api.example/signurl",
  WEBSOCKET_URL: "wss://socket.example/prod",
  PAGE_ORIGIN: "http://localhost",
  DEFAULT_ROOMS: "lobby",
  OIDC_ISSUER: "http://localhost:1",
  OIDC_CLIENT_ID: "page",
  SESSION_SECRET: "s".repeat(32),
};
const target = path.resolve(process.argv[2] ?? fail("say where to: npm run artifact -w web -- DIR"));

if (filesIn(target).length > 0) fail(`${target} is not empty`);
build();
assemble();
makeReproducible();
check();
await smokeTest();
await smokeTest(configured);

function build() {
  run("npm", ["run", "--silent", "build", "-w", "web"], { BUILD_ID: buildId() });
}

/** A name for the build. Browsers load the page again when the name changes. */
function buildId() {
  const sources = ["package-lock.json", "client/src", "web/src", "web/next.config.ts"].map((name) =>
    path.join(workspace, name),
  );
  return digest(workspace, sources.flatMap(filesIn)).slice(0, 16);
}

/** Copies the files that Next.js traced, the files that it leaves for a CDN, and the script that Lambda starts. */
function assemble() {
  mkdirSync(target, { recursive: true });
  cpSync(path.join(built, "standalone"), target, { recursive: true, filter: (file) => !file.endsWith(".nft.json") });
  cpSync(path.join(built, "static"), path.join(target, "web/.next/static"), { recursive: true });
  for (const name of ["run.sh", "methods.cjs"]) cpSync(path.join(web, "scripts", name), path.join(target, name));
}

/**
 * Removes the differences between builds: paths of this machine, random keys, times, and the order of the compiled
 * routes.
 */
function makeReproducible() {
  const keys = unusedKeys();
  for (const name of ["app-path-routes-manifest.json", "server/app-paths-manifest.json"]) {
    const entries = Object.entries(manifest(name)).sort(([a], [b]) => (a < b ? -1 : 1));
    writeFileSync(path.join(target, "web/.next", name), JSON.stringify(Object.fromEntries(entries)));
  }
  for (const file of filesIn(target)) {
    const text = readFileSync(file, "utf8");
    const stable = keys.reduce(
      (text, key) => text.replaceAll(key, "0".repeat(key.length)),
      text.replaceAll(workspace, ""),
    );
    if (stable !== text) writeFileSync(file, stable);
    chmodSync(file, path.basename(file) === "run.sh" ? 0o755 : 0o644);
    utimesSync(file, 1_000_000_000, 1_000_000_000);
  }
}

/**
 * Keys for features that the page does not use: draft mode and Server Functions. With these features they would have to
 * be secret.
 */
function unusedKeys() {
  const { preview, routes, dynamicRoutes } = manifest("prerender-manifest.json");
  if (Object.keys({ ...routes, ...dynamicRoutes }).length > 0)
    fail(
      "a prerendered page can be bypassed with the keys of draft mode: keep them secret, or render for each request",
    );
  const { node, edge, encryptionKey } = manifest("server/server-reference-manifest.json");
  if (Object.keys({ ...node, ...edge }).length > 0)
    fail("Server Functions need a secret key: see NEXT_SERVER_ACTIONS_ENCRYPTION_KEY of Next.js");
  return [...Object.values(preview), encryptionKey];
}

function manifest(name) {
  return JSON.parse(readFileSync(path.join(built, name), "utf8"));
}

function check() {
  const files = filesIn(target);
  for (const file of files) {
    if (/\.(node|so|dylib)$/.test(file)) fail(`${file} is native, and made for this machine only`);
    if (readFileSync(file).includes(workspace)) fail(`${file} names a folder of this machine`);
  }
  const size = zippedSize(files);
  if (size > MOST_BYTES) fail(`the artifact has ${size} bytes as a zip, more than ${MOST_BYTES}`);
  console.log(`${files.length} files, ${size} bytes as a zip, SHA-256 ${digest(target, files)}`);
}

/**
 * Starts the server as Lambda does, with an almost empty environment, so that a missing file shows here. Without
 * settings the page names the missing ones. With settings of a provider that does not answer, the sign-in says that it
 * failed.
 */
async function smokeTest(settings = {}) {
  const port = await freePort();
  const server = spawn(path.join(target, "run.sh"), {
    env: { PATH: process.env.PATH, PORT: String(port), HOSTNAME: "localhost", ...settings },
    stdio: ["ignore", "ignore", 2],
  });
  process.once("exit", () => server.kill()); // fail() ends the process without unwinding
  try {
    await answer(port, "/healthz", /^ok$/m);
    await answer(port, "/", /<style nonce="[^"]+">:root/);
    await answer(port, "/", settings === configured ? /<button class="primary"/ : /<li>AUTH_MODE must be/);
    await answer(port, "/api/signin", settings === configured ? /<button class="primary"/ : /"auth_not_configured"/);
    await answer(port, "/no-such-page", /<h1>/);
    // Over https, as API Gateway asks and no local stage does.
    await answer(port, "/callback?code=1", /<style nonce="[^"]+">:root/, { "X-Forwarded-Proto": "https" });
    for (const method of ["TRACE", "PUT", "PROPFIND"]) await refuse(port, method);
  } finally {
    server.kill();
  }
}

async function freePort() {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address();
  server.close();
  return port;
}

/** Waits for an answer, for at most 20 s while the server starts. */
async function answer(port, place, expected, headers = {}) {
  for (let tries = 200; ; tries--) {
    const text = await fetch(`http://127.0.0.1:${port}${place}`, { headers }).then(
      (response) => response.text(),
      () => undefined,
    );
    if (text !== undefined && expected.test(text)) return;
    if (text !== undefined || tries === 0)
      fail(`the artifact does not serve ${place}: ${text?.slice(0, 300) ?? "no answer"}`);
    await setTimeout(100);
  }
}

/** Expects that the page refuses a method that it does not know. fetch cannot send all of them. */
async function refuse(port, method) {
  const [response] = await once(request({ port, method }).end(), "response");
  response.resume();
  if (response.statusCode !== 405) fail(`the artifact answers ${method} with ${response.statusCode}`);
}

/** The size of a zip of the files: their compressed bytes, and the overhead of the format for each name. */
function zippedSize(files) {
  const entries = files.map(
    (file) => deflateRawSync(readFileSync(file)).length + 76 + 2 * Buffer.byteLength(path.relative(target, file)),
  );
  return entries.reduce((sum, bytes) => sum + bytes, 22);
}

/** SHA-256 of the names of the files below `folder` and of their contents. */
function digest(folder, files) {
  const hash = createHash("sha256");
  for (const file of files)
    hash
      .update(`${path.relative(folder, file)}\0`)
      .update(readFileSync(file))
      .update("\0");
  return hash.digest("hex");
}

/** A file, or all files below a folder, in a fixed order. */
function filesIn(place) {
  const status = statSync(place, { throwIfNoEntry: false });
  if (!status?.isDirectory()) return status ? [place] : [];
  return readdirSync(place, { recursive: true })
    .map((name) => path.join(place, name))
    .filter((name) => {
      const status = lstatSync(name);
      if (!status.isFile() && !status.isDirectory()) fail(`${name} is a link, which SAM cannot pack`);
      return status.isFile();
    })
    .sort();
}

function run(command, args, variables = {}) {
  const env = { ...process.env, NEXT_TELEMETRY_DISABLED: "1", ...variables };
  execFileSync(command, args, { cwd: workspace, stdio: ["ignore", 2, 2], env });
}

function fail(message) {
  console.error(message);
  process.exit(1);
}
