import assert from "node:assert/strict";
import { test } from "node:test";

import { newSecret } from "../dist/index.js";
import { answer, SECOND, settle, signed, world } from "./world.mjs";

const instances = (w) => w.requests.map(({ body }) => body.ci);
const badRequest = () => answer(400, { error: "bad_request", message: "unknown member" });

test("a client has one name for all of its connections, and another client has another", async () => {
  const [one, other] = [world(), world()];
  for (const w of [one, other]) {
    await w.open();
    await w.socket.end();
    await w.clock.advance(SECOND);
    w.chat.dispose();
    await w.open();
    assert.equal(new Set(instances(w)).size, 1);
    assert.equal(w.requests.length, 3);
    assert.match(instances(w)[0], /^[A-Za-z0-9_-]{22}$/);
    assert.equal(Buffer.from(instances(w)[0], "base64url").toString("base64url"), instances(w)[0]);
    assert.equal(Buffer.from(instances(w)[0], "base64url").length, 16);
  }
  assert.notEqual(instances(one)[0], instances(other)[0]);
});

test("a function that asks is given the client's name and the guest, too", async () => {
  const requests = [];
  const guest = { secret: newSecret(), name: "Gast" };
  const w = world({
    signUrl: async ({ signal, ...body }) => (requests.push(body), requests.length === 1 ? badRequest() : signed()),
    guest,
  });
  await w.open();
  assert.deepEqual(Object.keys(requests[0]).sort(), ["challenge", "ci", "guest", "name", "rooms"]);
  assert.deepEqual([requests[0].guest, requests[0].name], [guest.secret, "Gast"]);
  assert.match(guest.secret, /^[A-Za-z0-9_-]{43}$/);
  assert.deepEqual(Object.keys(requests[1]).sort(), ["challenge", "rooms"]);
});

test("a server that does not know the new members is asked again without them, and so from then on", async () => {
  const w = world({ guest: { secret: newSecret() } });
  w.answers.push(badRequest());
  await w.open();
  await w.socket.end();
  await w.clock.advance(SECOND);
  assert.deepEqual(
    w.requests.map(({ body }) => Object.keys(body).sort().join()),
    ["challenge,ci,guest", "challenge", "challenge"],
  );
  assert.equal(w.requests[0].body.challenge, w.requests[1].body.challenge);
});

test("a request that is refused again, or for another reason, is not repeated", async () => {
  for (const [response, requests] of [
    [badRequest(), 2],
    [answer(400, { error: "something" }), 1],
    [answer(400, null), 1],
    [answer(413, { error: "bad_request" }), 1],
  ]) {
    const w = world();
    w.answers.push(response, badRequest());
    w.chat.connect();
    await settle();
    assert.equal(w.requests.length, requests);
    assert.equal(w.chat.state.reason, "unavailable");
  }
});

/** A world in which a rotation is under way; the server has not opened the next connection yet. */
async function rotating() {
  const w = world();
  w.answers.push(signed({ sessionEndsIn: 300 }));
  const old = await w.open();
  await w.clock.advance(240 * SECOND);
  return { w, old, next: w.sockets[1] };
}

const shown = (w) => w.states.slice(w.statuses.indexOf("open")).map(({ status }) => status);

test("a client whose connection gives way to its own next one shows connected all the time", async () => {
  const { w, old, next } = await rotating();
  await old.receive({ type: "bye", code: "replaced" });
  await old.end();
  w.chat.send("meanwhile");
  await w.clock.advance(1900);
  assert.deepEqual([old.messages.length, old.closed], [0, true]);
  await next.accept();
  await next.receive({ type: "pong" });
  await w.clock.advance(10 * SECOND);
  assert.ok(
    shown(w).every((status) => status === "open" || status === "rotating"),
    shown(w).join(),
  );
  assert.deepEqual([w.chat.state.status, next.messages.length, w.sockets.length], ["open", 1, 2]);
});

test("connected is shown for at most 2 s after the old connection gave way", async () => {
  const { w, old, next } = await rotating();
  await old.receive({ type: "bye", code: "replaced" });
  await w.clock.advance(1999);
  assert.equal(w.chat.state.status, "rotating");
  await w.clock.advance(1);
  assert.equal(w.chat.state.status, "connecting");
  await next.accept();
  await next.receive({ type: "pong" });
  assert.equal(w.chat.state.status, "open");
});

test("when the replacing attempt fails, the client connects again as after any loss", async () => {
  const { w, old, next } = await rotating();
  await old.receive({ type: "bye", code: "replaced" });
  await next.end();
  assert.deepEqual([w.chat.state.status, w.chat.state.reason], ["waiting", "handshake"]);
  await w.clock.advance(SECOND);
  assert.deepEqual([w.sockets.length, w.chat.state.status], [3, "connecting"]);
  await w.socket.accept();
  assert.equal(w.chat.state.status, "open");
});

test("a connection gives way to one that the server opened and the client had given up: no end, either", async () => {
  const { w, old, next } = await rotating();
  await next.accept();
  w.random = 0.999;
  await w.clock.advance(10 * SECOND); // without an answer the client gives it up, and the server does not know
  assert.deepEqual([next.closed, w.chat.state.status], [true, "open"]);
  await old.receive({ type: "bye", code: "replaced" });
  assert.deepEqual([w.chat.state.status, w.chat.state.reason], ["waiting", "replaced"]);
  await w.clock.advance(2 * SECOND);
  await w.socket.accept();
  assert.equal(w.chat.state.status, "open");
});

test("another connection with the client's name ends it for good", async () => {
  const { w, next } = await rotating();
  await next.accept();
  await next.receive({ type: "pong" });
  await next.receive({ type: "bye", code: "replaced" });
  assert.deepEqual(w.chat.state, { status: "closed", code: "replaced" });
  await w.clock.advance(600 * SECOND);
  assert.deepEqual([w.sockets.length, w.clock.timers], [2, 0]);
});

test("a kicked user waits as long as the server says, and is told why", async () => {
  const w = world();
  const kicked = () => answer(429, { error: "kicked" }, { "Retry-After": "60" });
  w.answers.push(kicked());
  w.chat.connect();
  await settle();
  const { status, reason, retryAt } = w.chat.state;
  assert.deepEqual([status, reason, retryAt - w.clock.now()], ["waiting", "kicked", 60_250]);
  await w.wake();
  await w.clock.advance(60_249);
  assert.equal(w.requests.length, 1);
  await w.clock.advance(1);
  assert.equal(w.requests.length, 2);
});
