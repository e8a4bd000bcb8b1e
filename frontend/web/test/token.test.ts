import assert from "node:assert/strict";
import { test } from "node:test";
import { isJsonWebToken, refusalOf } from "../src/browser/account/token";

const part = (value: unknown) => Buffer.from(JSON.stringify(value)).toString("base64url");
const token = (claims: unknown, header: unknown = { alg: "RS256" }) => `${part(header)}.${part(claims)}.c2ln`;

test("a token is a JSON Web Token when it has three parts, and the first two are JSON objects", () => {
  for (const [text, want] of [
    [token({ sub: "alice", name: "アリス" }), true],
    ["opaque", false],
    ["", false],
    ["a.b.c", false],
    [`${part({ alg: "none" })}.${part({})}.`, false],
    [`${part({ alg: "dir" })}..${part({})}.c2ln.c2ln`, false], // encrypted
    [token("text"), false],
    [token({}, "text"), false],
    [token(null), false],
    [`${token({})} `, false],
    [token({}).replace(".", "=."), false],
  ] as const)
    assert.equal(isJsonWebToken(text), want, text);
});

test("operators read why the server refuses a token", () => {
  const provider = { issuer: "https://id.example", clientId: "page", audience: "api", scope: "openid" };
  const good = { iss: "https://id.example", aud: ["other", "api"], iat: 1000, exp: 2000 };
  const refusal = (claims: object, over = {}) => refusalOf(token(claims), { ...provider, ...over }, 1000);
  assert.equal(
    refusal({ ...good, iss: "https://sts.example" }),
    'its issuer is "https://sts.example", and OidcIssuer is "https://id.example".',
  );
  assert.equal(refusal({ ...good, aud: "graph" }), 'its audience is "graph", and OidcAudience is "api".');
  assert.match(refusal({ ...good, aud: undefined, client_id: "page" }, { audience: undefined }), /access log/);
  assert.equal(refusal({ ...good, iat: 1007 }), "it begins in 7 s: the provider's clock is ahead.");
  assert.equal(refusal({ ...good, nbf: 1009 }), "it begins in 9 s: the provider's clock is ahead.");
  assert.equal(refusal({ ...good, iat: undefined, exp: 990 }), "it ended 10 s ago.");
  assert.match(refusal(good), /authorizerError/);
  assert.match(refusalOf("opaque", provider, 1000), /its issuer is undefined/);
});
