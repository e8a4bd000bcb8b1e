import assert from "node:assert/strict";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { test, type TestContext } from "node:test";
import { generateKeyPair, SignJWT } from "jose";
import { CookieJar } from "../src/server/signin/cookies";
import { Providers } from "../src/server/signin/providers";
import { openSession, sessionCookie } from "../src/server/signin/settings";
import { SignIn } from "../src/server/signin/signin";

const ORIGIN = "http://127.0.0.1:3001";

/** An OpenID Connect provider that signs every visitor in as alice. `claims` change its ID tokens. */
async function provider(
  t: TestContext,
  claims: Record<string, unknown> = {},
  endSession = true,
  moderatorClaim: string | undefined = undefined,
) {
  const exchanged: URLSearchParams[] = [];
  const discoveries: number[] = [];
  const server = createServer(async (request, response) => {
    const answer = async () => {
      const metadata = {
        issuer,
        authorization_endpoint: `${issuer}/authorize`,
        token_endpoint: `${issuer}/token`,
        jwks_uri: `${issuer}/keys`,
        response_types_supported: ["code"],
      };
      if (request.url?.startsWith("/.well-known/")) discoveries.push(performance.now());
      if (request.url?.startsWith("/.well-known/"))
        return { ...metadata, ...(endSession && { end_session_endpoint: `${issuer}/end` }) };
      exchanged.push(new URLSearchParams(Buffer.concat(await request.toArray()).toString()));
      return { access_token: "at", token_type: "Bearer", expires_in: 60, id_token: await idToken() };
    };
    response.writeHead(200, { "Content-Type": "application/json" }).end(JSON.stringify(await answer()));
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  t.after(() => {
    server.closeAllConnections();
    server.close();
  });
  const issuer = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const now = Math.floor(Date.now() / 1000);
  let nonce = "";
  const idToken = () =>
    new SignJWT({ iss: issuer, sub: "alice", name: "Alice", aud: "page", exp: now + 60, iat: now, nonce, ...claims })
      .setProtectedHeader({ alg: "RS256" })
      .sign(key);
  const { privateKey: key } = await generateKeyPair("RS256");

  const jar = new CookieJar(ORIGIN, "s".repeat(32));
  const providers = new Providers();
  const settings = {
    provider: { issuer, clientId: "page", audience: undefined, scope: "openid profile" },
    clientSecret: undefined,
    pageOrigin: ORIGIN,
    jar,
    moderatorClaim,
  };
  const signIn = new SignIn(settings, providers);
  /** Goes to the provider, and returns with its query and with the cookie from the beginning. */
  const begin = async (anew?: boolean) => {
    const { location, cookies } = await signIn.begin(new Headers(), anew);
    const asked = new URL(location).searchParams;
    const use = () => (nonce = asked.get("nonce") ?? "");
    use();
    return {
      asked,
      cookies,
      /** Makes the provider answer this sign-in, and not the last one. */
      use,
      cookie: new Headers({ Cookie: cookies[0]?.split(";")[0] ?? "" }),
      back: `?code=c1&state=${asked.get("state")}`,
    };
  };
  /** The session of a user who signs in. */
  const session = async () => {
    const { cookie, back } = await begin();
    const { cookies } = await signIn.finish(cookie, back);
    return openSession(jar, new Headers({ Cookie: cookies[0]?.split(";")[0] ?? "" }));
  };
  return { issuer, exchanged, discoveries, jar, settings, providers, signIn, begin, session };
}

test("a user who comes back from the provider has a session", async (t) => {
  const { signIn, begin, jar, exchanged, issuer } = await provider(t);
  const { asked, cookie, back } = await begin();
  assert.equal(asked.get("redirect_uri"), `${ORIGIN}/callback`);
  assert.equal(asked.get("code_challenge_method"), "S256");
  const { location, cookies } = await signIn.finish(cookie, back);
  assert.equal(location, "/");
  assert.equal(exchanged[0]?.get("code"), "c1");
  assert.match(exchanged[0]?.get("code_verifier") ?? "", /^[\w-]{43}$/);
  const session = await openSession(jar, new Headers({ Cookie: cookies[0]?.split(";")[0] ?? "" }));
  assert.deepEqual([session?.sub, session?.iss, session?.name], ["alice", issuer, "Alice"]);
  assert.ok(session && session.startedAt < session.endsAt);
  assert.match(cookies[1] ?? "", /^signedsocket-signin-[\w-]{8}=;.*Max-Age=0/);
});

test("the session says what the provider calls the user, as it is", async (t) => {
  for (const sub of ["auth0|alice", "victim@example.com", "guest-1", "h--x", "名前", "x".repeat(255)]) {
    assert.equal((await (await provider(t, { sub })).session())?.sub, sub);
  }
  for (const sub of ["x".repeat(256), "a\u0000b", "a\nb"]) {
    const { begin, signIn } = await provider(t, { sub });
    const { cookie, back } = await begin();
    await assert.rejects(signIn.finish(cookie, back), /sub/);
  }
});

test("a session began when the user showed who it is, and not when the provider wrote the token", async (t) => {
  const now = Math.floor(Date.now() / 1000);
  assert.equal((await (await provider(t, { iat: now, auth_time: now - 7200 })).session())?.startedAt, now - 7200);
  assert.equal((await (await provider(t, { iat: now - 1 })).session())?.startedAt, now - 1);
});

test("a user is a moderator by the configured claim of the ID token, and by no other", async (t) => {
  const moderator = async (claims: Record<string, unknown>, claim?: string) =>
    (await (await provider(t, claims, true, claim)).session())?.moderator;
  assert.equal(await moderator({ "https://example.com/moderator": true }, "https://example.com/moderator"), true);
  assert.equal(await moderator({ moderator: "true" }, "moderator"), true);
  for (const claims of [{}, { moderator: false }, { moderator: "yes" }, { moderator: [true] }])
    assert.equal(await moderator(claims, "moderator"), undefined, JSON.stringify(claims));
  assert.equal(await moderator({ moderator: true }), undefined);
});

test("each sign-in has a name of its own, which is not one of its secrets", async (t) => {
  const { session, begin, signIn, jar } = await provider(t);
  const [one, other] = [await session(), await session()];
  assert.match(one?.signIn ?? "", /^[A-Za-z0-9_-]{22}$/);
  assert.equal(Buffer.from(one?.signIn ?? "", "base64url").toString("base64url"), one?.signIn);
  assert.notEqual(one?.signIn, other?.signIn);
  const { cookie, back } = await begin();
  const headers = new Headers({ Cookie: (await signIn.finish(cookie, back)).cookies[0]?.split(";")[0] ?? "" });
  const [first, second] = [await openSession(jar, headers), await openSession(jar, headers)];
  assert.equal(first?.signIn, second?.signIn);
  assert.doesNotMatch(atob(headers.get("Cookie")?.split(".")[1] ?? ""), new RegExp(first?.signIn ?? "^"));
});

test("a session of the previous version, with a user id in the place of the sub, is invalid", async (t) => {
  const { jar } = await provider(t);
  const cookie = await jar.seal(sessionCookie, {
    sub: "axsu4hNX-HtsizaUqUjy80bBLQKEyP_q",
    name: "Alice",
    startedAt: 1,
    endsAt: 9_999_999_999,
  });
  assert.equal(await openSession(jar, new Headers({ Cookie: cookie.split(";")[0] ?? "" })), undefined);
});

test("after a revocation the provider is asked to ask", async (t) => {
  const { begin } = await provider(t);
  assert.equal((await begin(true)).asked.get("prompt"), "login");
  assert.equal((await begin()).asked.get("prompt"), null);
});

test("fifty visitors who want to sign in ask the provider once, and one hour later once more", async (t) => {
  const { discoveries, settings } = await provider(t);
  let now = 0;
  const providers = new Providers(undefined, () => now);
  const visit = () =>
    Promise.all(Array.from({ length: 50 }, () => new SignIn(settings, providers).begin(new Headers())));
  await visit();
  await visit();
  assert.equal(discoveries.length, 1);
  now = 3_600_000;
  await visit();
  assert.equal(discoveries.length, 2);
});

test("a provider that does not answer is asked again, but not by every visitor", async (t) => {
  const { settings } = await provider(t);
  let [now, asked] = [0, 0];
  const providers = new Providers(
    async () => (asked++, Promise.reject(new Error("away"))),
    () => now,
  );
  for (const [time, want] of [
    [0, 1],
    [4999, 1],
    [5000, 2],
  ] as const) {
    now = time;
    for (let i = 0; i < 50; i++) await assert.rejects(new SignIn(settings, providers).begin(new Headers()), /away/);
    assert.equal(asked, want, String(time));
  }
});

test("a sign-in that this browser did not begin is refused, and opens no session", async (t) => {
  const { signIn, begin, exchanged } = await provider(t);
  const { cookie, back } = await begin();
  const other = await begin();
  await assert.rejects(signIn.finish(new Headers(), back), /has begun no sign-in/);
  await assert.rejects(signIn.finish(other.cookie, back));
  await assert.rejects(signIn.finish(cookie, "?code=c1"));
  await assert.rejects(signIn.finish(cookie, back.replace("code=c1", "error=access_denied")));
  assert.equal(exchanged.length, 0);
});

/** A request with the cookies of a browser that received these. */
function browserWith(...given: string[]): Headers {
  const kept = new Map(given.map((cookie) => (cookie.split(";")[0] ?? "").split("=") as [string, string]));
  for (const cookie of given) if (cookie.includes("Max-Age=0")) kept.delete(cookie.split("=")[0] ?? "");
  return new Headers({ Cookie: [...kept].map((pair) => pair.join("=")).join("; ") });
}

test("two tabs of one browser at the provider both come back signed in", async (t) => {
  for (const order of [
    [0, 1],
    [1, 0],
  ]) {
    const { signIn, begin } = await provider(t);
    const tabs = [await begin(), await begin()];
    let kept = tabs.flatMap(({ cookies }) => cookies);
    for (const tab of order) {
      const { use, back } = tabs[tab] ?? assert.fail();
      use();
      const { location, cookies } = await signIn.finish(browserWith(...kept), back);
      assert.equal(location, "/");
      kept = [...kept, ...cookies];
    }
    assert.match(browserWith(...kept).get("Cookie") ?? "", /^signedsocket-session=[^;]+$/);
  }
});

test("the cookies of sign-ins that came to nothing do not pile up", async (t) => {
  const { signIn } = await provider(t);
  let kept = ["signedsocket-signin=of.the.version-before; Max-Age=600", "other=1"];
  for (let i = 0; i < 20; i++) kept = [...kept, ...(await signIn.begin(browserWith(...kept))).cookies];
  const names = (browserWith(...kept).get("Cookie") ?? "").split("; ").map((pair) => pair.split("=")[0] ?? "");
  assert.equal(names.length, 6);
  assert.ok(
    names.every((name) => name === "other" || /^signedsocket-signin-[\w-]{8}$/.test(name)),
    String(names),
  );
});

test("an ID token for another client or sign-in, or an invalid one, is refused", async (t) => {
  for (const claims of [
    { nonce: "another" },
    { aud: "another" },
    { iss: "https://another.example" },
    { exp: 1 },
    { sub: undefined },
  ]) {
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
