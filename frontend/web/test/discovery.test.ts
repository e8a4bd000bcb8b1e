import assert from "node:assert/strict";
import { test } from "node:test";
import { Discovery } from "../src/server/discovery";

const ISSUER = "https://cognito-idp.eu-west-1.amazonaws.com/eu-west-1_1";

/** A provider whose answers are taken from a list, and a clock that is set by hand. */
function provider(...answers: (object | Error)[]) {
  const asked: string[] = [];
  const clock = { now: 0 };
  const fetch = async (address: string | URL | Request): Promise<Response> => {
    asked.push(String(address));
    const answer = answers.shift() ?? new Error("not expected");
    if (answer instanceof Error) throw answer;
    return Response.json(answer);
  };
  return { asked, clock, discovery: new Discovery(fetch as typeof globalThis.fetch, () => clock.now) };
}

test("endpoints on other hosts than the issuer are found, once an hour", async () => {
  const document = {
    token_endpoint: "https://login.example/oauth2/token",
    userinfo_endpoint: "https://login.example/oauth2/userInfo",
    authorization_endpoint: "https://navigated.example/",
  };
  const { discovery, asked, clock } = provider(document, document);
  const expected = ["https://cognito-idp.eu-west-1.amazonaws.com", "https://login.example"];
  assert.deepEqual(await discovery.origins(ISSUER), expected);
  clock.now = 3_599_999;
  assert.deepEqual(await discovery.origins(ISSUER), expected);
  assert.deepEqual(asked, [`${ISSUER}/.well-known/openid-configuration`]);
  clock.now = 3_600_000;
  await discovery.origins(ISSUER);
  assert.equal(asked.length, 2);
});

test("requests at the same time share one question", async () => {
  const { discovery, asked } = provider({ token_endpoint: "https://login.example/token" });
  await Promise.all([discovery.origins(ISSUER), discovery.origins(ISSUER)]);
  assert.equal(asked.length, 1);
});

test("without an answer the issuer's own origin has to do, and it is asked again soon", async (t) => {
  t.mock.method(console, "error", () => {});
  const { discovery, clock } = provider(new Error("down"), { token_endpoint: "https://login.example/token" });
  assert.deepEqual(await discovery.origins(ISSUER), ["https://cognito-idp.eu-west-1.amazonaws.com"]);
  clock.now = 29_999;
  assert.equal((await discovery.origins(ISSUER)).length, 1);
  clock.now = 30_000;
  assert.equal((await discovery.origins(ISSUER)).length, 2);
});

test("an incomplete document is no answer: it is asked for again after 30 s", async (t) => {
  const logged: string[] = [];
  t.mock.method(console, "error", (line: string) => logged.push(line));
  const whole = { token_endpoint: "https://login.example/token" };
  for (const incomplete of [
    {},
    { issuer: ISSUER, jwks_uri: `${ISSUER}/keys` },
    { token_endpoint: null },
    { token_endpoint: "/token" },
  ]) {
    const { discovery, clock } = provider(incomplete, whole);
    assert.equal((await discovery.origins(ISSUER)).length, 1);
    clock.now = 30_000;
    assert.equal((await discovery.origins(ISSUER)).length, 2);
  }
  // The key is that of the functions' lines, which the saved queries read.
  assert.equal(JSON.parse(logged[0] ?? "{}").message, "discovery failed");
});

test("an issuer that ends in a slash has one slash before its document", async () => {
  const { discovery, asked } = provider({ token_endpoint: "https://login.example/token" });
  await discovery.origins("https://tenant.example/");
  assert.deepEqual(asked, ["https://tenant.example/.well-known/openid-configuration"]);
});
