import assert from "node:assert/strict";
import { test } from "node:test";
import { readConfiguration } from "../src/server/configuration";
import { sessionProblems } from "../src/session";

const complete = {
  AUTH_MODE: "jwt",
  SIGN_URL: "https://api.example/signurl",
  WEBSOCKET_URL: "wss://socket.example/prod",
  PAGE_ORIGIN: "https://api.example",
  DEFAULT_ROOMS: "lobby,ops",
  OIDC_ISSUER: "https://id.example/pool",
  OIDC_CLIENT_ID: "page",
};

test("a complete configuration is read", () => {
  const { value } = readConfiguration(complete);
  assert.equal(value?.mode, "jwt");
  assert.deepEqual(value?.rooms, ["lobby", "ops"]);
  assert.deepEqual(value?.provider, {
    issuer: "https://id.example/pool",
    clientId: "page",
    audience: undefined,
    scope: "openid profile",
  });
});

test("an audience is told only when it is not the client itself, and only the first", () => {
  const audience = (OIDC_AUDIENCE: string) =>
    readConfiguration({ ...complete, OIDC_AUDIENCE }).value?.provider?.audience;
  assert.equal(audience("page"), undefined);
  assert.equal(audience("https://api.example,other"), "https://api.example");
  assert.equal(audience(""), undefined);
});

test("the scopes are those that are set, and openid in any case", () => {
  const scope = (OIDC_SCOPE: string | undefined) =>
    readConfiguration({ ...complete, OIDC_SCOPE }).value?.provider?.scope;
  assert.equal(scope(undefined), "openid profile");
  assert.equal(scope(""), "openid profile");
  assert.equal(scope("openid email"), "openid email");
  assert.equal(scope("api://1b2c/chat.read offline_access"), "openid api://1b2c/chat.read offline_access");
  assert.equal(scope("  profile   profile openid "), "openid profile");
});

test("guests ask for the rooms of guests", () => {
  const rooms = (GUEST_ROOMS: string) =>
    readConfiguration({ ...complete, AUTH_MODE: "guest", GUEST_ROOMS }).value?.rooms;
  assert.deepEqual(rooms("hall"), ["hall"]);
  assert.deepEqual(rooms(""), ["lobby", "ops"]);
});

test("a room to read is entered by its name, and a room that is named twice counts once", () => {
  const rooms = (DEFAULT_ROOMS: string) => readConfiguration({ ...complete, DEFAULT_ROOMS }).value?.rooms;
  assert.deepEqual(rooms("lobby,news:r"), ["lobby", "news"]);
  assert.deepEqual(rooms("a:r,b,a,b:r,a"), ["a", "b"]);
  const eight = ["a", "b", "c", "d", "e", "f", "g", "h"];
  assert.deepEqual(rooms([...eight, ...eight.map((room) => `${room}:r`)].join()), eight);
  for (const wrong of ["lobby:x", "lobby:", ":r", "lobby:r:r", "lobby:R", "lobby,", "a,b,c,d,e,f,g,h,i:r"])
    assert.equal(rooms(wrong), undefined, wrong);
});

test("all missing and wrong variables are named, and no value is repeated", () => {
  const { value, problems } = readConfiguration({
    ...complete,
    AUTH_MODE: "none",
    SIGN_URL: "http://api.example/secret",
    DEFAULT_ROOMS: "Lobby",
    PAGE_ORIGIN: "",
  });
  assert.equal(value, undefined);
  assert.deepEqual(problems, [
    "AUTH_MODE must be one of jwt, iam, guest.",
    "SIGN_URL must be an address that begins with https://.",
    "PAGE_ORIGIN must be an address that begins with https://.",
    "DEFAULT_ROOMS must be 1 to 8 names of a-z, 0-9, _ and -, each with or without :r, separated by commas.",
  ]);
});

test("addresses of this machine may do without TLS", () => {
  for (const [PAGE_ORIGIN, good] of [
    ["http://127.0.0.1:3001", true],
    ["http://localhost:3000", true],
    ["http://localhost.example", false],
    ["http://192.0.2.1", false],
    ["nonsense", false],
  ] as const) {
    assert.equal(readConfiguration({ ...complete, PAGE_ORIGIN }).problems === undefined, good, PAGE_ORIGIN);
  }
});

test("mode iam needs a secret that cannot be guessed", () => {
  const iam = { ...complete, AUTH_MODE: "iam" };
  assert.deepEqual(sessionProblems({ ...iam, SESSION_SECRET: "short" }), [
    "SESSION_SECRET must have at least 32 characters.",
  ]);
  assert.deepEqual(sessionProblems({ ...iam, SESSION_SECRET: "s".repeat(32) }), []);
  assert.equal(readConfiguration(iam).value?.mode, "iam");
});
