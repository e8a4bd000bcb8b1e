import assert from "node:assert/strict";
import { test } from "node:test";
import { CookieJar, readCookie } from "../src/server/signin/cookies";
import { sessionCookie, transactionCookie } from "../src/server/signin/settings";

const SECRET = "a secret of more than thirty-two characters";
const ORIGIN = "https://chat.example";

function request(setCookie: string): Headers {
  return new Headers({ Cookie: `other=1; ${setCookie.split(";")[0]}` });
}

test("a sealed cookie is opened", async () => {
  const jar = new CookieJar(ORIGIN, SECRET);
  assert.deepEqual(await jar.open(sessionCookie, request(await jar.seal(sessionCookie, { sub: "alice" }))), {
    sub: "alice",
  });
});

test("scripts, other sites and other hosts are kept away from the cookie", async () => {
  const header = await new CookieJar(ORIGIN, SECRET).seal(sessionCookie, {});
  assert.match(header, /^__Host-signedsocket-session=[\w.-]+; Path=\/; Max-Age=28800; HttpOnly; SameSite=Lax; Secure$/);
  const local = await new CookieJar("http://127.0.0.1:3001", SECRET).seal(sessionCookie, {});
  assert.match(local, /^signedsocket-session=[\w.-]+; Path=\/; Max-Age=28800; HttpOnly; SameSite=Lax$/);
});

test("a cookie that this site did not seal, or for something else, opens to nothing", async () => {
  const jar = new CookieJar(ORIGIN, SECRET);
  const good = await jar.seal(sessionCookie, { sub: "alice" });
  const [name = "", value = ""] = (good.split(";")[0] ?? "").split("=");
  const [header, payload, signature] = value.split(".");
  const forged = Buffer.from(
    JSON.stringify({ content: { sub: "mallory" }, iss: ORIGIN, aud: sessionCookie.name, exp: 9e9 }),
  ).toString("base64url");
  const none = `${Buffer.from('{"alg":"none"}').toString("base64url")}.${forged}.`;
  const transaction = (await jar.seal(transactionCookie("state"), { sub: "alice" })).split(";")[0]?.split("=")[1];
  const foreign = (await new CookieJar(ORIGIN, SECRET.toUpperCase()).seal(sessionCookie, { sub: "alice" }))
    .split(";")[0]
    ?.split("=")[1];
  const elsewhere = (await new CookieJar("https://other.example", SECRET).seal(sessionCookie, { sub: "alice" }))
    .split(";")[0]
    ?.split("=")[1];
  for (const bad of [
    `${header}.${forged}.${signature}`,
    none,
    `${header}.${payload}.`,
    "",
    "x",
    transaction,
    foreign,
    elsewhere,
  ]) {
    assert.equal(await jar.open(sessionCookie, new Headers({ Cookie: `${name}=${bad}` })), undefined, bad);
  }
  assert.deepEqual(await jar.open(sessionCookie, new Headers({ Cookie: `${name}=${value}` })), { sub: "alice" });
});

test("an expired cookie opens to nothing", async () => {
  const jar = new CookieJar(ORIGIN, SECRET);
  const stale = { ...sessionCookie, maxAge: -1 };
  assert.equal(await jar.open(sessionCookie, request(await jar.seal(stale, { sub: "alice" }))), undefined);
});

test("a cookie is found by its whole name", () => {
  const headers = new Headers({ Cookie: "xa=1; a=2; b=3=4" });
  assert.equal(readCookie(headers, "a"), "2");
  assert.equal(readCookie(headers, "b"), "3=4");
  assert.equal(readCookie(headers, "c"), undefined);
  assert.equal(readCookie(new Headers(), "a"), undefined);
});
