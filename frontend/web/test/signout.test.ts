import assert from "node:assert/strict";
import { test, type TestContext } from "node:test";
import type { Service } from "../src/server/service";
import { endSignIn } from "../src/server/signout";
import type { Session } from "../src/server/session";

const session: Session = {
  sub: "auth0|alice",
  iss: "https://id.example/",
  name: "Alice",
  startedAt: 1,
  endsAt: 2,
  signIn: "s".repeat(22),
};

/** A service that answers with each of these statuses in turn; undefined is no answer. */
function service(t: TestContext, ...statuses: (number | undefined)[]) {
  const asked: { url: string; body: unknown; signed: unknown }[] = [];
  const { mock: logged } = t.mock.method(console, "error", () => {});
  const options: Service = {
    signUrl: new URL("https://api.example/signurl"),
    sign: async (url, body) => ({ authorization: `signed ${url.pathname} ${body.length}` }),
    fetch: async (url, init) => {
      asked.push({
        url: String(url),
        body: JSON.parse(String(init?.body)),
        signed: new Headers(init?.headers).get("authorization"),
      });
      const status = statuses.shift();
      if (status === undefined) throw new Error("down");
      return new Response(null, { status });
    },
  };
  return { asked, logged, options };
}

test("a sign-out ends the sign-in in the chat, in a signed request", async (t) => {
  const { asked, logged, options } = service(t, 204);
  assert.equal(await endSignIn(session, options), true);
  const body = { user: { sub: "auth0|alice", iss: "https://id.example/", sessionEndsAt: 2 }, signIn: session.signIn };
  assert.deepEqual(asked, [
    { url: "https://api.example/signout", body, signed: `signed /signout ${JSON.stringify(body).length}` },
  ]);
  assert.equal(logged.callCount(), 0);
});

test("a sign-out without an answer ends before the 15 s of the page's function, and the cookie goes", async (t) => {
  t.mock.method(console, "error", () => {});
  const limits: number[] = [];
  t.mock.method(AbortSignal, "timeout", (ms: number) => (limits.push(ms), new AbortController().signal));
  const { options } = service(t);
  assert.equal(await endSignIn(session, { ...options, fetch: async () => Promise.reject(new Error("late")) }), false);
  const shortest = [0, 2].map((first) => Math.min(...limits.slice(first, first + 2)));
  assert.ok(shortest.every((ms) => ms > 0) && shortest[0]! + shortest[1]! <= 12_000, String(limits));
});

test("a sign-out that does not reach the chat is tried again, and then logged without its secrets", async (t) => {
  for (const statuses of [
    [undefined, 204],
    [500, 204],
  ])
    assert.equal(await endSignIn(session, service(t, ...statuses).options), true);
  for (const statuses of [
    [undefined, undefined],
    [403, 403],
  ]) {
    const { asked, logged, options } = service(t, ...statuses);
    assert.equal(await endSignIn(session, options), false);
    assert.deepEqual([asked.length, logged.callCount()], [2, 1]);
    assert.doesNotMatch(String(logged.calls[0]?.arguments[0]), /sss|alice/);
  }
});

test("a session without a name for its sign-in asks nothing", async (t) => {
  const { asked, options } = service(t);
  assert.equal(await endSignIn({ ...session, signIn: undefined }, options), false);
  assert.equal(asked.length, 0);
});
