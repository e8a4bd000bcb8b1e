import assert from "node:assert/strict";
import { test } from "node:test";
import { contentSecurityPolicy, newNonce } from "../src/server/policy";

const options = {
  nonce: "n1",
  connect: ["wss://socket.example", "https://id.example", "wss://socket.example"],
  https: true,
  development: false,
};

function directives(policy: string): Map<string, string> {
  return new Map(
    policy.split("; ").map((directive) => [directive.split(" ", 1)[0] ?? "", directive.replace(/^\S+ ?/, "")]),
  );
}

test("only what carries the nonce runs, and the page talks to named origins only", () => {
  const policy = directives(contentSecurityPolicy(options));
  assert.equal(policy.get("default-src"), "'none'");
  assert.equal(policy.get("script-src"), "'nonce-n1' 'strict-dynamic'");
  assert.equal(policy.get("style-src"), "'nonce-n1'");
  assert.equal(policy.get("connect-src"), "'self' wss://socket.example https://id.example");
  for (const name of ["object-src", "base-uri", "form-action", "frame-ancestors"])
    assert.equal(policy.get(name), "'none'", name);
  assert.equal(policy.get("require-trusted-types-for"), "'script'");
  assert.ok(policy.has("upgrade-insecure-requests"));
});

test("nothing unsafe, and no scheme or wildcard in place of an origin", () => {
  assert.doesNotMatch(contentSecurityPolicy(options), /unsafe|\*| https:[; ]| wss:[; ]/);
});

test("a page without TLS is not told to upgrade", () => {
  assert.doesNotMatch(contentSecurityPolicy({ ...options, https: false }), /upgrade/);
});

test("development may evaluate code and style inline, and nothing else more", () => {
  const policy = directives(contentSecurityPolicy({ ...options, development: true }));
  assert.equal(policy.get("script-src"), "'nonce-n1' 'strict-dynamic' 'unsafe-eval'");
  assert.equal(policy.get("connect-src"), "'self' wss://socket.example https://id.example");
  assert.equal(policy.get("frame-ancestors"), "'none'");
});

test("a nonce is new each time and has 128 bits", () => {
  const nonces = new Set(Array.from({ length: 100 }, newNonce));
  assert.equal(nonces.size, 100);
  for (const nonce of nonces) assert.equal(Buffer.from(nonce, "base64").length, 16);
});
