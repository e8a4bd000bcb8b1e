// Runs the development server of the page against a stage. Both end together. `make dev` and `make dev STACK=name` call
// it in one of two ways:
//
// `node frontend/dev.mjs COMMAND…` uses the local stage that COMMAND starts. COMMAND prints its outputs as JSON.
//
// `node frontend/dev.mjs --outputs FILE` uses the deployed stack whose outputs are in FILE, with the AWS credentials of
// the developer. localstage/README.md says what a deployed stack needs for it.
import { spawn } from "node:child_process";
import { randomBytes } from "node:crypto";
import { once } from "node:events";
import { readFileSync } from "node:fs";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";

const page = new URL("http://localhost:3000");
const [first, ...rest] = process.argv.slice(2);
const running = [];

process.on("SIGINT", () => {}); // a terminal tells the children, too: they end first, and then this does
process.on("SIGTERM", stopAll);

const outputs = first === "--outputs" ? JSON.parse(readFileSync(rest[0], "utf8")) : await local(first, rest);
start(
  process.execPath,
  [
    fileURLToPath(new URL("node_modules/next/dist/bin/next", import.meta.url)),
    "dev",
    "--hostname",
    page.hostname,
    "--port",
    page.port,
  ],
  {
    cwd: fileURLToPath(new URL("web", import.meta.url)),
    env: environment(outputs),
    stdio: "inherit",
  },
);

/** Starts a stage and returns its outputs, the first line that it prints. */
async function local(command, args) {
  const stage = start(command, args, { stdio: ["ignore", "pipe", "inherit"] });
  for await (const line of createInterface({ input: stage.stdout })) return JSON.parse(line);
  await once(stage, "exit");
  process.exit(1); // the program has printed the reason
}

/** The variables that template.yaml gives the page's function, for a page on this machine. */
function environment(outputs) {
  const settings = {
    AUTH_MODE: outputs.AuthMode,
    OIDC_ISSUER: outputs.OidcIssuer,
    OIDC_CLIENT_ID: outputs.OidcClientId,
    OIDC_AUDIENCE: outputs.TokenAudience,
    OIDC_SCOPE: outputs.OidcScope,
    SIGN_URL: outputs.SignUrl,
    WEBSOCKET_URL: outputs.WebSocketUrl,
    PAGE_ORIGIN: page.origin,
    ROOMS_CLAIM: outputs.RoomsClaim,
    MODERATOR_CLAIM: outputs.ModeratorClaim,
    DEFAULT_ROOMS: outputs.DefaultRooms,
    GUEST_ROOMS: outputs.GuestRooms,
    SESSION_SECRET: randomBytes(32).toString("hex"),
    AWS_REGION: outputs.Region,
    NEXT_TELEMETRY_DISABLED: "1",
  };
  const credentials = outputs.Local && {
    AWS_SHARED_CREDENTIALS_FILE: outputs.Local.CredentialsFile,
    AWS_PROFILE: "FrontendFunction",
    AWS_ACCESS_KEY_ID: undefined, // would take precedence over the profile
    AWS_SECRET_ACCESS_KEY: undefined,
    AWS_SESSION_TOKEN: undefined,
  };
  return { ...process.env, ...settings, ...credentials };
}

/** Starts a program. When it ends, everything ends. */
function start(command, args, options) {
  const child = spawn(command, args, options);
  running.push(child);
  child.on("error", (error) => {
    console.error(`${command}: ${error.message}`);
    process.exitCode = 1;
    stopAll();
  });
  child.on("exit", (code) => {
    process.exitCode ||= code ?? 0;
    stopAll();
  });
  return child;
}

function stopAll() {
  for (const child of running) {
    if (child.exitCode === null && child.signalCode === null) child.kill("SIGTERM");
  }
}
