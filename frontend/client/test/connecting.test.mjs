import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { test } from "node:test";

import { answer, MINUTE, SECOND, settle, signed, world } from "./world.mjs";

const waiting = (w) => ({
  status: w.chat.state.status,
  reason: w.chat.state.reason,
  in: w.chat.state.retryAt - w.clock.now(),
});

test("a connection is signed, opened, and says so", async () => {
  const w = world({ rooms: ["lobby", "ops"] });
  assert.deepEqual(w.chat.state, { status: "idle" });
  await w.open();
  assert.deepEqual(w.statuses, ["signing", "connecting", "open"]);
  const [{ url, method, headers, body, cache }] = w.requests;
  assert.equal(url, "https://api.example/signurl");
  assert.equal(method, "POST");
  assert.equal(cache, "no-store");
  assert.deepEqual(headers, { "Content-Type": "application/json", Authorization: "Bearer token" });
  assert.deepEqual(Object.keys(body).sort(), ["challenge", "ci", "rooms"]);
  assert.deepEqual(body.rooms, ["lobby", "ops"]);
  assert.equal(w.socket.url, "wss://chat.example/prod?v=1&rm=lobby.ops&X-Amz-Signature=0");
  const { user, rooms } = w.chat.getSnapshot();
  assert.deepEqual({ user, rooms }, { user: { sub: "alice", name: "Alice" }, rooms: ["lobby", "ops"] });
});

test("each attempt has a URL and a proof of its own", async () => {
  const w = world();
  w.chat.connect();
  await settle();
  await w.socket.end();
  await w.clock.advance(SECOND);
  assert.equal(w.requests.length, 2);
  const verifiers = w.sockets.map(({ protocols }, i) => {
    assert.equal(protocols.length, 3);
    assert.deepEqual(protocols.slice(0, 2), ["chat.v2", "chat.v1"]);
    assert.match(protocols[2], /^pop\.[A-Za-z0-9_-]{43}$/);
    const verifier = protocols[2].slice(4);
    assert.equal(Buffer.from(verifier, "base64url").length, 32);
    assert.equal(w.requests[i].body.challenge, createHash("sha256").update(verifier).digest("base64url"));
    return verifier;
  });
  assert.notEqual(verifiers[0], verifiers[1]);
});

test("connecting twice opens one socket", async () => {
  const w = world();
  w.chat.connect();
  w.chat.connect();
  await settle();
  w.chat.connect();
  w.chat.retryNow();
  await w.socket.accept();
  w.chat.connect();
  await settle();
  assert.deepEqual([w.requests.length, w.sockets.length, w.watching], [1, 1, 1]);
});

test("a client that is disposed and connected again at once asks once", async () => {
  const w = world();
  w.chat.connect();
  w.chat.dispose();
  w.chat.connect();
  await settle();
  assert.deepEqual([w.requests.length, w.sockets.length, w.watching], [1, 1, 1]);
});

test("dispose cancels the request for a URL", async () => {
  const w = world();
  w.answers.push(new Promise(() => {}));
  w.chat.connect();
  await settle();
  w.chat.dispose();
  assert.equal(w.requests[0].signal.aborted, true);
  assert.deepEqual(w.chat.state, { status: "idle" });
  assert.equal(w.watching, 0);
  await w.clock.advance(MINUTE);
  assert.deepEqual([w.requests.length, w.sockets.length, w.clock.timers], [1, 0, 0]);
});

test("dispose cancels a handshake, a wait and an open connection", async () => {
  const rotate = async (w) => {
    w.answers.push(signed({ sessionEndsIn: 60 }));
    await w.open();
    await w.clock.advance(15 * SECOND);
    assert.equal(w.sockets.length, 2);
  };
  const stages = {
    async handshake(w) {
      w.chat.connect();
      await settle();
    },
    async wait(w) {
      w.answers.push(new Error("down"));
      w.chat.connect();
      await settle();
    },
    async open(w) {
      await w.open();
      w.chat.send("hi");
      await settle();
    },
    async rotation(w) {
      await rotate(w);
      await w.socket.accept();
    },
    async replacement(w) {
      await rotate(w);
      await w.socket.accept();
      await w.socket.receive({ type: "pong" });
    },
  };
  for (const [name, reach] of Object.entries(stages)) {
    const w = world();
    await reach(w);
    w.chat.dispose();
    await settle();
    const { requests, sockets } = w;
    assert.ok(
      sockets.every((socket) => socket.closed),
      name,
    );
    assert.deepEqual([w.clock.timers, w.watching, w.chat.state.status], [0, 0, "idle"], name);
    const before = requests.length;
    for (const socket of sockets) await socket.accept();
    assert.equal(w.chat.state.status, "idle", name);
    await w.clock.advance(10 * MINUTE);
    assert.equal(requests.length, before, name);
  }
});

test("waits grow, are random, and are limited to 30 s", async () => {
  for (const [random, want] of [
    [0.5, [250, 500, 1000, 2000, 4000, 8000, 15_000, 15_000]],
    [0, [0, 0]],
    [0.999, [499.5, 999]],
  ]) {
    const w = world();
    w.random = random;
    w.answers.push(...want.map(() => new Error("down")));
    w.chat.connect();
    await w.clock.advance(50 * SECOND);
    assert.deepEqual(w.waits.slice(0, want.length), want);
    assert.equal(w.states.find(({ status }) => status === "waiting").reason, "unreachable");
  }
});

test("10 s of being open are a success, less is not", async () => {
  const w = world();
  const dropAfter = async (ms) => {
    await w.socket.accept();
    await w.clock.advance(ms);
    await w.socket.end();
    const { reason, in: wait } = waiting(w);
    assert.equal(reason, "lost");
    await w.clock.advance(wait);
    return wait;
  };
  w.chat.connect();
  await settle();
  assert.equal(await dropAfter(9.9 * SECOND), 250);
  assert.equal(await dropAfter(9.9 * SECOND), 500);
  assert.equal(await dropAfter(9.9 * SECOND), 1000);
  assert.equal(await dropAfter(10 * SECOND), 250);
});

test("401 and 403 end the attempts and ask for a sign-in", async () => {
  const cases = [
    [answer(401, { message: "Unauthorized" }), "unauthorized"],
    [answer(403, { message: "Forbidden" }), "forbidden"],
    [answer(401, { error: "revoked" }), "revoked"],
    [answer(403, { error: "room_not_allowed" }), "room_not_allowed"],
    [{ ...answer(403), json: async () => JSON.parse("<html>") }, "forbidden"],
  ];
  for (const [response, code] of cases) {
    const w = world();
    w.answers.push(response);
    w.chat.connect();
    await settle();
    assert.deepEqual(w.chat.state, { status: "auth-required", code });
    assert.deepEqual(w.authRequired, [code]);
    await w.wake();
    await w.clock.advance(10 * MINUTE);
    assert.deepEqual([w.requests.length, w.clock.timers], [1, 0]);
    await w.open();
    assert.equal(w.chat.state.status, "open");
  }
});

test("the client does not wait for a token that it no longer needs", async () => {
  let signal;
  const w = world({ getToken: (given) => ((signal = given), new Promise(() => {})) });
  w.chat.connect();
  await settle();
  w.chat.dispose();
  assert.equal(signal.aborted, true);
  await settle();
  assert.deepEqual([w.chat.state.status, w.clock.timers], ["idle", 0]);
});

test("without a token nothing is asked", async () => {
  const w = world({ getToken: async () => undefined });
  w.chat.connect();
  await settle();
  assert.deepEqual(w.chat.state, { status: "auth-required", code: "unauthorized" });
  assert.equal(w.requests.length, 0);
});

/** Tokens of a provider, one after the other. `w.asked` has the arguments of getToken. */
function tokens(...given) {
  const asked = [];
  const w = world({ getToken: (_, refused) => (asked.push(refused), given.length > 1 ? given.shift() : given[0]) });
  return Object.assign(w, { asked });
}

const sent = (w) => w.requests.map(({ headers }) => headers.Authorization);

test("a token that has not begun for the server yet is shown again after 1, 2 and 4 s", async () => {
  for (const [refusals, seconds] of [
    [1, 1],
    [2, 3],
    [3, 7],
  ]) {
    const w = tokens("a.b.c");
    for (let i = 0; i < refusals; i++) w.answers.push(answer(401, { message: "Unauthorized" }));
    w.chat.connect();
    await w.clock.advance(seconds * SECOND - 1);
    assert.deepEqual([w.chat.state.status, w.requests.length], ["signing", refusals]);
    await w.clock.advance(1);
    assert.deepEqual([w.chat.state.status, w.requests.length], ["connecting", refusals + 1]);
    assert.deepEqual(w.asked.filter(Boolean), []);
  }
});

test("a token that the server keeps refusing is replaced once, and then the user has to sign in", async () => {
  const w = tokens("a.b.c", "a.b.c", "a.b.c", "a.b.c", "d.e.f");
  for (let i = 0; i < 6; i++) w.answers.push(answer(401, { message: "Unauthorized" }));
  w.chat.connect();
  await w.clock.advance(7 * SECOND);
  assert.deepEqual(w.asked, [undefined, undefined, undefined, undefined, "a.b.c"]);
  assert.deepEqual(sent(w).slice(3), ["Bearer a.b.c", "Bearer d.e.f"]);
  assert.deepEqual(
    [w.chat.state, w.authRequired],
    [{ status: "auth-required", code: "unauthorized" }, ["unauthorized"]],
  );
  await w.clock.advance(10 * MINUTE);
  assert.deepEqual([w.requests.length, w.clock.timers], [5, 0]);
});

test("a token in the place of a refused one connects", async () => {
  const w = tokens("a.b.c", "a.b.c", "a.b.c", "a.b.c", "d.e.f");
  for (let i = 0; i < 4; i++) w.answers.push(answer(401, {}));
  w.chat.connect();
  await w.clock.advance(7 * SECOND);
  assert.deepEqual([w.chat.state.status, sent(w).at(-1)], ["connecting", "Bearer d.e.f"]);
});

test("a token that the server has taken before is replaced at once", async () => {
  const w = tokens("a.b.c", "a.b.c", "d.e.f");
  const socket = await w.open();
  await w.clock.advance(10 * SECOND);
  w.answers.push(answer(401, {}));
  await socket.end();
  await w.clock.advance(SECOND);
  assert.deepEqual([w.chat.state.status, sent(w)], ["connecting", ["Bearer a.b.c", "Bearer a.b.c", "Bearer d.e.f"]]);
});

test("a refused token that is given again is not sent again", async () => {
  const w = tokens("opaque");
  w.answers.push(answer(401, {}));
  w.chat.connect();
  await settle();
  assert.deepEqual([w.chat.state.status, w.requests.length, w.asked], ["auth-required", 1, [undefined, "opaque"]]);
});

test("a client that is disposed while a token has not begun asks no more", async () => {
  const w = tokens("a.b.c");
  w.answers.push(answer(401, {}));
  w.chat.connect();
  await settle();
  w.chat.dispose();
  await settle();
  assert.deepEqual([w.chat.state.status, w.clock.timers], ["idle", 0]);
  await w.clock.advance(MINUTE);
  assert.equal(w.requests.length, 1);
});

test("refusals with a code of their own are final, however young the token is", async () => {
  const w = tokens("a.b.c");
  w.answers.push(answer(401, { error: "revoked" }));
  w.chat.connect();
  await settle();
  assert.deepEqual([w.chat.state, w.requests.length], [{ status: "auth-required", code: "revoked" }, 1]);
});

test("Retry-After of a 429 is kept, except by hand", async () => {
  const w = world();
  const busy = answer(429, { error: "too_many_connections" }, { "Retry-After": "30" });
  w.answers.push(busy, busy);
  w.chat.connect();
  await settle();
  assert.deepEqual(waiting(w), { status: "waiting", reason: "throttled", in: 30_250 });
  await w.wake();
  await w.clock.advance(30_249);
  assert.equal(w.requests.length, 1);
  await w.clock.advance(1);
  assert.equal(w.requests.length, 2);
  w.chat.retryNow();
  await settle();
  assert.equal(w.requests.length, 3);
});

test("429 without a Retry-After in seconds waits as usual, and never for more than an hour", async () => {
  for (const [header, wait] of [
    [undefined, 250],
    ["Sun, 22 Nov 2026 00:00:00 GMT", 250],
    ["-5", 250],
    ["1e9", 3_600_250],
  ]) {
    const w = world();
    w.answers.push(answer(429, { message: "Too Many Requests" }, header ? { "Retry-After": header } : {}));
    w.chat.connect();
    await settle();
    assert.deepEqual(waiting(w), { status: "waiting", reason: "throttled", in: wait });
  }
});

test("an answer without a signed URL leads to another attempt", async () => {
  const bad = [
    answer(500, { message: "Internal Server Error" }),
    answer(503, { error: "auth_not_configured" }),
    answer(200, null),
    answer(200, {}),
    signed({ url: 1 }),
    signed({ expiresIn: "10" }),
    signed({ expiresIn: -1 }),
    signed({ sessionEndsIn: null }),
    signed({ user: { sub: "alice" } }),
    { ...answer(200), json: () => Promise.reject(new SyntaxError()) },
  ];
  for (const response of bad) {
    const w = world();
    w.answers.push(response);
    w.chat.connect();
    await settle();
    assert.equal(w.chat.state.reason, "unavailable");
    assert.equal(w.sockets.length, 0);
  }
});

test("signing may take 10 s, whether or not it can be cancelled", async () => {
  const w = world();
  w.answers.push(new Promise(() => {}));
  w.chat.connect();
  await w.clock.advance(9999);
  assert.equal(w.chat.state.status, "signing");
  await w.clock.advance(1);
  assert.deepEqual(waiting(w), { status: "waiting", reason: "timeout", in: 250 });
  assert.equal(w.requests[0].signal.aborted, true);
});

test("a URL that came too late is not used, also when the machine's clock is wrong", async () => {
  for (const [took, used] of [
    [2999, 1],
    [3000, 0],
  ]) {
    const w = world();
    let arrive;
    w.answers.push(new Promise((resolve) => (arrive = resolve)));
    w.chat.connect();
    await settle();
    w.clock.freeze(took);
    w.clock.unixTime -= 10 * MINUTE;
    arrive(signed({ expiresIn: 3 }));
    await settle();
    assert.equal(w.sockets.length, used);
    if (!used) assert.equal(w.chat.state.reason, "timeout");
  }
});

test("a handshake may take 10 s", async () => {
  const w = world();
  w.chat.connect();
  await w.clock.advance(9999);
  assert.equal(w.chat.state.status, "connecting");
  await w.clock.advance(1);
  assert.deepEqual(waiting(w), { status: "waiting", reason: "timeout", in: 250 });
  assert.equal(w.socket.closed, true);
});

test("three failed handshakes with good URLs are a refusal", async () => {
  const w = world();
  const fail = async () => {
    await w.socket.end();
    const { reason, in: wait } = waiting(w);
    await w.clock.advance(wait);
    return reason;
  };
  w.chat.connect();
  await settle();
  assert.deepEqual(
    [await fail(), await fail(), await fail(), await fail()],
    ["handshake", "handshake", "refused", "refused"],
  );
  await w.socket.accept();
  await w.socket.end();
  await w.clock.advance(waiting(w).in);
  assert.equal(await fail(), "handshake");
});

test("a URL that no WebSocket takes is a failed handshake, and is not shown", async () => {
  const w = world({
    environment: {
      WebSocket: class {
        constructor(url) {
          throw new SyntaxError(`The URL '${url}' is invalid.`);
        }
      },
    },
  });
  w.chat.connect();
  await settle();
  assert.equal(w.chat.state.reason, "handshake");
  assert.doesNotMatch(JSON.stringify(w.states), /Signature/);
});

test("signUrl may be a function, which is given all that is needed", async () => {
  const requests = [];
  const w = world({ signUrl: async (request) => (requests.push(request), signed()), rooms: ["ops"] });
  await w.open();
  assert.equal(w.chat.state.status, "open");
  assert.equal(w.requests.length, 0);
  assert.deepEqual(requests[0].rooms, ["ops"]);
  assert.match(requests[0].challenge, /^[A-Za-z0-9_-]{43}$/);
  assert.ok(requests[0].signal instanceof AbortSignal);
});

test("retryNow ends a wait", async () => {
  const w = world();
  w.answers.push(new Error("down"));
  w.chat.connect();
  await settle();
  w.chat.retryNow();
  await settle();
  assert.equal(w.chat.state.status, "connecting");
  await w.clock.advance(MINUTE / 10);
  assert.equal(w.requests.length, 2);
});
