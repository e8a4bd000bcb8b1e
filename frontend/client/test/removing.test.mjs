// Deletion, the users in a room, how far a user has read, and rooms in which a user only reads.
import assert from "node:assert/strict";
import { test } from "node:test";

import { idOf } from "../dist/ids.js";
import { message, MINUTE, SECOND, serverId, settle, signed, world } from "./world.mjs";

const BOB = { sub: "bob", name: "Bob" };
const ALICE = { sub: "alice", name: "Alice" };
const NOBODY = { sub: "", name: "" };

const entry = (seq, over = {}) => ({
  seq,
  id: `E${seq}`,
  from: BOB,
  message: `text ${seq}`,
  sentAt: 1000 + seq,
  ...over,
});
const entries = (from, to) => Array.from({ length: to - from + 1 }, (_, i) => entry(from + i));
const pushed = (entry) => ({ type: "message", room: "lobby", ...entry });
const deletion = (seq, of) => ({ type: "deleted", room: "lobby", seq, of, from: ALICE, sentAt: 9 });
const error = (code, clientId, over = {}) => ({ type: "error", code, message: "…", clientId, ...over });

const one = (over = {}) => signed({ url: "wss://chat.example/prod?v=1&rm=lobby&X-Amz-Signature=0", ...over });

/** A client in one room, with a server that remembers. It has the messages from 11 to 20; alice wrote the last one. */
async function remembering({ answers = {}, ...options } = {}) {
  const w = world({ protocol: "chat.v2", ...options });
  w.answers.push(...Array.from({ length: 20 }, () => one(answers)));
  const socket = await w.open();
  await socket.history("lobby", { entries: [...entries(11, 19), entry(20, { from: ALICE })], more: true });
  return { w, socket };
}

async function reconnect(w) {
  await w.socket.end();
  await w.clock.advance(SECOND);
  await w.socket.accept();
  return w.socket;
}

const shown = (w, seq) => w.chat.messages.find((message) => message.seq === seq);
const room = (w) => w.chat.getSnapshot().roomStates.lobby;
const ackOf = ({ id }, seq, over = {}) => ({
  ...{ type: "ack", id: "NOTE", clientId: id, seq, recipients: 1, delivered: 1, gone: 0, ...over },
});

test("a message is deleted by its number, and shows no text after the answer", async () => {
  const { w, socket } = await remembering();
  w.chat.remove("E20");
  await settle();
  const [frame] = socket.deletions;
  assert.deepEqual([frame.room, frame.seq, Object.keys(frame)], ["lobby", 20, ["action", "room", "seq", "id"]]);
  assert.deepEqual([shown(w, 20).removal, shown(w, 20).text], ["pending", "text 20"]);
  await socket.receive(ackOf(frame, 21));
  const { text, deleted, removal, from, sentAt } = shown(w, 20);
  assert.deepEqual([text, deleted, removal, from, sentAt], ["", true, undefined, ALICE, 1020]);
  await socket.receive(deletion(21, 20), pushed(entry(22)));
  await w.clock.advance(MINUTE);
  assert.deepEqual([socket.deletions.length, socket.questions.length], [1, 1]);
  assert.equal(w.chat.messages.at(-1).text, "text 22");
});

test("a deletion of somebody else takes the text at once, also of a message that comes later", async () => {
  const { w, socket } = await remembering();
  await socket.receive(deletion(21, 15), deletion(23, 22), pushed(entry(22)));
  assert.deepEqual(
    [15, 22].map((seq) => [shown(w, seq).text, shown(w, seq).deleted, shown(w, seq).from]),
    [
      ["", true, BOB],
      ["", true, BOB],
    ],
  );
});

test("a client that comes back shows a deletion, and one of a message that it never had without a name", async () => {
  const { w } = await remembering();
  const socket = await reconnect(w);
  const note = { seq: 22, of: 20, from: ALICE, sentAt: 9 };
  await socket.history("lobby", { entries: [{ seq: 21, id: "E21", deleted: true }, note, entry(23)] });
  assert.deepEqual(
    w.chat.messages.slice(-3).map(({ id, text, deleted, from, sentAt }) => [id, text, deleted, from, sentAt]),
    [
      ["E20", "", true, ALICE, 1020],
      ["E21", "", true, NOBODY, undefined],
      ["E23", "text 23", undefined, BOB, 1023],
    ],
  );
});

test("a deleted message without a time stands between its neighbours, also beside another room", async () => {
  const w = world({ protocol: "chat.v2" });
  const socket = await w.open();
  await socket.history("ops", {
    entries: [
      { ...entry(1), sentAt: 5 },
      { seq: 2, id: "gone", deleted: true },
    ],
  });
  await socket.history("lobby", {
    entries: [
      { ...entry(11), sentAt: 4 },
      { ...entry(12), sentAt: 6 },
    ],
  });
  assert.deepEqual(
    w.chat.messages.map(({ id }) => id),
    ["E11", "E1", "gone", "E12"],
  );
});

test("a deletion without an answer is sent again under the same id, after 10 s or a reconnection", async () => {
  const { w, socket } = await remembering();
  w.chat.remove("E20");
  await w.clock.advance(10 * SECOND);
  await socket.receive({ type: "pong" });
  await w.clock.advance(SECOND);
  assert.deepEqual([socket.deletions.length, new Set(socket.deletions.map(({ id }) => id)).size], [2, 1]);
  const next = await reconnect(w);
  assert.deepEqual(next.deletions, [socket.deletions[0]]);
  await next.receive(ackOf(next.deletions[0], 21));
  await w.clock.advance(MINUTE);
  assert.deepEqual([next.deletions.length, shown(w, 20).deleted], [1, true]);
});

test("messages and deletions go out one after the other, and wait for the rate limit together", async () => {
  const { w, socket } = await remembering({ messagesPerWindow: 2 });
  w.chat.send("hi");
  await settle();
  w.chat.remove("E20");
  w.chat.remove("E19");
  await settle();
  assert.deepEqual([socket.messages.length, socket.deletions.length], [1, 0]);
  await socket.ack("alice", { seq: 21 });
  await socket.receive(ackOf(socket.deletions[0], 22));
  assert.equal(socket.deletions.length, 1);
  await w.clock.advance(10 * SECOND);
  assert.deepEqual(
    socket.deletions.map(({ seq }) => seq),
    [20, 19],
  );
  await socket.receive(error("rate_limited", socket.deletions[1].id, { retryAfterMs: 3000 }));
  await w.clock.advance(2999);
  assert.equal(socket.deletions.length, 2);
  await w.clock.advance(1);
  assert.equal(socket.deletions.length, 3);
});

test("a refused deletion is told at the message, and can be tried again", async () => {
  for (const code of ["not_yours", "not_found", "read_only"]) {
    const { w, socket } = await remembering();
    w.chat.remove("E19");
    await settle();
    await socket.receive(error(code, socket.deletions[0].id));
    assert.deepEqual([shown(w, 19).removal, shown(w, 19).text], [code, "text 19"]);
    await w.clock.advance(MINUTE);
    assert.equal(socket.deletions.length, 1);
    w.chat.remove("E19");
    await settle();
    assert.deepEqual([shown(w, 19).removal, socket.deletions.length], ["pending", 2]);
    await socket.receive(deletion(21, 19));
    assert.equal(shown(w, 19).removal, undefined);
  }
});

test("only a message with a number is deleted, once, and only where the server can", async () => {
  const { w, socket } = await remembering();
  w.chat.remove("E99");
  const own = w.chat.send("hi");
  await settle();
  w.chat.remove(serverId("alice", own));
  w.chat.remove("E20");
  w.chat.remove("E20");
  await settle();
  await socket.ack("alice", { seq: 21 });
  assert.equal(socket.deletions.length, 1);
  await socket.receive(ackOf(socket.deletions[0], 22));
  w.chat.remove("E20");
  await settle();
  assert.equal(socket.deletions.length, 1);
  const old = world();
  const v1 = await old.open();
  await v1.receive(message({ id: "A", seq: 5 }));
  old.chat.remove("A");
  await settle();
  assert.deepEqual(v1.sent, []);
});

test("a server that does not know deletions counts as one of the first version until the next connection", async () => {
  for (const withId of [true, false]) {
    const { w, socket } = await remembering();
    w.chat.remove("E20");
    await settle();
    const { id } = socket.deletions[0];
    await socket.receive(error("unknown_action", withId ? id : undefined));
    assert.deepEqual([shown(w, 20).removal, w.chat.getSnapshot().roomStates], ["unknown_action", {}]);
    const next = await reconnect(w);
    await next.synced({ lobby: 20 });
    assert.deepEqual([next.deletions, room(w).status], [[], "live"]);
  }
});

test("a message that was deleted before its acknowledgement is done", async () => {
  const { w, socket } = await remembering();
  w.chat.send("hi");
  await settle();
  const { id } = socket.messages[0];
  await socket.receive({ ...ackOf({ id }, 22, { deleted: true }), id: serverId("alice", id) });
  await w.clock.advance(800);
  await socket.history("lobby", {
    entries: [
      entry(21),
      { seq: 22, id: serverId("alice", id), deleted: true },
      { seq: 23, of: 22, from: BOB, sentAt: 9 },
    ],
  });
  assert.deepEqual([shown(w, 22).deleted, w.chat.messages.length], [true, 12]);
  await w.clock.advance(MINUTE);
  assert.equal(socket.messages.length, 1);
});

test("a deletion of a guest who is another user now is given up", async () => {
  const { w } = await remembering({ answers: { user: { sub: "guest-a", name: "A" } } });
  w.answers.unshift(one({ user: { sub: "guest-b", name: "B" } }));
  w.chat.remove("E20");
  const next = await reconnect(w);
  assert.deepEqual(next.deletions, []);
});

test("messages of an erased user lose text and name, by the hash of room and user", async () => {
  const { w, socket } = await remembering();
  const sha256 = async (text) => new Uint8Array(await crypto.subtle.digest("SHA-256", new TextEncoder().encode(text)));
  const erased = (await idOf(sha256, "lobby", "bob")).toLowerCase();
  await socket.receive(pushed(entry(22)));
  await w.clock.advance(800);
  await socket.history("lobby", { entries: [{ seq: 21, erased, sentAt: 9 }, entry(22)] });
  assert.deepEqual(
    [11, 20, 22].map((seq) => [shown(w, seq).text, shown(w, seq).deleted, shown(w, seq).from]),
    [
      ["", true, NOBODY],
      ["text 20", undefined, ALICE],
      ["text 22", undefined, BOB],
    ],
  );
});

test("the users of a room are asked for in the frames that are sent anyway", async () => {
  const w = world({ protocol: "chat.v2" });
  const socket = await w.open();
  assert.deepEqual(socket.request, { here: ["lobby", "ops"] });
  await socket.history("lobby", { entries: entries(11, 20) });
  await socket.history("ops");
  await socket.receive(
    { type: "presence", room: "lobby", n: 4, count: 2, users: [ALICE, BOB] },
    { type: "presence", room: "ops", n: 9, count: 300 },
  );
  const { lobby, ops } = w.chat.getSnapshot().roomStates;
  assert.deepEqual([lobby.here, ops.here], [{ count: 2, users: [ALICE, BOB] }, { count: 300 }]);
  await socket.receive(pushed(entry(22)));
  await w.clock.advance(1301);
  assert.deepEqual([socket.questions.length, socket.request], [2, {}]);
  await socket.history("lobby", { entries: entries(21, 22) });
  await w.clock.advance(10 * SECOND);
  await w.wake();
  assert.deepEqual([socket.questions.length, socket.request.here], [3, ["lobby", "ops"]]);
  await w.socket.end();
  assert.equal(w.chat.getSnapshot().roomStates.lobby.here, undefined);
});

test("a question that was refused or lost asks for the users again, and not before its time", async () => {
  const { w, socket } = await remembering();
  const asked = () => socket.sent.filter(({ action }) => action === "history");
  await socket.receive({ type: "presence", room: "lobby", n: 4, count: 1 });
  await w.wake();
  await socket.receive(error("rate_limited", asked()[1].id, { retryAfterMs: 1000 }));
  assert.equal(asked().length, 2);
  await w.clock.advance(2 * SECOND);
  assert.deepEqual([asked().length, asked()[2].here], [3, ["lobby"]]);
  await w.clock.advance(9 * SECOND);
  await socket.receive({ type: "pong" });
  assert.equal(asked().length, 3);
  for (let i = 0; i < 3; i++) {
    await w.clock.advance(5 * SECOND);
    await socket.receive({ type: "pong" });
  }
  assert.deepEqual([asked().length, asked()[3].here], [4, ["lobby"]]);
});

test("rooms with many users do not use up the questions", async () => {
  const rooms = ["a", "b", "c", "d", "e", "f", "g", "h"];
  const w = world({ protocol: "chat.v2" });
  w.answers.push(signed({ url: `wss://chat.example/prod?v=1&rm=${rooms.join(".")}` }));
  const socket = await w.open();
  assert.deepEqual(socket.request.here, rooms);
  for (const room of rooms) await socket.history(room);
  await w.wake();
  assert.deepEqual(socket.request.here, ["a", "b"]);
  await socket.synced(Object.fromEntries(rooms.map((room) => [room, 0])));
  await w.clock.advance(10 * SECOND);
  await w.wake();
  assert.deepEqual(socket.request.here, rooms);
});

test("a server that keeps nothing, and tells of users, is asked for them in place of the ping", async () => {
  const { w, socket } = await remembering();
  await socket.receive({ type: "presence", room: "lobby", n: 4, count: 1 });
  const next = await reconnect(w);
  await next.history("lobby", { head: 0, keepDays: 0 });
  await next.history("lobby", { head: 0, keepDays: 0 });
  await w.wake();
  assert.deepEqual([next.pings, next.questions.length], [1, 2]);
  await next.receive({ type: "pong" }, { type: "presence", room: "lobby", n: 5, count: 1 });
  await w.clock.advance(10 * SECOND);
  await w.wake();
  assert.deepEqual([next.pings, next.questions.length, next.request], [1, 2, { here: ["lobby"] }]);
});

test("during a rotation the next connection tells of the users, and the old one no more", async () => {
  const { w, socket: old } = await remembering();
  const presence = (n, count) => ({ type: "presence", room: "lobby", n, count });
  await old.receive(presence(9, 1));
  while (w.sockets.length < 2) {
    await w.clock.advance(SECOND);
    await old.synced({ lobby: 20 });
  }
  const next = w.socket;
  await next.accept();
  assert.deepEqual(next.request.here, ["lobby"]);
  await next.receive(presence(3, 2));
  await next.synced({ lobby: 20 });
  await old.receive(presence(10, 3));
  assert.equal(room(w).here.count, 2);
});

test("the user has read what the page says, and the server learns it with the next frame", async () => {
  const { w, socket } = await remembering();
  assert.deepEqual([room(w).read, room(w).unread], [20, 0]); // alice wrote the last message
  await socket.receive(pushed(entry(21)), pushed(entry(22)));
  assert.equal(room(w).unread, 2);
  let changes = 0;
  w.chat.subscribe(() => changes++);
  w.chat.markRead("lobby");
  w.chat.markRead("lobby");
  assert.deepEqual([room(w).unread, changes, socket.questions.length], [0, 1, 1]);
  await w.wake();
  assert.deepEqual(socket.request.read, { lobby: 22 });
  await socket.synced({ lobby: 22 }, { lobby: 22 });
  await w.wake();
  assert.equal("read" in socket.request, false);
});

test("a page that is hidden tells once how far the user has read", async () => {
  const { w, socket } = await remembering();
  await w.hide();
  assert.deepEqual(socket.request, { read: { lobby: 20 } });
  await socket.synced({ lobby: 20 }, { lobby: 20 });
  await w.hide();
  assert.equal(socket.sent.length, 2);
  await socket.receive(pushed(entry(21)));
  w.chat.markRead("lobby");
  await w.hide();
  assert.deepEqual([socket.sent.at(-1).read, socket.sent.length], [{ lobby: 21 }, 3]);
  const next = await reconnect(w);
  assert.deepEqual(next.request.read, { lobby: 21 });
  const old = world();
  const v1 = await old.open();
  await old.hide();
  assert.deepEqual(v1.sent, []);
});

test("another device learns at its next question how far the user has read", async () => {
  const { w, socket } = await remembering();
  await socket.receive(pushed(entry(21)), pushed(entry(22)), pushed(entry(23)));
  assert.equal(room(w).unread, 3);
  await w.wake();
  await socket.synced({ lobby: 23 }, { lobby: 22 });
  assert.deepEqual([room(w).read, room(w).unread], [22, 1]);
  await w.wake();
  await socket.history("lobby", { entries: entries(24, 24), read: 24 });
  assert.deepEqual([room(w).read, room(w).unread], [24, 0]);
});

test("in a room where the user only reads nothing is sent, and the page knows", async () => {
  const rooms = [{ room: "lobby", readOnly: true }, { room: "ops" }, { room: "attic", readOnly: true }];
  const { w, socket } = await remembering({ answers: { rooms, moderator: true } });
  assert.deepEqual([room(w).readOnly, w.chat.getSnapshot().moderator], [true, true]);
  assert.throws(() => w.chat.send("hi"), { code: "read_only" });
  w.chat.remove("E20");
  await settle();
  assert.deepEqual([socket.messages, socket.deletions], [[], []]);
  w.answers.unshift(one({ rooms: [{ room: "lobby" }] }));
  await reconnect(w);
  assert.deepEqual(["readOnly" in room(w), w.chat.getSnapshot().moderator], [false, false]);
  w.chat.send("hi");
});

test("messages for a room in which the user may not write any more fail, and are not sent", async () => {
  for (const [code, answer] of [
    ["read_only", one({ rooms: [{ room: "lobby", readOnly: true }] })],
    ["room_not_allowed", signed({ url: "wss://chat.example/prod?v=1&rm=ops&X-Amz-Signature=0" })],
  ]) {
    const { w, socket } = await remembering();
    await socket.end();
    const ids = ["one", "two"].map((text) => w.chat.send(text));
    w.chat.remove("E20");
    await settle();
    w.answers.unshift(answer);
    await w.clock.advance(SECOND);
    const next = w.socket;
    await next.accept();
    if (code === "read_only") await next.synced({ lobby: 20 });
    ids.forEach((id) => w.chat.resend(id));
    await w.clock.advance(MINUTE);
    assert.deepEqual([next.messages, next.deletions], [[], []]);
    assert.deepEqual(
      w.chat.messages.slice(-2).map(({ status, failure }) => [status, failure]),
      [
        ["failed", code],
        ["failed", code],
      ],
    );
    assert.equal(shown(w, 20).removal, code);
  }
});

test("a server that does not say in which rooms a user may write takes messages for all", async () => {
  for (const rooms of [undefined, null, "lobby", [null, {}, "lobby"]]) {
    const { w } = await remembering({ answers: { rooms } });
    assert.equal("readOnly" in room(w), false);
    w.chat.send("hi");
  }
});
