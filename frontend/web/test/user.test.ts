import assert from "node:assert/strict";
import { test } from "node:test";
import { displayName, userId } from "../src/server/signin/user";

test("a user has the same id as with a token of the same issuer", () => {
  assert.equal(userId("https://id.example", "alice_1-X"), "alice_1-X");
  // printf 'https://issuer.exampleauth0|alice' | openssl dgst -sha256 -binary | basenc --base64url | cut -c1-32
  assert.equal(userId("https://issuer.example", "auth0|alice"), "axsu4hNX-HtsizaUqUjy80bBLQKEyP_q");
  for (const sub of ["guest-1", "a b", "", "é", "x".repeat(65)]) assert.match(userId("https://id.example", sub), /^[A-Za-z0-9_-]{32}$/, sub);
});

test("a name that others could be deceived by, or that is too long, is left out", () => {
  assert.equal(displayName("  山田 太郎 "), "山田 太郎");
  assert.equal(displayName("e\u0301"), "\u00e9");
  assert.equal(displayName("x".repeat(64)), "x".repeat(64));
  for (const name of [undefined, 7, "", " ", "x".repeat(65), "名".repeat(22), "a\nb", "a\u0000b", "a\u202eb", "\ud800"]) assert.equal(displayName(name), undefined, JSON.stringify(name));
});
