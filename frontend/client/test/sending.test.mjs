import assert from "node:assert/strict";
import { test } from "node:test";

import { checkText, cleanText, SendError } from "../dist/index.js";
import { answer, message, MINUTE, SECOND, serverId, settle, signed, world } from "./world.mjs";

const outgoing = (w) =>
  w.chat.messages.map(({ text, status, failure }) => (failure ? [text, status, failure] : [text, status]));
const failed = (w) => outgoing(w).filter(([, status]) => status === "failed");

async function sending(text = "hi", options = {}) {
  const w = world(options);
  const socket = await w.open();
  const clientId = w.chat.send(text);
  await settle();
  return { w, socket, clientId };
}

test("a message is pending, sent, and delivered when it is acknowledged", async () => {
  const w = world();
  const clientId = w.chat.send("hi");
  assert.match(clientId, /^[A-Za-z0-9_-]{36}$/);
  assert.notEqual(world().chat.send("hi"), clientId);
  assert.deepEqual(outgoing(w), [["hi", "pending"]]);
  const socket = await w.open();
  assert.deepEqual(outgoing(w), [["hi", "sent"]]);
  assert.deepEqual(socket.sent, [{ action: "sendmessage", message: "hi", room: "lobby", id: clientId }]);
  await socket.ack();
  assert.deepEqual(outgoing(w), [["hi", "delivered"]]);
});

test("a message goes to the room it is for", async () => {
  const w = world();
  const socket = await w.open();
  w.chat.send("hi", "ops");
  await settle();
  assert.equal(socket.messages[0].room, "ops");
  assert.throws(() => w.chat.send("hi", "other"), { code: "room_not_allowed" });
});

test("a message that has come back lets the next one go, and is still awaiting its acknowledgement", async () => {
  const { w, socket, clientId } = await sending("1");
  let time = 0;
  const comeBack = (id) =>
    socket.receive(
      message({
        id: serverId("alice", id),
        from: { sub: "alice", name: "Alice" },
        message: "…",
        sentAt: ++time,
      }),
    );
  const second = w.chat.send("2");
  await settle();
  await comeBack(clientId);
  assert.deepEqual(outgoing(w), [
    ["1", "sent"],
    ["2", "sent"],
  ]);
  await socket.receive({ message: "Internal server error", connectionId: "c", requestId: "r" });
  assert.deepEqual(outgoing(w), [
    ["1", "sent"],
    ["2", "pending"],
  ]);
  await w.clock.advance(250);
  await comeBack(second);
  await socket.receive({ message: "Internal server error", connectionId: "c", requestId: "r" });
  assert.deepEqual(outgoing(w), [
    ["1", "pending"],
    ["2", "sent"],
  ]);
  w.chat.send("3");
  await w.clock.advance(250);
  assert.deepEqual(
    socket.messages.map(({ message }) => message),
    ["1", "2", "2", "3"],
  );
  await socket.ack();
  await w.clock.advance(500);
  assert.deepEqual(
    socket.messages.map(({ message }) => message),
    ["1", "2", "2", "3", "1"],
  );
});

test("one message at a time is under way, in the order of writing", async () => {
  const { w, socket } = await sending("1");
  w.chat.send("2");
  w.chat.send("3");
  await settle();
  assert.deepEqual(outgoing(w), [
    ["1", "sent"],
    ["2", "pending"],
    ["3", "pending"],
  ]);
  await socket.ack();
  await socket.ack();
  await socket.ack();
  assert.deepEqual(
    socket.messages.map(({ message }) => message),
    ["1", "2", "3"],
  );
});

test("after a reconnection a message is sent again under its id", async () => {
  const { w, socket, clientId } = await sending();
  await socket.end();
  assert.deepEqual(outgoing(w), [["hi", "pending"]]);
  await w.clock.advance(SECOND);
  await w.socket.accept();
  assert.equal(w.sockets.length, 2);
  assert.deepEqual(
    w.socket.messages.map(({ id }) => id),
    [clientId],
  );
});

test("a message that was under way when the client was stopped is sent again at once", async () => {
  const { w, clientId } = await sending();
  w.chat.dispose();
  assert.deepEqual(outgoing(w), [["hi", "pending"]]);
  await w.open();
  assert.deepEqual(
    w.socket.messages.map(({ id }) => id),
    [clientId],
  );
});

test("a message is sent when it is known how it will come back", async () => {
  const w = world();
  const socket = await w.open();
  w.chat.send("hi");
  assert.deepEqual([outgoing(w), socket.messages.length], [[["hi", "pending"]], 0]);
  await settle();
  assert.deepEqual([outgoing(w), socket.messages.length], [[["hi", "sent"]], 1]);
});

test("without an acknowledgement a message is sent again, and the connection asked", async () => {
  const { w, socket, clientId } = await sending();
  await w.clock.advance(9999);
  assert.deepEqual([socket.messages.length, socket.pings], [1, 0]);
  await w.clock.advance(1);
  assert.equal(socket.pings, 1);
  await socket.receive({ type: "pong" });
  await w.clock.advance(250);
  assert.deepEqual(
    socket.messages.map(({ id }) => id),
    [clientId, clientId],
  );
});

test("after 5 minutes a message has failed, and can be sent again", async () => {
  const w = world();
  w.answers.push(...Array.from({ length: 100 }, () => new Error("down")));
  w.chat.connect();
  const clientId = w.chat.send("hi");
  await w.clock.advance(5 * MINUTE - 1);
  assert.deepEqual(outgoing(w), [["hi", "pending"]]);
  await w.clock.advance(1);
  assert.deepEqual(outgoing(w), [["hi", "failed", "expired"]]);
  w.answers.length = 0;
  w.chat.retryNow();
  await settle();
  await w.socket.accept();
  assert.equal(w.socket.messages.length, 0);
  w.chat.resend(clientId);
  assert.deepEqual(
    w.socket.messages.map(({ id }) => id),
    [clientId],
  );
  w.chat.resend(clientId);
  assert.equal(w.socket.messages.length, 1);
  await w.socket.ack();
  assert.deepEqual(outgoing(w), [["hi", "delivered"]]);
});

test("a failed message can be discarded", async () => {
  const { w, socket, clientId } = await sending();
  await socket.receive({ type: "error", code: "room_not_allowed", message: "…", clientId });
  w.chat.discard(clientId);
  assert.deepEqual(w.chat.messages, []);
});

test("100 messages may wait", async () => {
  const w = world();
  for (let i = 0; i < 100; i++) w.chat.send(String(i));
  assert.throws(() => w.chat.send("one more"), { name: "SendError", code: "outbox_full" });
  w.chat.discard(w.chat.messages[0].clientId);
  w.chat.send("one more");
});

test("no more messages are sent in 10 s than the server allows", async () => {
  const { w, socket } = await sending("0", { messagesPerWindow: 3 });
  for (let i = 1; i < 7; i++) w.chat.send(String(i));
  await settle();
  for (let i = 0; i < 3; i++) {
    await w.clock.advance(SECOND);
    await socket.ack();
  }
  assert.equal(socket.messages.length, 3);
  await w.clock.advance(7 * SECOND - 1);
  assert.equal(socket.messages.length, 3);
  await w.clock.advance(1);
  assert.equal(socket.messages.length, 4);
});

test("a limited sender waits as long as it is told", async () => {
  const { w, socket, clientId } = await sending();
  w.chat.send("next");
  await socket.receive({ type: "error", code: "rate_limited", message: "…", clientId, retryAfterMs: 4000 });
  await w.clock.advance(3999);
  assert.equal(socket.messages.length, 1);
  await w.clock.advance(1);
  assert.deepEqual(
    socket.messages.map(({ message }) => message),
    ["hi", "hi"],
  );
  await socket.ack();
  assert.equal(socket.messages.at(-1).message, "next");
});

test("a message that some recipients missed is sent again, and other messages do not wait for it", async () => {
  const { w, socket, clientId } = await sending();
  w.chat.send("next");
  await settle();
  await socket.receive({ type: "error", code: "partial_delivery", message: "…", clientId });
  assert.deepEqual(
    socket.messages.map(({ message }) => message),
    ["hi", "next"],
  );
  await socket.ack();
  await w.clock.advance(250);
  assert.deepEqual(
    socket.messages.map(({ id }) => id === clientId),
    [true, false, true],
  );
  await socket.receive({ type: "error", code: "partial_delivery", message: "…", clientId });
  await w.clock.advance(499);
  assert.equal(socket.messages.length, 3);
  await w.clock.advance(1);
  assert.equal(socket.messages.length, 4);
});

test("the gateway's own frame means the oldest message, which is sent again after a wait", async () => {
  for (const text of ["Internal server error", "Forbidden"]) {
    const { w, socket, clientId } = await sending();
    await socket.receive({ message: text, connectionId: "c", requestId: "r" });
    assert.deepEqual(outgoing(w), [["hi", "pending"]]);
    await w.clock.advance(249);
    assert.equal(socket.messages.length, 1);
    await w.clock.advance(1);
    assert.deepEqual(
      socket.messages.map(({ id }) => id),
      [clientId, clientId],
    );
    assert.equal(w.chat.unknownFrames, 0);
  }
});

test("the gateway's own frame with nothing under way is no trouble", async () => {
  const w = world();
  const socket = await w.open();
  await socket.receive({ message: "Internal server error", connectionId: "c", requestId: "r" });
  assert.equal(w.chat.state.status, "open");
});

test("a permanent refusal fails the message with its code", async () => {
  for (const code of ["bad_message", "too_large", "room_not_allowed", "unknown_action", "something_new"]) {
    for (const named of [true, false]) {
      const { w, socket, clientId } = await sending();
      w.chat.send("next");
      await settle();
      await socket.receive({ type: "error", code, message: "…", ...(named && { clientId }) });
      assert.deepEqual(outgoing(w), [
        ["hi", "failed", code],
        ["next", "sent"],
      ]);
      await w.clock.advance(5 * SECOND);
      assert.equal(socket.messages.length, 2);
    }
  }
});

test("a refusal that comes late still counts, but does not revive a failed message", async () => {
  const { w, socket, clientId } = await sending();
  await w.clock.advance(10 * SECOND);
  assert.deepEqual(outgoing(w), [["hi", "pending"]]);
  await socket.receive({ type: "error", code: "bad_message", message: "…", clientId });
  assert.deepEqual(outgoing(w), [["hi", "failed", "bad_message"]]);
  await socket.receive({ type: "error", code: "rate_limited", message: "…", clientId, retryAfterMs: 1 });
  assert.deepEqual(outgoing(w), [["hi", "failed", "bad_message"]]);
});

test("a refusal of something else changes nothing", async () => {
  const { w, socket } = await sending();
  await socket.receive({ type: "error", code: "bad_message", message: "…", clientId: "other" });
  await socket.receive({ type: "ack", id: "X", clientId: "other" }, { type: "ack", id: "X" });
  assert.deepEqual(outgoing(w), [["hi", "sent"]]);
});

test("a connection that the server does not know is replaced, and the message sent there", async () => {
  for (const code of ["not_connected", "session_ended"]) {
    const { w, socket, clientId } = await sending();
    await socket.receive({ type: "error", code, message: "…", clientId });
    assert.deepEqual([w.chat.state.reason, socket.closed], [code, true]);
    await w.clock.advance(SECOND);
    await w.socket.accept();
    assert.deepEqual(
      w.socket.messages.map(({ id }) => id),
      [clientId],
    );
    assert.equal(w.sockets.length, 2);
  }
});

test("a message that the server would refuse is refused before it is sent", async () => {
  const w = world();
  const socket = await w.open();
  const cases = [
    ["", "empty"],
    [" \n\t\u3000", "empty"],
    ["\u0000", "empty"],
    ["\u202e\u2066\u2069", "empty"],
    ["\u0085\u200b\u3164\u2800", "empty"],
    ["\ud83d", "empty"],
    ["a".repeat(2001), "too_large"],
    ["漢".repeat(1400), "too_large"],
    ['漢"'.repeat(1000), "too_large"],
    [`a${"\r\n".repeat(41)}`, "too_many_lines"],
    [`a${"\u2028".repeat(41)}`, "too_many_lines"],
    ["q\u0316\u0317\u0318\u0319\u031c", "bad_characters"],
  ];
  for (const [text, code] of cases) {
    assert.throws(
      () => w.chat.send(text),
      (error) => error instanceof SendError && error.code === code,
      JSON.stringify(text.slice(0, 5)),
    );
  }
  await settle();
  assert.deepEqual([socket.sent, w.chat.messages], [[], []]);
  for (const text of [
    "a".repeat(2000),
    "👩‍👩‍👧",
    "😀".repeat(999) + "aaa",
    "漢".repeat(1300),
    "e\u0301".repeat(2000),
    "שלום",
  ])
    w.chat.send(text);
});

test("the frame is as long as the server reads, and no longer", async () => {
  const w = world();
  w.answers.push(signed({ url: `wss://chat.example/prod?rm=${"r".repeat(32)}` }));
  // The room is not known yet, and may turn out to have a name of 32 letters.
  const fits = (text) => checkText(text) === undefined;
  let text = "漢".repeat(1000);
  while (fits(`${text}漢`)) text += "漢";
  while (fits(`${text}a`)) text += "a";
  w.chat.send(text);
  const socket = await w.open();
  assert.equal(Buffer.byteLength(JSON.stringify(socket.messages[0])), 4096);
  assert.throws(() => w.chat.send(`${text}a`), { code: "too_large" });
});

test("lines, tabs and composed characters are sent as the server wants them", () => {
  assert.equal(cleanText("a\r\nb\rc\td"), "a\nb\nc    d");
  assert.equal(cleanText("e\u0301"), "é");
});

test("messages of one user are neither sent by another user nor shown to them", async () => {
  const { w, socket } = await sending("from alice");
  await socket.ack();
  w.chat.send("more from alice");
  await settle();
  await socket.end();
  w.answers.push(signed({ user: { sub: "mallory", name: "Mallory" } }));
  await w.clock.advance(SECOND);
  await w.socket.accept();
  assert.deepEqual([w.socket.messages, w.chat.messages], [[], []]);
  assert.equal(w.chat.getSnapshot().user.sub, "mallory");
});

test("a guest, whose name is another for each connection, keeps messages and outbox", async () => {
  const w = world();
  w.answers.push(signed({ user: { sub: "guest-1", name: "guest-1" } }));
  const socket = await w.open();
  const back = w.chat.send("came back");
  await settle();
  await socket.receive(
    message({
      id: serverId("guest-1", back),
      from: { sub: "guest-1", name: "guest-1" },
      message: "came back",
      sentAt: 1,
    }),
  );
  const lost = w.chat.send("lost");
  await settle();
  await socket.end();
  w.answers.push(signed({ user: { sub: "guest-2", name: "guest-2" } }));
  await w.clock.advance(SECOND);
  const next = w.socket;
  await next.accept();
  assert.deepEqual(
    next.messages.map(({ id, message }) => ({ id, message })),
    [{ id: lost, message: "lost" }],
  );
  await next.receive(
    message({
      id: serverId("guest-2", lost),
      from: { sub: "guest-2", name: "guest-2" },
      message: "lost",
      sentAt: 2,
    }),
  );
  await next.ack("guest-2");
  assert.deepEqual(
    w.chat.messages.map(({ text, own, status }) => [text, own, status]),
    [
      ["came back", true, "delivered"],
      ["lost", true, "delivered"],
    ],
  );
});

test("messages survive a time without a signed-in user", async () => {
  const { w, socket, clientId } = await sending();
  await socket.end();
  w.answers.push(answer(401, {}));
  await w.clock.advance(SECOND);
  assert.deepEqual([w.chat.state.status, ...outgoing(w)], ["auth-required", ["hi", "pending"]]);
  await w.open();
  assert.deepEqual(
    w.socket.messages.map(({ id }) => id),
    [clientId],
  );
  await w.socket.ack();
  assert.deepEqual(
    w.chat.messages.map(({ id }) => id),
    [serverId("alice", clientId)],
  );
  assert.deepEqual(failed(w), []);
});
