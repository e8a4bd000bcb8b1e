// The client with a server that remembers.
import assert from "node:assert/strict";
import { test } from "node:test";

import { parseFrame } from "../dist/frames.js";
import { answer, message, MINUTE, SECOND, serverId, settle, signed, world } from "./world.mjs";

const texts = (w) => w.chat.messages.map(({ text }) => text);
const outgoing = (w) =>
  w.chat.messages.flatMap(({ text, status, failure, own }) =>
    own ? [[text, status, ...(failure ? [failure] : [])]] : [],
  );

/** An entry of the log, as an answer has it. */
const entry = (seq, over = {}) => ({
  seq,
  id: `E${seq}`,
  from: { sub: "bob", name: "Bob" },
  message: `text ${seq}`,
  sentAt: 1000 + seq,
  ...over,
});
const entries = (from, to) => Array.from({ length: to - from + 1 }, (_, i) => entry(from + i));

/** An own message in the log. */
const mine = (seq, clientId, text, over = {}) =>
  entry(seq, { id: serverId("alice", clientId), from: { sub: "alice", name: "Alice" }, message: text, ...over });

const pushed = (entry) => ({ type: "message", room: "lobby", ...entry });

const one = () => signed({ url: "wss://chat.example/prod?v=1&rm=lobby&X-Amz-Signature=0" });

/** A client in one room, with a server that remembers. It has the messages from 11 to 20. */
async function remembering(options = {}) {
  const w = world({ protocol: "chat.v2", ...options });
  w.answers.push(...Array.from({ length: 20 }, one));
  const socket = await w.open();
  await socket.history("lobby", { entries: entries(11, 20), more: true });
  return { w, socket };
}

/** Ends the connection, and opens the next one. */
async function reconnect(w) {
  await w.socket.end();
  await w.clock.advance(SECOND);
  await w.socket.accept();
  return w.socket;
}

test("the client offers both versions, and without history the first one only", async () => {
  for (const [history, protocols] of [
    [undefined, ["chat.v2", "chat.v1"]],
    [20, ["chat.v2", "chat.v1"]],
    [false, ["chat.v1"]],
  ]) {
    const w = world({ history });
    const socket = await w.open();
    assert.deepEqual(socket.protocols.slice(0, -1), protocols);
    assert.match(socket.protocols.at(-1), /^pop\./);
  }
});

test("a server of the first version is sent nothing new, also when its frames have numbers", async () => {
  const w = world();
  const socket = await w.open();
  await socket.receive(message({ seq: 5, sentAt: 2 }), message({ seq: 9, sentAt: 1 }));
  w.chat.send("hi");
  await settle();
  await socket.ack("alice", { seq: 10 });
  w.chat.loadOlder("lobby");
  await w.clock.advance(MINUTE);
  await w.wake();
  assert.deepEqual(socket.questions, []);
  assert.deepEqual(Object.keys(socket.messages[0]), ["action", "message", "room", "id"]);
  assert.deepEqual([outgoing(w), w.chat.getSnapshot().roomStates], [[["hi", "delivered"]], {}]);
  assert.deepEqual(
    w.chat.messages.map(({ seq }) => seq),
    [undefined, undefined, undefined],
  );
  const later = await reconnect(w);
  assert.deepEqual([later.sent, w.chat.getSnapshot().gaps.length], [[], 1]);
});

test("the first question asks for the last messages of every room, in one frame", async () => {
  const many = await world({ protocol: "chat.v2", history: 1000 }).open();
  assert.deepEqual(many.questions, [{ lobby: { last: 100 }, ops: { last: 100 } }]);
  const w = world({ protocol: "chat.v2", history: 30 });
  const socket = await w.open();
  assert.deepEqual(socket.questions, [{ lobby: { last: 30 }, ops: { last: 30 } }]);
  assert.deepEqual(w.chat.getSnapshot().roomStates.lobby.status, "opening");
  await socket.history("ops", { entries: entries(1, 2) });
  await socket.history("lobby", { entries: entries(11, 13), more: true });
  const { roomStates, gaps } = w.chat.getSnapshot();
  assert.deepEqual(roomStates, {
    lobby: { status: "live", more: true, gaps: [], keepDays: 7, read: 0, unread: 13 },
    ops: { status: "live", more: false, gaps: [], keepDays: 7, read: 0, unread: 2 },
  });
  assert.deepEqual(gaps, []);
  assert.deepEqual(
    w.chat.messages.map(({ room, seq }) => `${room} ${seq}`),
    ["ops 1", "ops 2", "lobby 11", "lobby 12", "lobby 13"],
  );
});

test("messages stand in the order of their numbers, whatever their times", async () => {
  const { w, socket } = await remembering();
  await socket.receive(pushed(entry(22, { sentAt: 5 })), pushed(entry(21, { sentAt: 9000 })), pushed(entry(22)));
  assert.deepEqual(texts(w).slice(-3), ["text 20", "text 21", "text 22"]);
  assert.deepEqual(w.chat.messages.at(-1).seq, 22);
});

test("a message that was missed is asked for, and shown in its place", async () => {
  const { w, socket } = await remembering();
  await socket.receive(pushed(entry(22)));
  assert.equal(texts(w).at(-1), "text 20");
  await w.clock.advance(250);
  assert.equal(texts(w).at(-1), "text 22");
  await w.clock.advance(550);
  assert.deepEqual(socket.questions.slice(1), [{ lobby: { after: 20 } }]);
  await socket.history("lobby", { entries: entries(21, 22) });
  assert.deepEqual(texts(w).slice(-2), ["text 21", "text 22"]);
});

test("after a reconnection the client asks for what it missed, and shows no gap", async () => {
  const { w } = await remembering();
  const socket = await reconnect(w);
  assert.deepEqual(socket.questions, [{ lobby: { after: 20 } }]);
  assert.equal(w.chat.getSnapshot().roomStates.lobby.status, "catching-up");
  await socket.receive(pushed(entry(23)));
  await socket.history("lobby", { entries: entries(21, 22), head: 23 });
  assert.deepEqual(texts(w).slice(-3), ["text 21", "text 22", "text 23"]);
  assert.deepEqual([w.chat.getSnapshot().roomStates.lobby.status, w.chat.getSnapshot().gaps], ["live", []]);
});

test("older messages are loaded on demand, one page at a time", async () => {
  const { w, socket } = await remembering({ history: 10 });
  w.chat.loadOlder("lobby");
  w.chat.loadOlder("lobby");
  assert.deepEqual(socket.questions.slice(1), [{ lobby: { before: 11, limit: 10 } }]);
  await socket.history("lobby", { entries: entries(1, 10), more: false });
  assert.deepEqual([texts(w)[0], w.chat.getSnapshot().roomStates.lobby.more], ["text 1", false]);
  w.chat.loadOlder("lobby");
  assert.equal(socket.questions.length, 2);
});

test("after a silence, and when the page is back, the client asks what is new in place of a ping", async () => {
  const { w, socket } = await remembering();
  await w.clock.advance(8.75 * MINUTE - 1);
  assert.equal(socket.questions.length, 1);
  await w.clock.advance(1);
  assert.deepEqual([socket.questions.slice(1), socket.pings], [[{ lobby: { after: 20 } }], 0]);
  await socket.synced({ lobby: 20 });
  await w.wake();
  assert.deepEqual([socket.questions.slice(2), socket.pings], [[{ lobby: { after: 20 } }], 0]);
  await socket.history("lobby", { entries: entries(21, 21) });
  assert.equal(texts(w).at(-1), "text 21");
  await w.clock.advance(MINUTE);
  assert.equal(w.chat.state.status, "open");
});

test("a question without an answer is a doubt after 2 s, and after 10 s the end of the connection", async () => {
  const { w, socket } = await remembering();
  await w.wake();
  await w.clock.advance(2 * SECOND);
  assert.equal(w.chat.state.status, "checking");
  await w.clock.advance(8 * SECOND);
  assert.deepEqual([socket.closed, w.chat.state.reason], [true, "timeout"]);
});

test("while pings are answered a question without an answer is asked again, and the connection stays", async () => {
  const { w } = await remembering();
  const socket = await reconnect(w);
  for (let second = 0; second < 40; second++) {
    const { pings } = socket;
    await w.clock.advance(SECOND);
    if (socket.pings > pings) await socket.receive({ type: "pong" });
  }
  assert.deepEqual([w.chat.state.status, socket.pings, socket.questions.length], ["open", 2, 3]);
  await socket.history("lobby", { entries: entries(21, 21) });
  assert.equal(w.chat.getSnapshot().roomStates.lobby.status, "live");
});

/** A client in two rooms that have no messages, and an hour in which `busy` rooms get one each minute. */
async function hour(busy) {
  const w = world({ protocol: "chat.v2" });
  const socket = await w.open();
  for (const room of ["lobby", "ops"]) await socket.history(room);
  for (let minute = 1; minute <= 60; minute++) {
    const before = socket.questions.length;
    for (let passed = 0; passed < MINUTE; passed += SECOND) {
      await w.clock.advance(SECOND);
      await socket.synced({ lobby: 0, ops: 0 });
    }
    for (const room of busy) await socket.receive({ ...pushed(entry(minute)), room });
    assert.ok(socket.questions.length <= before + 1, "one frame is enough");
  }
  return { w, socket, asked: socket.questions.slice(1) };
}

test("a busy room does not put off the question whether a quiet one has lost its last message", async () => {
  const { w, socket, asked } = await hour(["ops"]);
  assert.deepEqual([asked, socket.pings], [Array(6).fill({ lobby: { after: 0 } }), 0]);
  await w.clock.advance(3 * MINUTE);
  await socket.history("lobby", { entries: entries(1, 1) });
  assert.equal(texts(w).includes("text 1"), true);
});

test("quiet rooms ask together, and a frame for all of them takes the place of the ping", async () => {
  const { socket, asked } = await hour([]);
  assert.deepEqual([asked, socket.pings], [Array(6).fill({ lobby: { after: 0 }, ops: { after: 0 } }), 0]);
});

test("rooms that fell silent at different times ask together from the second question on", async () => {
  const w = world({ protocol: "chat.v2" });
  const socket = await w.open();
  for (const room of ["lobby", "ops"]) await socket.history(room);
  await w.clock.advance(4 * MINUTE);
  await socket.receive({ ...pushed(entry(1)), room: "ops" });
  for (let second = 0; second < 40 * 60; second++) {
    await w.clock.advance(SECOND);
    await socket.synced({ lobby: 0, ops: 1 });
  }
  const both = { lobby: { after: 0 }, ops: { after: 1 } };
  assert.deepEqual(socket.questions.slice(2), Array(4).fill(both));
});

test("a question of a quiet room proves the connection like a ping", async () => {
  const { w, socket } = await remembering();
  for (let minute = 0; minute < 9; minute++) {
    await socket.receive({ ...pushed(entry(minute + 1)), room: "ops" });
    await w.clock.advance(MINUTE - 15 * SECOND);
    if (minute === 8) break;
    await w.clock.advance(15 * SECOND);
  }
  assert.deepEqual([socket.questions.at(-1), socket.pings], [{ lobby: { after: 20 } }, 0]);
  await w.clock.advance(2 * SECOND);
  assert.deepEqual([w.chat.state.status, socket.pings], ["checking", 1]);
});

test("a user who acts, and a message without an answer, ask with a ping", async () => {
  const { w, socket } = await remembering();
  await w.clock.advance(MINUTE);
  w.chat.userActed();
  assert.deepEqual([socket.pings, socket.questions.length], [1, 1]);
});

test("a server that cannot answer questions, but answers pings, keeps its connections", async () => {
  const { w, socket } = await remembering();
  await w.wake();
  await w.clock.advance(2 * SECOND);
  assert.deepEqual([w.chat.state.status, socket.questions.length, socket.pings], ["checking", 2, 1]);
  await socket.receive({ type: "pong" });
  await w.clock.advance(9 * SECOND);
  assert.deepEqual([w.chat.state.status, socket.closed, socket.pings], ["open", false, 2]);
});

test("the pings of a user who acts do not put off the question what is new", async () => {
  const { w, socket } = await remembering();
  for (let minute = 0; minute < 9; minute++) {
    await w.clock.advance(MINUTE - 1);
    w.chat.userActed();
    await socket.receive({ type: "pong" });
    await w.clock.advance(1);
  }
  assert.deepEqual([socket.questions.slice(1), socket.pings], [[{ lobby: { after: 20 } }], 9]);
});

/** Lets the hours of a quiet connection pass. Rooms ask by themselves, and are answered within a second. */
async function untilRotation(w, old, heads) {
  while (w.sockets.length < 2) {
    await w.clock.advance(SECOND);
    await old.synced(heads);
  }
  assert.equal(old.closed, false);
}

test("a user who has lost a room is not asked about it on the next connection", async () => {
  const w = world({ protocol: "chat.v2" });
  const old = await w.open();
  await old.history("lobby", { entries: entries(11, 20) });
  await old.history("ops");
  w.answers.push(one());
  await untilRotation(w, old, { lobby: 20, ops: 0 });
  await w.socket.accept();
  assert.deepEqual(w.socket.questions, [{ lobby: { after: 20 } }]);
});

/** A client that is replacing its connection. */
async function rotating() {
  const { w, socket: old } = await remembering();
  await untilRotation(w, old, { lobby: 20 });
  return { w, old, next: w.socket };
}

test("the first answer on the next connection proves it, and nothing is asked twice", async () => {
  const { w, old, next } = await rotating();
  await next.accept();
  assert.deepEqual([next.questions, next.pings, w.chat.state.status], [[{ lobby: { after: 20 } }], 0, "rotating"]);
  await next.synced({ lobby: 20 });
  assert.deepEqual([w.chat.state.status, next.questions.length], ["open", 1]);
  assert.equal(w.chat.getSnapshot().roomStates.lobby.status, "live");
  await old.receive(pushed(entry(21)));
  await next.receive(pushed(entry(22)));
  assert.deepEqual(texts(w).slice(-2), ["text 21", "text 22"]);
  await w.clock.advance(5 * SECOND);
  assert.equal(old.closed, true);
});

test("a message is sent with the number up to which it is not in the log", async () => {
  const { w, socket } = await remembering();
  const clientId = w.chat.send("hi");
  await settle();
  assert.equal(socket.messages[0].after, 20);
  await socket.receive(pushed(entry(21)), pushed(mine(22, clientId, "hi")));
  assert.deepEqual(outgoing(w), [["hi", "delivered"]]);
  assert.equal(w.chat.messages.at(-1).clientId, clientId);
  await socket.ack("alice", { seq: 22 });
  w.chat.send("more");
  await settle();
  assert.deepEqual([socket.messages[1].after, texts(w).slice(-3)], [22, ["text 21", "hi", "more"]]);
});

test("a very long message is sent without that number", async () => {
  const { w, socket } = await remembering();
  const frame = (text) => Buffer.byteLength(JSON.stringify({ ...socket.messages[0], message: text, after: undefined }));
  w.chat.send("a");
  await settle();
  await socket.ack("alice", { seq: 21 });
  const text = "漢".repeat(Math.floor((4096 - frame("")) / 3));
  w.chat.send(text);
  await w.clock.advance(SECOND);
  assert.deepEqual([socket.messages[1].message, socket.messages[1].after], [text, undefined]);
});

test("a message waits until its room is up to date, and what the log has is not sent again", async () => {
  const { w, socket } = await remembering();
  const [said, lost] = [w.chat.send("said"), w.chat.send("lost")];
  await settle();
  await socket.receive(pushed(entry(21)));
  const next = await reconnect(w);
  await w.clock.advance(SECOND);
  assert.deepEqual(next.messages, []);
  await next.history("lobby", { entries: [mine(22, said, "said"), entry(23)] });
  assert.deepEqual(
    next.messages.map(({ id, after }) => [id, after]),
    [[lost, 23]],
  );
  assert.deepEqual(outgoing(w), [
    ["said", "delivered"],
    ["lost", "sent"],
  ]);
});

test("a resend names what was seen since the first attempt, and a jump does not raise it", async () => {
  const { w, socket } = await remembering();
  w.chat.send("hi");
  await settle();
  await socket.receive(pushed(entry(21)));
  await w.clock.advance(10 * SECOND);
  await socket.receive({ type: "pong" });
  await w.clock.advance(250);
  assert.deepEqual(
    socket.messages.map(({ after }) => after),
    [20, 21],
  );
  const next = await reconnect(w);
  await next.history("lobby", { entries: entries(22, 30), head: 1000, more: true });
  assert.deepEqual(next.questions.at(-1), { lobby: { last: 50 } });
  await next.history("lobby", { entries: entries(951, 1000), more: true });
  assert.deepEqual(
    next.messages.map(({ after }) => after),
    [30],
  );
  assert.deepEqual(w.chat.getSnapshot().roomStates.lobby.gaps, ["E951"]);
});

/** A client whose message may be in a part of the log that it has not read. */
async function far() {
  const { w } = await remembering();
  const clientId = w.chat.send("hi");
  await settle();
  const socket = await reconnect(w);
  await socket.history("lobby", { entries: entries(21, 30), head: 1000, more: true });
  await socket.history("lobby", { entries: entries(951, 1000), more: true });
  await socket.receive({ type: "error", code: "far_behind", message: "…", clientId });
  assert.deepEqual(socket.questions.at(-1), { lobby: { after: 30 } });
  return { w, socket, clientId };
}

test("a message that is too far behind for the server is looked for page by page, and found", async () => {
  const { w, socket, clientId } = await far();
  await socket.history("lobby", { entries: entries(31, 100), head: 1000, more: true });
  assert.deepEqual(socket.questions.at(-1), { lobby: { after: 100 } });
  await socket.history("lobby", { entries: [entry(101), mine(102, clientId, "hi")], head: 1000, more: true });
  assert.deepEqual(outgoing(w), [["hi", "delivered"]]);
  await w.clock.advance(MINUTE);
  assert.equal(socket.messages.length, 1);
});

test("a message that was looked for and not found is sent again", async () => {
  const { w, socket, clientId } = await far();
  await socket.history("lobby", { entries: entries(31, 980), head: 1000, more: true });
  assert.deepEqual(
    socket.messages.map(({ id, after }) => [id, after]),
    [
      [clientId, 30],
      [clientId, 1000],
    ],
  );
  assert.deepEqual(w.chat.getSnapshot().roomStates.lobby.gaps, []);
});

test("when the log has not kept everything, it is not known whether the message was sent", async () => {
  const { w, socket, clientId } = await far();
  await socket.history("lobby", { entries: entries(500, 600), head: 1000, complete: false, more: true });
  assert.deepEqual([outgoing(w), socket.messages.length], [[["hi", "failed", "unknown"]], 1]);
  w.chat.resend(clientId);
  await settle();
  assert.deepEqual([outgoing(w), socket.messages[1].after], [[["hi", "sent"]], 1000]);
  const other = await far();
  await other.socket.history("lobby", { entries: entries(500, 600), head: 1000, complete: false, more: true });
  other.w.chat.discard(other.clientId);
  assert.deepEqual(outgoing(other.w), []);
});

test("a message that was sent before the room had a number cannot be looked for", async () => {
  const w = world({ protocol: "chat.v2" });
  w.answers.push(one());
  const socket = await w.open();
  const clientId = w.chat.send("hi");
  for (let second = 0; second < 30; second++) {
    await w.clock.advance(SECOND);
    await socket.receive({ type: "pong" });
  }
  assert.equal(socket.messages[0].after, undefined);
  await socket.receive({ type: "error", code: "far_behind", message: "…", clientId });
  assert.deepEqual(outgoing(w), [["hi", "failed", "unknown"]]);
});

test("a message that is still looked for after 5 minutes may have been sent", async () => {
  const { w, socket } = await far();
  for (let minute = 0; minute < 5; minute++) {
    await w.clock.advance(MINUTE - 5000);
    await socket.receive({ type: "pong" });
    await w.clock.advance(5000);
    await socket.receive({ type: "pong" });
  }
  assert.deepEqual(outgoing(w)[0].at(-1), "unknown");
});

test("a log that is another one takes the floors of the messages with it", async () => {
  const { w } = await remembering();
  w.chat.send("hi");
  await settle();
  const socket = await reconnect(w);
  await socket.history("lobby", { head: 10 });
  assert.deepEqual([socket.questions.at(-1), socket.messages], [{ lobby: { last: 50 } }, []]);
  await socket.history("lobby", { entries: entries(5, 10) });
  assert.deepEqual(
    socket.messages.map(({ after }) => after),
    [undefined],
  );
});

test("an acknowledged message that does not come back keeps its place at the end until the log has it", async () => {
  const { w, socket } = await remembering();
  const clientId = w.chat.send("hi");
  await settle();
  await socket.ack("alice", { seq: 22 });
  assert.deepEqual(outgoing(w), [["hi", "delivered"]]);
  await w.clock.advance(800);
  assert.deepEqual(socket.questions.at(-1), { lobby: { after: 20 } });
  await socket.history("lobby", { entries: [entry(21), mine(22, clientId, "hi")] });
  assert.deepEqual(texts(w).slice(-2), ["text 21", "hi"]);
  assert.equal(w.chat.messages.at(-1).clientId, clientId);
  await w.clock.advance(5 * MINUTE);
  assert.equal(socket.messages.length, 1);
});

test("a message of one's own whose place was deleted is not sent again", async () => {
  const { w } = await remembering();
  const clientId = w.chat.send("hi");
  await settle();
  const socket = await reconnect(w);
  await socket.history("lobby", { entries: [{ seq: 21, id: serverId("alice", clientId), deleted: true }] });
  assert.deepEqual([socket.messages, outgoing(w)], [[], [["", "delivered"]]]);
  const { deleted, from } = w.chat.messages.at(-1);
  assert.deepEqual([deleted, from.sub], [true, "alice"]);
});

test("an entry that is no message has a number, and leaves no gap", async () => {
  const { w, socket } = await remembering();
  await socket.receive({
    type: "deleted",
    room: "lobby",
    seq: 21,
    of: 15,
    from: { sub: "bob", name: "Bob" },
    sentAt: 1,
  });
  await socket.receive(pushed(entry(22)));
  await w.clock.advance(MINUTE);
  assert.deepEqual([texts(w).at(-1), socket.questions.length], ["text 22", 1]);
  const next = await reconnect(w);
  const others = [
    { seq: 23, id: "E15", deleted: true },
    { seq: 24, of: 15, from: { sub: "mod", name: "Mod" }, sentAt: 1 },
    { seq: 25, erased: "hash", sentAt: 1 },
    { seq: 26, later: true },
    entry(27),
  ];
  await next.history("lobby", { entries: others });
  assert.deepEqual([texts(w).slice(-3), w.chat.getSnapshot().roomStates.lobby.gaps], [["text 22", "", "text 27"], []]);
});

test("a busy server is asked again when it says so, and up to the same time later", async () => {
  for (const [code, random, wait] of [
    ["busy", 0, 3000],
    ["busy", 0.5, 4500],
    ["rate_limited", 0.9, 5700],
  ]) {
    const { w } = await remembering();
    const socket = await reconnect(w);
    const { id } = socket.sent[0];
    w.random = random;
    await socket.receive({ type: "error", code, message: "…", clientId: id, retryAfterMs: 3000 });
    await w.clock.advance(wait - 1);
    assert.equal(socket.questions.length, 1);
    await w.clock.advance(1);
    assert.equal(socket.questions.length, 2);
  }
});

test("a message for a busy log waits as long as the server says", async () => {
  const { w, socket } = await remembering();
  const clientId = w.chat.send("hi");
  await settle();
  await socket.receive({ type: "error", code: "busy", message: "…", clientId, retryAfterMs: 2000 });
  await w.clock.advance(1999);
  assert.equal(socket.messages.length, 1);
  await w.clock.advance(1);
  assert.equal(socket.messages.length, 2);
});

test("without an answer about logs a server counts as one of the first version until the next connection", async () => {
  for (const error of [{ code: "unknown_action" }, { code: "bad_message", clientId: "h2" }]) {
    const { w } = await remembering();
    const socket = await reconnect(w);
    await socket.receive({ type: "error", message: "…", ...error });
    assert.deepEqual([w.chat.getSnapshot().roomStates, w.chat.getSnapshot().gaps.length], [{}, 1]);
    w.chat.send("hi");
    await settle();
    await socket.ack();
    await socket.receive(message({ seq: 40, sentAt: 2 ** 42, message: "later" }));
    await w.wake();
    assert.deepEqual([socket.questions.length, socket.messages[0].after], [1, undefined]);
    assert.deepEqual(texts(w).slice(-2), ["hi", "later"]);
    const next = await reconnect(w);
    assert.deepEqual(next.questions, [{ lobby: { after: 20 } }]);
  }
});

test("a server that keeps nothing works as one of the first version", async () => {
  const w = world({ protocol: "chat.v2" });
  w.answers.push(one(), one());
  const socket = await w.open();
  await socket.history("lobby", { keepDays: 0 });
  w.chat.send("hi");
  await settle();
  await socket.ack();
  await socket.receive(message({ sentAt: 1, message: "first" }), message({ sentAt: 2 ** 42, message: "second" }));
  assert.deepEqual(texts(w), ["first", "hi", "second"]);
  assert.deepEqual(w.chat.getSnapshot().roomStates.lobby, { status: "live", more: false, gaps: [], keepDays: 0 });
  assert.deepEqual(w.chat.getSnapshot().gaps, []);
  await w.wake();
  assert.deepEqual([socket.pings, socket.questions.length], [1, 1]);
  const next = await reconnect(w);
  await next.history("lobby", { keepDays: 0 });
  assert.equal(w.chat.getSnapshot().gaps.length, 1);
});

test("messages of another user are not shown, and their room is opened anew", async () => {
  const { w } = await remembering();
  w.answers.unshift(signed({ user: { sub: "mallory", name: "Mallory" } }));
  const socket = await reconnect(w);
  assert.deepEqual([texts(w), socket.questions], [[], [{ lobby: { last: 50 }, ops: { last: 50 } }]]);
});

test("no more than 15 questions are sent in 10 s", async () => {
  const w = world({ protocol: "chat.v2" });
  w.answers.push(one());
  const socket = await w.open();
  await socket.history("lobby", { entries: entries(1011, 1020), more: true });
  for (let page = 0; page < 30; page++) {
    w.chat.loadOlder("lobby");
    await socket.history("lobby", { entries: [entry(1010 - page)], head: 1020, more: true });
  }
  assert.equal(socket.questions.length, 15);
  await w.wake();
  assert.deepEqual([socket.questions.length, socket.pings], [15, 1]);
  await socket.receive({ type: "pong" });
  await w.clock.advance(9999);
  assert.equal(socket.questions.length, 15);
  await w.clock.advance(1);
  assert.equal(socket.questions.length, 16);
});

test("a message that came without a number is shown once when the log has it", async () => {
  const { w } = await remembering();
  const socket = await reconnect(w);
  await socket.receive({ type: "error", code: "unknown_action", message: "…" });
  await socket.receive(pushed(entry(21)));
  assert.deepEqual([texts(w).at(-1), w.chat.messages.at(-1).seq], ["text 21", undefined]);
  const next = await reconnect(w);
  await next.history("lobby", { entries: entries(21, 22) });
  assert.deepEqual(texts(w).slice(-3), ["text 20", "text 21", "text 22"]);
});

test("an answer that breaks the rules is not taken", () => {
  const good = {
    type: "history",
    room: "lobby",
    clientId: "h1",
    after: 1,
    entries: [entry(2), entry(3)],
    head: 3,
    complete: true,
    more: false,
    keepDays: 7,
  };
  assert.equal(parseFrame(JSON.stringify(good))?.type, "history");
  for (const over of [
    { room: 1 },
    { entries: {} },
    { entries: [null] },
    { entries: [entry(2), entry(4)] },
    { entries: [entry(3), entry(2)] },
    { entries: [entry(1.5)] },
    { head: -1 },
    { head: "3" },
    { keepDays: undefined },
    { last: 50 },
    { after: undefined },
    { after: -1 },
  ])
    assert.equal(parseFrame(JSON.stringify({ ...good, ...over })), undefined, JSON.stringify(over));
  assert.equal(
    parseFrame(JSON.stringify({ ...good, later: {}, entries: [entry(2, { later: 1 })] }))?.entries.length,
    1,
  );
  assert.deepEqual(parseFrame('{"type":"synced","heads":{"a":3,"b":-1,"c":"x"}}').heads, { a: 3 });
});

test("a page that asks for older messages after each change does not make changes", async () => {
  const { w, socket } = await remembering();
  let changes = 0;
  w.chat.subscribe(() => {
    if (++changes < 100) w.chat.loadOlder("lobby");
  });
  w.chat.loadOlder("lobby");
  assert.deepEqual([changes, socket.questions.length], [1, 2]);
  await socket.history("lobby", { entries: entries(1, 10) });
  assert.deepEqual([changes, socket.questions.length], [2, 2]);
});

test("a machine that slept for longer than messages are kept may have missed some", async () => {
  for (const [days, gaps] of [
    [6, []],
    [8, ["E30"]],
  ]) {
    const { w } = await remembering();
    w.clock.sleep(days * 24 * 60 * MINUTE);
    const socket = await reconnect(w);
    await socket.history("lobby", { head: 0, complete: false });
    await socket.history("lobby");
    await socket.receive(pushed(entry(30)));
    await w.clock.advance(SECOND);
    assert.deepEqual(w.chat.getSnapshot().roomStates.lobby.gaps, gaps, `${days} days`);
  }
});
