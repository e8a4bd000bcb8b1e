import assert from "node:assert/strict";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { test, type TestContext } from "node:test";
import { generateKeyPair, SignJWT } from "jose";
import { CookieJar } from "../src/server/signin/cookies";
import { sessionCookie } from "../src/server/signin/settings";
import { SignIn } from "../src/server/signin/signin";
import type { Session } from "../src/session";

const ORIGIN = "http://127.0.0.1:3001";

/** An OpenID Connect provider that signs everybody in as alice; `claims` are what its ID tokens say otherwise. */
async function provider(t: TestContext, claims: Record<string, unknown> = {}, endSession = true) {
  const exchanged: URLSearchParams[] = [];
  const server = createServer(async (request, response) => {
    const answer = async () => {
      const metadata = { issuer, authorization_endpoint: `${issuer}/authorize`, token_endpoint: `${issuer}/token`, jwks_uri: `${issuer}/keys`, response_types_supported: ["code"] };
      if (request.url?.startsWith("/.well-known/")) return { ...metadata, ...(endSession && { end_session_endpoint: `${issuer}/end` }) };
      exchanged.push(new URLSearchParams(Buffer.concat(await request.toArray()).toString()));
      return { access_token: "at", token_type: "Bearer", expires_in: 60, id_token: await idToken() };
    };
    response.writeHead(200, { "Content-Type": "application/json" }).end(JSON.stringify(await answer()));
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  t.after(() => server.close().closeAllConnections());
  const issuer = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const now = Math.floor(Date.now() / 1000);
  let nonce = "";
  const idToken = () =>
    new SignJWT({ iss: issuer, sub: "alice", name: "Alice", aud: "page", exp: now + 60, iat: now, nonce, ...claims }).setProtectedHeader({ alg: "RS256" }).sign(key);
  const { privateKey: key } = await generateKeyPair("RS256");

  const jar = new CookieJar(ORIGIN, "s".repeat(32));
  const signIn = new SignIn({ provider: { issuer, clientId: "page", audience: undefined, scope: "openid profile" }, clientSecret: undefined, pageOrigin: ORIGIN, jar });
  /** Goes to the provider and comes back with what it adds to the address, and the cookie of the beginning. */
  const begin = async () => {
    const { location, cookies } = await signIn.begin();
    const asked = new URL(location).searchParams;
    nonce = asked.get("nonce") ?? "";
    return { asked, cookie: new Headers({ Cookie: cookies[0]?.split(";")[0] ?? "" }), back: `?code=c1&state=${asked.get("state")}` };
  };
  return { issuer, exchanged, jar, signIn, begin };
}

test("a user who comes back from the provider has a session", async (t) => {
  const { signIn, begin, jar, exchanged } = await provider(t);
  const { asked, cookie, back } = await begin();
  assert.equal(asked.get("redirect_uri"), `${ORIGIN}/callback`);
  assert.equal(asked.get("code_challenge_method"), "S256");
  const { location, cookies } = await signIn.finish(cookie, back);
  assert.equal(location, "/");
  assert.equal(exchanged[0]?.get("code"), "c1");
  assert.match(exchanged[0]?.get("code_verifier") ?? "", /^[\w-]{43}$/);
  const session = await jar.open<Session>(sessionCookie, new Headers({ Cookie: cookies[0]?.split(";")[0] ?? "" }));
  assert.deepEqual([session?.sub, session?.name], ["alice", "Alice"]);
  assert.ok(session && session.startedAt < session.endsAt);
  assert.match(cookies[1] ?? "", /^signedsocket-signin=;.*Max-Age=0/);
});

test("what this browser did not begin is refused, and opens no session", async (t) => {
  const { signIn, begin, exchanged } = await provider(t);
  const { cookie, back } = await begin();
  const other = await begin();
  await assert.rejects(signIn.finish(new Headers(), back), /has begun no sign-in/);
  await assert.rejects(signIn.finish(other.cookie, back));
  await assert.rejects(signIn.finish(cookie, "?code=c1"));
  await assert.rejects(signIn.finish(cookie, back.replace("code=c1", "error=access_denied")));
  assert.equal(exchanged.length, 0);
});

test("an ID token for somebody else, or for another sign-in, is refused", async (t) => {
  for (const claims of [{ nonce: "another" }, { aud: "another" }, { iss: "https://another.example" }, { exp: 1 }, { sub: undefined }]) {
    const { signIn, begin } = await provider(t, claims);
    const { cookie, back } = await begin();
    await assert.rejects(signIn.finish(cookie, back), JSON.stringify(claims));
  }
});

test("signing out ends the session here and at the provider", async (t) => {
  const { signIn, issuer } = await provider(t);
  const { location, cookies } = await signIn.end();
  assert.match(cookies[0] ?? "", /^signedsocket-session=;.*Max-Age=0/);
  const { origin, searchParams } = new URL(location);
  assert.equal(origin, issuer);
  assert.equal(searchParams.get("post_logout_redirect_uri"), `${ORIGIN}/`);
  assert.equal(searchParams.get("client_id"), "page");
});

test("a provider without a place to sign out is left alone", async (t) => {
  const { signIn } = await provider(t, {}, false);
  assert.equal((await signIn.end()).location, `${ORIGIN}/`);
});
