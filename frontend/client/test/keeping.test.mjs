import assert from "node:assert/strict";
import { test } from "node:test";

import { answer, message, MINUTE, SECOND, settle, signed, world } from "./world.mjs";

const texts = (w) => w.chat.messages.map(({ text }) => text);

test("after 8.5 to 9 minutes of silence the client pings", async () => {
  for (const [random, silence] of [
    [0, 8.5 * MINUTE],
    [0.5, 8.75 * MINUTE],
    [1 - 1e-9, 9 * MINUTE],
  ]) {
    const w = world();
    w.random = random;
    const socket = await w.open();
    await w.clock.advance(5 * MINUTE);
    await socket.receive(message());
    await w.clock.advance(silence - 1);
    assert.deepEqual(socket.sent, []);
    await w.clock.advance(1);
    assert.deepEqual(socket.sent, [{ action: "ping" }]);
    await socket.receive({ type: "pong" });
    await w.clock.advance(silence - 1);
    assert.equal(socket.pings, 1);
    await w.clock.advance(1);
    assert.equal(socket.pings, 2);
  }
});

test("without an answer to a ping for 10 s the connection is given up", async () => {
  const w = world();
  const socket = await w.open();
  w.chat.retryNow();
  assert.equal(socket.pings, 1);
  await w.clock.advance(1999);
  assert.equal(w.chat.state.status, "open");
  await w.clock.advance(8000);
  assert.deepEqual([w.chat.state.status, socket.closed], ["checking", false]);
  await w.clock.advance(1);
  assert.equal(socket.closed, true);
  assert.equal(w.chat.state.reason, "timeout");
});

test("any frame answers a ping", async () => {
  const w = world();
  const socket = await w.open();
  w.chat.retryNow();
  await socket.receive({ message: "Internal server error", connectionId: "c", requestId: "r" });
  await w.clock.advance(MINUTE);
  assert.equal(w.chat.state.status, "open");
});

test("when the network or the user is back, an open connection is pinged at once", async () => {
  const w = world();
  const socket = await w.open();
  await w.wake();
  await w.wake();
  assert.equal(socket.pings, 1);
  await socket.receive({ type: "pong" });
  await w.wake();
  assert.equal(socket.pings, 2);
});

test("when the network or the user is back, a wait ends and the next one is short", async () => {
  const w = world();
  w.answers.push(...Array.from({ length: 7 }, () => new Error("down")));
  w.chat.connect();
  await w.clock.advance(16 * SECOND);
  assert.equal(w.waits.at(-1), 15_000);
  w.answers.push(new Error("down"));
  await w.wake();
  assert.equal(w.waits.at(-1), 250);
});

test("without a network the client waits for one", async () => {
  const w = world();
  await w.open();
  w.online = false;
  await w.socket.end();
  assert.deepEqual(w.chat.state, { status: "offline" });
  await w.clock.advance(180 * MINUTE);
  assert.equal(w.requests.length, 1);
  w.online = true;
  await w.wake();
  assert.equal(w.chat.state.status, "connecting");
});

test("a page that is told nonsense about the network can be connected by hand", async () => {
  const w = world();
  w.online = false;
  w.answers.push(new Error("down"));
  w.chat.connect();
  await settle();
  assert.equal(w.chat.state.status, "offline");
  w.chat.retryNow();
  await settle();
  await w.socket.accept();
  assert.equal(w.chat.state.status, "open");
});

test("the next connection is opened between 105 and 115 minutes", async () => {
  for (const [random, sessionEndsIn, at] of [
    [0, 7200, 105 * MINUTE],
    [1 - 1e-9, 7200, 115 * MINUTE],
    [0.5, 86_400, 110 * MINUTE],
    [0.5, 600, 9 * MINUTE],
    [0.5, 66, 15_000],
    [0, 8, 7_000],
  ]) {
    const w = world();
    w.random = random;
    w.answers.push(signed({ sessionEndsIn }));
    const socket = await w.open();
    const started = w.clock.now();
    while (w.requests.length < 2) {
      await w.clock.advance(SECOND);
      if (socket.pings) await socket.receive({ type: "pong" });
    }
    assert.ok(Math.abs(w.clock.now() - started - at) <= SECOND, `${w.clock.now() - started} ms of ${at}`);
  }
});

/** A world in which the rotation has begun. */
async function rotating() {
  const w = world();
  w.random = 0.5;
  const old = await w.open();
  while (w.sockets.length < 2) {
    await w.clock.advance(MINUTE);
    await old.receive({ type: "pong" });
  }
  return { w, old, next: w.sockets[1] };
}

test("a goodbye is no proof of the next connection: the present one stays", async () => {
  const { w, old, next } = await rotating();
  await next.accept();
  await next.receive({ type: "bye", code: "evicted" });
  assert.deepEqual([next.closed, old.closed, w.chat.state.status], [true, false, "open"]);
  await w.clock.advance(SECOND);
  await w.socket.accept();
  await w.socket.receive({ type: "pong" });
  assert.deepEqual([w.sockets.length, w.chat.state.status], [3, "open"]);
});

test("rotation makes before it breaks", async () => {
  const { w, old, next } = await rotating();
  assert.equal(w.chat.state.status, "rotating");
  w.chat.send("before");
  await settle();
  await next.accept();
  assert.deepEqual([w.chat.state.status, next.sent], ["rotating", [{ action: "ping" }]]);
  assert.equal(old.messages.length, 1);
  await old.ack();
  await next.receive({ type: "pong" });
  assert.equal(w.chat.state.status, "open");
  w.chat.send("after");
  await settle();
  assert.deepEqual([old.messages.length, next.messages.length], [1, 1]);

  const late = message({ message: "late" });
  assert.equal(old.closed, false);
  await old.receive(late);
  await next.receive(late);
  assert.deepEqual(
    texts(w).filter((text) => text === "late"),
    ["late"],
  );
  await w.clock.advance(5 * SECOND);
  assert.equal(old.closed, true);
  assert.equal(w.chat.state.status, "open");
});

test("an acknowledgement may come by the connection that was replaced", async () => {
  const { w, old, next } = await rotating();
  w.chat.send("hi");
  await settle();
  await next.accept();
  await next.receive({ type: "pong" });
  await old.ack();
  assert.deepEqual(
    w.chat.messages.map(({ text, status }) => [text, status]),
    [["hi", "delivered"]],
  );
  await w.clock.advance(MINUTE);
  assert.equal(next.messages.length, 0);
});

test("a bye to the replaced connection does not concern the new one", async () => {
  for (const frame of [
    { type: "bye", code: "evicted" },
    { type: "bye", code: "session_ended" },
    { type: "error", code: "not_connected" },
  ]) {
    const { w, old, next } = await rotating();
    await next.accept();
    await next.receive({ type: "pong" });
    await old.receive(frame);
    await old.end();
    assert.deepEqual([w.chat.state.status, next.closed, w.sockets.length], ["open", false, 2]);
  }
});

test("a rotation that fails is tried again while the connection works", async () => {
  const { w, old, next } = await rotating();
  await next.accept();
  await w.clock.advance(10 * SECOND);
  assert.deepEqual([w.chat.state.status, next.closed, old.closed], ["open", true, false]);
  await w.clock.advance(SECOND);
  assert.equal(w.sockets.length, 3);
  await w.sockets[2].accept();
  await w.sockets[2].receive({ type: "pong" });
  assert.equal(w.chat.state.status, "open");
});

test("a connection that ends during its rotation is replaced by the one on its way", async () => {
  const { w, old, next } = await rotating();
  await old.end();
  assert.equal(w.chat.state.status, "connecting");
  await next.accept();
  await next.receive({ type: "pong" });
  assert.deepEqual([w.chat.state.status, w.sockets.length], ["open", 2]);
});

test("a user with one connection evicts the old one by the rotation", async () => {
  const { w, old, next } = await rotating();
  await old.receive({ type: "bye", code: "evicted" });
  assert.equal(w.chat.state.status, "connecting");
  await next.accept();
  await next.receive({ type: "pong" });
  assert.equal(w.chat.state.status, "open");
});

test("a user with an expired token stays until the session ends", async () => {
  const w = world();
  const socket = await w.open();
  w.answers.push(answer(401, {}));
  while (w.requests.length < 2) {
    await w.clock.advance(MINUTE);
    await socket.receive({ type: "pong" });
  }
  assert.deepEqual([w.chat.state.status, w.authRequired], ["open", ["unauthorized"]]);
  w.answers.push(answer(401, {}));
  await socket.receive({ type: "bye", code: "session_ended" });
  await w.clock.advance(SECOND);
  assert.equal(w.chat.state.status, "auth-required");
});

/** The times, in seconds since the first connection, at which the sign URL was asked. */
async function requestTimes(w, seconds, each) {
  const times = [];
  for (let second = 1; second <= seconds; second++) {
    const before = w.requests.length;
    await w.clock.advance(SECOND);
    await each?.(second);
    if (w.requests.length > before) times.push(second);
  }
  return times;
}

test("a session that another connection would not prolong keeps it, and asks every 15 s at its end", async () => {
  const w = world();
  w.answers.push(...[300, 60, 45, 30, 15].map((sessionEndsIn) => signed({ sessionEndsIn })));
  const socket = await w.open();
  assert.deepEqual(await requestTimes(w, 299), [240, 255, 270, 285]);
  assert.deepEqual([w.sockets.length, socket.closed, w.chat.state.status], [1, false, "open"]);
});

test("a session with a fixed end is asked for once by the plan, and then in its last minute", async () => {
  const w = world();
  const ends = 7200;
  w.answers.push(
    signed({ sessionEndsIn: ends }),
    ...[600, 60, 45, 30, 15].map((sessionEndsIn) => signed({ sessionEndsIn })),
  );
  const socket = await w.open();
  const times = await requestTimes(
    w,
    ends - 1,
    async (second) => second % 60 || (await socket.receive({ type: "pong" })),
  );
  assert.deepEqual([times, w.sockets.length], [[6600, 7140, 7155, 7170, 7185], 1]);
});

test("a fresh token in the last minute prolongs the session", async () => {
  const w = world();
  w.answers.push(
    signed({ sessionEndsIn: 300 }),
    signed({ sessionEndsIn: 60 }),
    answer(401, {}),
    signed({ sessionEndsIn: 7200 }),
  );
  const old = await w.open();
  assert.deepEqual(await requestTimes(w, 271), [240, 255, 270]);
  assert.deepEqual([w.authRequired, w.sockets.length, w.chat.state.status], [["unauthorized"], 2, "rotating"]);
  await w.socket.accept();
  await w.socket.receive({ type: "pong" });
  await w.clock.advance(60 * SECOND);
  assert.deepEqual([w.chat.state.status, old.closed, w.socket.closed, w.requests.length], ["open", true, false, 4]);
});

test("the end of a connection after two hours is not the end of its session", async () => {
  const w = world();
  w.answers.push(signed({ sessionEndsIn: 8 * 3600 }), signed({ sessionEndsIn: 6 * 3600 }));
  const socket = await w.open();
  await requestTimes(w, 110 * 60, async (second) => second % 60 || (await socket.receive({ type: "pong" })));
  assert.equal(w.sockets.length, 2);
});

test("rotations in quick succession leave no socket behind", async () => {
  const w = world();
  w.answers.push(...Array.from({ length: 4 }, () => signed({ sessionEndsIn: 3 })));
  await w.open();
  for (let i = 1; i < 4; i++) {
    await w.clock.advance(2750);
    await w.sockets[i].accept();
    await w.sockets[i].receive({ type: "pong" });
  }
  await w.clock.advance(0);
  assert.deepEqual(
    w.sockets.map(({ closed }) => closed),
    [true, true, false, false],
  );
});

test("after the end of a session a new one begins", async () => {
  const w = world();
  const socket = await w.open();
  await w.clock.advance(10 * SECOND);
  await socket.receive({ type: "bye", code: "session_ended" });
  assert.deepEqual([w.chat.state.reason, socket.closed], ["session_ended", true]);
  await w.clock.advance(250);
  await w.socket.accept();
  assert.deepEqual([w.chat.state.status, w.sockets.length], ["open", 2]);
});

test("a dismissed client does not reconnect by itself", async () => {
  for (const [code, status] of [
    ["evicted", "closed"],
    ["kicked", "closed"],
    ["replaced", "closed"],
    ["something_new", "closed"],
    ["revoked", "auth-required"],
    ["signed_out", "auth-required"],
  ]) {
    const w = world();
    const socket = await w.open();
    await socket.receive({ type: "bye", code });
    assert.deepEqual(w.chat.state, { status, code });
    assert.deepEqual(w.authRequired, status === "auth-required" ? [code] : []);
    await socket.end();
    await w.wake();
    await w.clock.advance(150 * MINUTE);
    assert.deepEqual([w.requests.length, w.clock.timers], [1, 0], code);
    w.chat.retryNow();
    await settle();
    await w.socket.accept();
    assert.equal(w.chat.state.status, "open");
  }
});

test("a user who was revoked or signed out stays out during a rotation, too", async () => {
  for (const code of ["revoked", "signed_out"]) {
    const { w, old, next } = await rotating();
    await old.receive({ type: "bye", code });
    assert.deepEqual([w.chat.state.status, next.closed, old.closed], ["auth-required", true, true]);
  }
});

test("a revocation that the sign URL tells of ends the connection that is there", async () => {
  const w = world();
  w.answers.push(signed({ sessionEndsIn: 300 }), answer(401, { error: "revoked" }));
  const socket = await w.open();
  await w.clock.advance(240 * SECOND);
  assert.deepEqual([w.chat.state, socket.closed], [{ status: "auth-required", code: "revoked" }, true]);
});

test("a connection that was too slow is opened again", async () => {
  const w = world();
  const socket = await w.open();
  await socket.receive({ type: "bye", code: "too_slow" });
  assert.deepEqual([w.chat.state.reason, socket.closed], ["too_slow", true]);
  await w.clock.advance(SECOND);
  assert.equal(w.sockets.length, 2);
});
