import assert from "node:assert/strict";
import { test } from "node:test";

import { message, SECOND, serverId, settle, world } from "./world.mjs";

const texts = (w) => w.chat.messages.map(({ text }) => text);

test("a message is shown as the server sent it", async () => {
  const w = world();
  const socket = await w.open();
  await socket.receive({
    type: "message",
    id: "M",
    room: "lobby",
    from: { sub: "bob", name: "Bob", admin: true },
    message: "<b>hi</b>",
    sentAt: 5,
    extra: 1,
  });
  assert.deepEqual(w.chat.messages, [
    {
      id: "M",
      room: "lobby",
      from: { sub: "bob", name: "Bob" },
      text: "<b>hi</b>",
      sentAt: 5,
      own: false,
      status: "delivered",
    },
  ]);
});

test("messages are in the order of their time, ties by id", async () => {
  const w = world();
  const socket = await w.open();
  for (const [id, sentAt] of [
    ["C", 20],
    ["B", 10],
    ["A", 20],
    ["D", 15],
    ["B2", 30],
  ])
    await socket.receive(message({ id, sentAt, message: id }));
  assert.deepEqual(texts(w), ["B", "D", "A", "C", "B2"]);
});

test("a message is shown once, and keeps the text and the place that it came with", async () => {
  const w = world();
  const socket = await w.open();
  const send = (i, over = {}) => socket.receive(message({ id: `id${i}`, sentAt: i, message: String(i), ...over }));
  for (let i = 0; i < 1000; i++) await send(i);
  for (const i of [0, 1, 500, 999])
    await send(i, { sentAt: 9000, message: "changed", from: { sub: "mallory", name: "Mallory" } });
  assert.deepEqual(
    texts(w),
    Array.from({ length: 1000 }, (_, i) => String(i)),
  );
  assert.ok(w.chat.messages.every(({ from, sentAt, text }) => from.sub === "bob" && String(sentAt) === text));
});

test("messages of two rooms with one id are two messages", async () => {
  const w = world();
  const socket = await w.open();
  for (const room of ["lobby", "ops", "lobby"]) await socket.receive(message({ id: "M", room, message: room }));
  assert.deepEqual(
    w.chat.messages.map(({ room, text }) => [room, text]),
    [
      ["lobby", "lobby"],
      ["ops", "ops"],
    ],
  );
});

test("an own message keeps its text when another one comes back under its id", async () => {
  for (const ackFirst of [false, true]) {
    const w = world();
    const socket = await w.open();
    const clientId = w.chat.send("mine");
    await settle();
    const echo = (text) =>
      socket.receive(
        message({
          id: serverId("alice", clientId),
          from: { sub: "alice", name: "Alice" },
          message: text,
          sentAt: 2000,
        }),
      );
    if (ackFirst) await socket.ack();
    else await echo("mine");
    await echo("another text");
    if (!ackFirst) await socket.ack();
    await echo("a third one");
    assert.deepEqual(
      w.chat.messages.map(({ text, sentAt }) => [text, sentAt]),
      [["mine", 2000]],
    );
  }
});

test("an echo is known by its acknowledgement when the server derives other ids", async () => {
  for (const ackFirst of [false, true]) {
    const w = world();
    const socket = await w.open();
    const clientId = w.chat.send("mine");
    await settle();
    const ack = () => socket.receive({ type: "ack", id: "OTHER", clientId });
    const echo = () =>
      socket.receive(message({ id: "OTHER", from: { sub: "alice", name: "Alice" }, message: "mine", sentAt: 2000 }));
    for (const step of ackFirst ? [ack, echo] : [echo, ack]) await step();
    const [{ own, status, text, clientId: key }, ...rest] = w.chat.messages;
    assert.deepEqual([own, status, text, key, rest], [true, "delivered", "mine", clientId, []]);
  }
});

test("the same message in another room has another id", async () => {
  const w = world();
  const socket = await w.open();
  const clientId = w.chat.send("hi", "ops");
  await settle();
  await socket.receive(message({ id: serverId("alice", clientId, "lobby"), room: "ops", message: "not mine" }));
  await socket.receive(
    message({
      id: serverId("alice", clientId, "ops"),
      room: "ops",
      from: { sub: "alice", name: "Alice" },
      message: "hi",
      sentAt: 2000,
    }),
  );
  assert.deepEqual(
    w.chat.messages.map(({ text, own, status }) => [text, own, status]),
    [
      ["not mine", false, "delivered"],
      ["hi", true, "sent"],
    ],
  );
});

test("1,000 messages are kept", async () => {
  const w = world();
  const socket = await w.open();
  await socket.receive(...Array.from({ length: 1001 }, (_, i) => message({ sentAt: i, message: String(i) })));
  assert.deepEqual([w.chat.messages.length, w.chat.messages[0].text], [1000, "1"]);
});

test("an own message that comes back replaces the one that waits, before and after its acknowledgement", async () => {
  for (const ackFirst of [false, true]) {
    const w = world();
    const socket = await w.open();
    await socket.receive(message({ message: "first", sentAt: 1000 }));
    const clientId = w.chat.send("mine");
    await settle();
    const id = serverId("alice", clientId);
    const echo = () =>
      socket.receive(message({ id, from: { sub: "alice", name: "Alice" }, message: "mine", sentAt: 2000 }));
    const mine = { id, clientId, room: "lobby", from: { sub: "alice", name: "Alice" }, text: "mine", own: true };
    const [, waiting] = w.chat.messages;
    assert.deepEqual(waiting, { ...mine, status: "sent" });
    await (ackFirst ? socket.ack() : echo());
    assert.deepEqual(
      w.chat.messages[1],
      ackFirst ? { ...mine, status: "delivered", sentAt: 1001 } : { ...mine, status: "sent", sentAt: 2000 },
    );
    await (ackFirst ? echo() : socket.ack());
    assert.deepEqual(texts(w), ["first", "mine"]);
    const { clientId: key, ...rest } = w.chat.messages[1];
    assert.deepEqual(rest, {
      id,
      room: "lobby",
      from: mine.from,
      text: "mine",
      own: true,
      sentAt: 2000,
      status: "delivered",
    });
    assert.equal(key, clientId);
    await echo();
    assert.deepEqual(texts(w), ["first", "mine"]);
  }
});

test("a message that came back and was not acknowledged is still sent again", async () => {
  const w = world();
  const socket = await w.open();
  const clientId = w.chat.send("mine");
  await settle();
  await socket.receive(
    message({ id: serverId("alice", clientId), from: { sub: "alice", name: "Alice" }, message: "mine", sentAt: 2000 }),
  );
  await socket.end();
  await w.clock.advance(SECOND);
  await w.socket.accept();
  assert.deepEqual(
    w.socket.messages.map(({ id }) => id),
    [clientId],
  );
  await w.socket.ack();
  assert.deepEqual(
    w.chat.messages.map(({ text, status }) => [text, status]),
    [["mine", "delivered"]],
  );
});

test("a message from another client of the same user is an own message", async () => {
  const w = world();
  const socket = await w.open();
  await socket.receive(message({ from: { sub: "alice", name: "Alice" } }));
  assert.equal(w.chat.messages[0].own, true);
});

test("unknown frames are counted and do no harm", async () => {
  const w = world();
  const socket = await w.open();
  const good = message();
  const frames = [
    "",
    "hello",
    "null",
    "1",
    "[]",
    "{}",
    '{"type":"typing","who":"bob"}',
    '{"type":null}',
    '{"type":["message"]}',
    '{"requestId":1}',
    ...["id", "room", "from", "message", "sentAt"].map((name) => ({ ...good, [name]: undefined })),
    { ...good, from: null },
    { ...good, from: { sub: "bob" } },
    { ...good, sentAt: "1000" },
    { ...good, sentAt: -1 },
    { ...good, message: { toString: 1 } },
    { type: "ack" },
    { type: "error" },
    { type: "bye", code: 1 },
  ];
  await socket.receive(...frames);
  socket.onmessage({ data: new ArrayBuffer(4) });
  assert.equal(w.chat.unknownFrames, frames.length + 1);
  assert.deepEqual([w.chat.messages, w.chat.state.status], [[], "open"]);
  await socket.receive(good);
  assert.equal(w.chat.messages.length, 1);
});

test("the snapshot is the same object until something changes", async () => {
  const w = world();
  const socket = await w.open();
  const before = w.chat.getSnapshot();
  assert.equal(w.chat.getSnapshot(), before);
  await socket.receive(message());
  const after = w.chat.getSnapshot();
  assert.notEqual(after, before);
  assert.equal(before.messages.length, 0);
  assert.equal(w.chat.messages, after.messages);
  assert.equal(w.chat.state, after.state);
});

test("a listener is not called after it has unsubscribed", async () => {
  const w = world();
  let calls = 0;
  const unsubscribe = w.chat.subscribe(() => calls++);
  await w.open();
  assert.ok(calls > 0);
  unsubscribe();
  calls = 0;
  await w.socket.receive(message());
  assert.equal(calls, 0);
});

test("a connection that was given up is not listened to", async () => {
  const w = world();
  const socket = await w.open();
  w.chat.dispose();
  await socket.receive(message());
  assert.deepEqual(w.chat.messages, []);
});
