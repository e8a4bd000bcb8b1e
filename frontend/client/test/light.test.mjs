// "Connected" is true: the client stops showing it at most 2 s after an event that it can observe.
import assert from "node:assert/strict";
import { test } from "node:test";

import { answer, message, MINUTE, SECOND, settle, signed, world } from "./world.mjs";

const status = (w) => w.chat.state.status;

/** The shown statuses, without repeats. */
const shown = (w) => w.statuses.filter((status, i, all) => status !== all[i - 1]);

/** A world whose connection is open and has been silent. */
async function silent(ms, options) {
  const w = world(options);
  const socket = await w.open();
  await w.clock.advance(ms);
  return { w, socket };
}

/** A world in which the rotation has begun. */
async function rotating() {
  const w = world();
  w.answers.push(signed({ sessionEndsIn: 300 }));
  const old = await w.open();
  await old.receive(message({ sentAt: 1000 }));
  await w.clock.advance(240 * SECOND);
  assert.equal(w.sockets.length, 2);
  return { w, old, next: w.socket };
}

test("after sleep, a timer that comes too late asks the server at once", async () => {
  const { w, socket } = await silent(7 * SECOND);
  w.clock.freeze(16 * SECOND);
  await w.clock.advance(0);
  assert.deepEqual([socket.pings, status(w)], [1, "open"]);
  await w.clock.advance(2 * SECOND);
  assert.equal(status(w), "checking");
  await w.clock.advance(8 * SECOND);
  assert.deepEqual([socket.closed, w.chat.state.reason], [true, "timeout"]);
});

test("after sleep in which the monotonic clock stood still, the next tick asks the server", async () => {
  const { w, socket } = await silent(7 * SECOND);
  w.clock.sleep(16 * SECOND);
  await w.clock.advance(5 * SECOND);
  assert.equal(socket.pings, 1);
  await socket.receive({ type: "pong" });
  await w.clock.advance(MINUTE);
  assert.deepEqual([socket.pings, status(w)], [1, "open"]);
});

test("a wall clock that is set back asks the server, and changes nothing else", async () => {
  const { w, socket } = await silent(7 * SECOND);
  w.clock.sleep(-60 * MINUTE);
  await w.clock.advance(5 * SECOND);
  assert.equal(socket.pings, 1);
  await socket.receive({ type: "pong" });
  await w.clock.advance(5 * MINUTE);
  assert.deepEqual([socket.pings, status(w), w.sockets.length], [1, "open", 1]);
});

test("a timer that is a little late asks nothing", async () => {
  const { w, socket } = await silent(0);
  for (let i = 0; i < 20; i++) {
    w.clock.freeze(9 * SECOND);
    await w.clock.advance(5 * SECOND);
  }
  assert.equal(socket.pings, 0);
});

test("a page that cannot be seen has late timers: only a gap of more than a minute asks the server", async () => {
  const { w, socket } = await silent(0);
  w.visible = false;
  for (let i = 0; i < 5; i++) {
    w.clock.freeze(MINUTE);
    await w.clock.advance(0);
  }
  assert.equal(socket.pings, 0);
  w.clock.freeze(2 * MINUTE);
  await w.clock.advance(0);
  assert.equal(socket.pings, 1);
});

test("sleep ends a wait, except one that the server asked for", async () => {
  for (const [fail, requests] of [
    [new Error("down"), 2],
    [answer(429, {}, { "Retry-After": "600" }), 1],
  ]) {
    const w = world();
    w.random = 1 - 1e-9;
    w.answers.push(...Array.from({ length: 6 }, () => new Error("down")), fail);
    w.chat.connect();
    await w.clock.advance(40 * SECOND);
    const before = w.requests.length;
    assert.equal(before, 7);
    w.clock.sleep(MINUTE);
    await w.clock.advance(5 * SECOND);
    assert.equal(w.requests.length - before + 1, requests);
  }
});

test("a session ends within 2 s of its end, although the server has not said so", async () => {
  const w = world();
  w.answers.push(signed({ sessionEndsIn: 300 }), ...Array.from({ length: 4 }, () => answer(401, {})));
  const socket = await w.open();
  await w.clock.advance(301_499);
  assert.deepEqual([status(w), socket.closed], ["open", false]);
  w.answers.push(answer(401, {}));
  await w.clock.advance(1);
  assert.deepEqual([w.chat.state.reason, socket.closed], ["session_ended", true]);
  await w.clock.advance(SECOND);
  assert.deepEqual(w.chat.state, { status: "auth-required", code: "unauthorized" });
});

test("the end of a session is counted from the answer that named it, not from the handshake", async () => {
  const w = world();
  w.answers.push(signed({ sessionEndsIn: 60 }), ...Array.from({ length: 9 }, () => new Error("down")));
  w.chat.connect();
  await settle();
  await w.clock.advance(8 * SECOND);
  await w.socket.accept();
  await w.clock.advance(53_500);
  assert.equal(w.chat.state.reason, "session_ended");
});

test("an attempt that is under way at the end of the session goes on", async () => {
  const { w, old, next } = await rotating();
  await w.clock.advance(9 * SECOND);
  await next.accept();
  w.answers.push(new Promise(() => {}));
  await next.end();
  await w.clock.advance(52_500);
  assert.deepEqual([old.closed, status(w)], [true, "connecting"]);
});

test("evicted, kicked and ended connections are not shown as connected for a moment", async () => {
  for (const code of ["evicted", "replaced", "kicked", "session_ended", "too_slow", "revoked", "signed_out"]) {
    const { w, socket } = await silent(MINUTE);
    await socket.receive({ type: "bye", code });
    assert.deepEqual([["open", "rotating"].includes(status(w)), socket.closed], [false, true], code);
  }
  for (const code of ["not_connected", "session_ended"]) {
    const { w, socket } = await silent(MINUTE);
    await socket.receive({ type: "error", code });
    assert.deepEqual([w.chat.state.reason, socket.closed], [code, true]);
  }
});

test("a user who acts after 30 s of silence learns within 2 s that the server does not answer", async () => {
  const { w, socket } = await silent(29 * SECOND);
  w.chat.userActed();
  assert.equal(socket.pings, 0);
  await w.clock.advance(SECOND);
  w.chat.userActed();
  w.chat.userActed();
  assert.equal(socket.pings, 1);
  await w.clock.advance(1999);
  assert.equal(status(w), "open");
  await w.clock.advance(1);
  assert.equal(status(w), "checking");
  w.chat.userActed();
  assert.equal(socket.pings, 1);
  await w.clock.advance(8 * SECOND);
  assert.deepEqual([socket.closed, w.chat.state.reason], [true, "timeout"]);
});

test("a message that is sent after 30 s of silence asks whether the server is there", async () => {
  const { w, socket } = await silent(30 * SECOND);
  w.chat.send("hi");
  await settle();
  assert.deepEqual([socket.messages.length, socket.pings], [1, 1]);
  await w.clock.advance(2 * SECOND);
  assert.equal(status(w), "checking");
});

test("an answer ends the doubt, and any frame is one", async () => {
  for (const frame of [{ type: "pong" }, message(), { type: "of a later version" }]) {
    const { w, socket } = await silent(MINUTE);
    w.chat.userActed();
    await w.clock.advance(3 * SECOND);
    assert.equal(status(w), "checking");
    await socket.receive(frame);
    assert.deepEqual(shown(w), ["signing", "connecting", "open", "checking", "open"]);
    await w.clock.advance(20 * SECOND);
    assert.equal(status(w), "open");
    w.chat.userActed();
    assert.equal(socket.pings, 1);
  }
});

test("without a connection no ping is sent", async () => {
  const w = world();
  w.chat.userActed();
  w.answers.push(new Error("down"));
  w.chat.connect();
  await settle();
  w.chat.userActed();
  assert.deepEqual([w.requests.length, w.chat.state.status], [1, "waiting"]);
});

test("an acknowledged message makes the next wait short, however soon the connection breaks", async () => {
  const w = world();
  w.chat.connect();
  await settle();
  const waits = [];
  for (let i = 0; i < 4; i++) {
    await w.socket.accept();
    w.chat.send(`message ${i}`);
    await settle();
    if (i !== 1) await w.socket.ack();
    await w.clock.advance(SECOND);
    await w.socket.end();
    waits.push(w.waits.at(-1));
    await w.clock.advance(w.waits.at(-1));
  }
  assert.deepEqual(waits, [250, 500, 250, 250]);
});

test("a time without a connection is a gap, from the last frame to the next handshake", async () => {
  const w = world();
  const socket = await w.open();
  const opened = w.clock.unix();
  assert.deepEqual(w.chat.getSnapshot().gaps, []);
  await w.clock.advance(10 * SECOND);
  await socket.receive(message({ sentAt: 77 }));
  await w.clock.advance(20 * SECOND);
  await socket.end();
  assert.deepEqual(w.chat.getSnapshot().gaps, []);
  await w.clock.advance(250);
  await w.clock.advance(3 * SECOND);
  await w.socket.accept();
  assert.deepEqual(w.chat.getSnapshot().gaps, [{ from: opened + 10 * SECOND, to: opened + 33_250, after: 77 }]);
  await w.socket.receive(message({ sentAt: 99 }));
  await w.clock.advance(60 * MINUTE);
  assert.equal(w.chat.getSnapshot().gaps.length, 1);
});

test("a gap begins with the goodbye, or with a close that the server announced", async () => {
  const ends = [
    (socket) => socket.receive({ type: "bye", code: "session_ended" }),
    (socket) => (socket.onclose({ code: 1001, wasClean: true }), settle()),
  ];
  for (const end of ends) {
    const { w, socket } = await silent(MINUTE);
    const ended = w.clock.unix();
    await end(socket);
    await w.clock.advance(SECOND);
    await w.socket.accept();
    assert.deepEqual(w.chat.getSnapshot().gaps, [{ from: ended, to: ended + SECOND, after: 0 }]);
  }
});

test("a closed client that is connected again by hand has a gap", async () => {
  const { w, socket } = await silent(MINUTE);
  await socket.receive({ type: "bye", code: "evicted" });
  const evicted = w.clock.unix();
  await w.clock.advance(10 * MINUTE);
  w.chat.retryNow();
  await settle();
  await w.socket.accept();
  assert.deepEqual(w.chat.getSnapshot().gaps, [{ from: evicted, to: evicted + 10 * MINUTE, after: 0 }]);
});

test("a rotation makes no gap", async () => {
  for (const goodbye of [undefined, "evicted", "replaced"]) {
    const { w, old, next } = await rotating();
    if (goodbye) await old.receive({ type: "bye", code: goodbye });
    await w.clock.advance(500);
    await next.accept();
    await next.receive({ type: "pong" });
    await w.clock.advance(MINUTE);
    assert.deepEqual([status(w), w.chat.getSnapshot().gaps], ["open", []], goodbye);
  }
});

test("a connection that is opened after the end of the session before it leaves a gap", async () => {
  for (const [opensAfter, gaps] of [
    [18_900, 0],
    [20_500, 1],
  ]) {
    const w = world();
    w.answers.push(signed({ sessionEndsIn: 20 }));
    await w.open();
    await w.clock.advance(opensAfter);
    await w.socket.accept();
    await w.socket.receive({ type: "pong" });
    assert.deepEqual([w.sockets.length, status(w), w.chat.getSnapshot().gaps.length], [2, "open", gaps], opensAfter);
  }
});

test("a connection that ends beside its successor leaves no gap when that was there before", async () => {
  const { w, old, next } = await rotating();
  await next.accept();
  await w.clock.advance(SECOND);
  await old.receive(message());
  await old.end();
  await next.receive({ type: "pong" });
  assert.deepEqual(w.chat.getSnapshot().gaps, []);
});

test("a rotation that fails after the goodbye leaves a gap", async () => {
  const { w, old, next } = await rotating();
  await old.receive({ type: "bye", code: "replaced" });
  const from = w.clock.unix();
  await next.end();
  await w.clock.advance(SECOND);
  await w.socket.accept();
  assert.deepEqual(w.chat.getSnapshot().gaps, [{ from, to: from + SECOND, after: 1000 }]);
});

test("a connection that was in doubt when it was replaced leaves a gap", async () => {
  const { w, old, next } = await rotating();
  w.chat.userActed();
  await w.clock.advance(2 * SECOND);
  await next.accept();
  await next.receive({ type: "pong" });
  const heard = w.clock.unix() - 242 * SECOND;
  assert.deepEqual([old.pings, w.chat.getSnapshot().gaps.map(({ from }) => from)], [1, [heard]]);
});

test("the gaps of another user are not shown", async () => {
  const { w, socket } = await silent(MINUTE);
  const again = async (over) => {
    w.answers.push(signed(over));
    await w.socket.end();
    await w.clock.advance(SECOND);
    await w.socket.accept();
    return w.chat.getSnapshot().gaps.length;
  };
  await socket.receive(message());
  assert.equal(await again(), 1);
  assert.equal(await again({ user: { sub: "carol", name: "Carol" } }), 0);
});

test("a rate limit says until when it holds messages", async () => {
  const w = world({ messagesPerWindow: 1 });
  const socket = await w.open();
  assert.ok(w.chat.getSnapshot().heldUntil <= w.clock.now());
  w.chat.send("one");
  await settle();
  await socket.ack();
  w.chat.send("two");
  await settle();
  assert.equal(w.chat.getSnapshot().heldUntil, w.clock.now() + 10 * SECOND);
  await w.clock.advance(10 * SECOND);
  assert.equal(socket.messages.length, 2);
  await socket.receive({
    type: "error",
    code: "rate_limited",
    message: "…",
    clientId: socket.messages[1].id,
    retryAfterMs: 60_000,
  });
  assert.equal(w.chat.getSnapshot().heldUntil, w.clock.now() + MINUTE);
});

test("where there is no WebSocket the client says so, and asks for no URL", async () => {
  const w = world({ environment: { WebSocket: undefined } });
  w.chat.connect();
  await settle();
  assert.deepEqual([w.chat.state, w.requests.length], [{ status: "closed", code: "no_websocket" }, 0]);
});

test("a client with a SHA-256 of its own needs none of the browser's", async () => {
  const subtle = Object.getOwnPropertyDescriptor(Crypto.prototype, "subtle");
  Object.defineProperty(Crypto.prototype, "subtle", { value: undefined, configurable: true });
  try {
    const w = world();
    await w.open();
    assert.equal(status(w), "open");
  } finally {
    Object.defineProperty(Crypto.prototype, "subtle", subtle);
  }
});

test("a guest's name is sent as the server takes it", async () => {
  for (const [name, sent] of [
    ["\u202eZoë\u2028\t", "Zoë"],
    ["名".repeat(50), "名".repeat(42)],
    ["\u200b", undefined],
  ]) {
    const w = world({ guest: { secret: "s".repeat(43), name } });
    await w.open();
    assert.equal(w.requests[0].body.name, sent);
  }
});
