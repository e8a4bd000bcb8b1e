import assert from "node:assert/strict";
import { test } from "node:test";

import { parseFrame } from "../dist/frames.js";
import { deleteFrame } from "../dist/text.js";
import { bodies, frames, fromClient, fromServer, signUrlAnswer, signUrlRefusal, signUrlRequest } from "./protocol.mjs";
import { answer, settle, world } from "./world.mjs";

const { sendmessage, ping, historyRequest, delete: deletion, history, gatewayError, ...others } = frames;
/** What the client takes for members that a frame leaves out. */
const DEFAULTS = { synced: { read: {} }, history: { read: 0, complete: false } };

test("the client reads every example of a frame from the server, with all of its members", () => {
  assert.deepEqual(Object.keys(others), ["message", "ack", "error", "bye", "synced", "deleted", "presence", "pong"]);
  for (const [type, examples] of Object.entries({ ...others, history })) {
    assert.ok(examples.length > 0, type);
    for (const example of examples) {
      fromServer(example);
      assert.deepEqual(parseFrame(JSON.stringify(example)), { ...DEFAULTS[type], ...example });
    }
  }
  for (const example of gatewayError) assert.deepEqual(parseFrame(JSON.stringify(example)), { type: "gateway" });
});

test("the client sends the examples of its frames", async () => {
  for (const example of [...sendmessage, ...ping, ...historyRequest, ...deletion]) fromClient(example);
  assert.deepEqual(JSON.parse(deleteFrame(deletion[0].room, deletion[0].seq, deletion[0].id)), deletion[0]);
  const w = world();
  const socket = await w.open();
  w.chat.send(sendmessage[0].message, sendmessage[0].room);
  await settle();
  w.chat.retryNow();
  await settle();
  const [sent, asked] = socket.sent;
  assert.deepEqual({ ...sent, id: sendmessage[0].id }, sendmessage[0]);
  assert.deepEqual(asked, ping[0]);
});

test("the client takes the example of an answer of the sign URL, and each refusal for what it is", async () => {
  for (const example of bodies.request) signUrlRequest(example);
  signUrlAnswer(bodies.answer[0]);
  const w = world();
  w.answers.push(answer(200, bodies.answer[0]));
  await w.open();
  assert.equal(w.socket.url, bodies.answer[0].url);
  assert.deepEqual(w.socket.protocols.slice(1, 2), bodies.answer[0].protocols);
  assert.deepEqual(w.chat.getSnapshot().user, bodies.answer[0].user);
  for (const refusal of bodies.refusal) {
    signUrlRefusal(refusal);
    const refused = world();
    refused.answers.push(answer(403, refusal));
    refused.chat.connect();
    await settle();
    assert.deepEqual(refused.authRequired, [refusal.error]);
  }
});

test("the request of a guest keeps to the contract", async () => {
  const secret = bodies.request.find(({ guest }) => guest).guest;
  const w = world({ getToken: undefined, rooms: ["lobby", "ops"], guest: { secret, name: " Zoë\n" } });
  await w.open();
  assert.deepEqual(Object.keys(w.requests[0].body), ["rooms", "challenge", "ci", "guest", "name"]);
});

test("a member that is not what it has to be counts as left out, and a frame needs its members", () => {
  const [message, ack, presence] = [others.message[0], others.ack[0], others.presence[0]];
  for (const [frame, name, value] of [
    [message, "seq", "5"],
    [message, "seq", 1.5],
    [ack, "clientId", 5],
    [presence, "users", { length: 1 }],
    [presence, "users", [{ sub: "alice" }]],
    [others.error[0], "retryAfterMs", -1],
  ]) {
    const { [name]: _, ...rest } = frame;
    assert.deepEqual(parseFrame(JSON.stringify({ ...frame, [name]: value })), rest, name);
  }
  for (const [frame, name, value] of [
    [message, "from", { sub: "bob" }],
    [message, "message", 1],
    [message, "sentAt", 9e15],
    [ack, "id", null],
    [presence, "n", -1],
    [others.deleted[0], "of", "x"],
    [others.bye[0], "code", {}],
    [message, "type", "constructor"],
    [message, "type", 1],
  ])
    assert.equal(parseFrame(JSON.stringify({ ...frame, [name]: value })), undefined, name);
  for (const data of ["", "{", "null", "1", '"text"', "[]", "[1]", new ArrayBuffer(2)])
    assert.equal(parseFrame(data), undefined, String(data));
});

test("a frame or body that breaks the contract is found", () => {
  for (const [check, value] of [
    [fromClient, { action: "sendmessage" }],
    [fromClient, { message: "a", from: { sub: "bob" } }],
    [fromClient, { message: "a".repeat(2001) }],
    [fromClient, { message: "a\u202e" }],
    [fromClient, { ...deletion[0], seq: 0 }],
    [fromClient, { ...deletion[0], message: "a" }],
    [fromServer, { ...others.message[0], id: undefined }],
    [fromServer, { ...others.deleted[0], of: undefined }],
    [fromServer, { ...others.presence[0], n: undefined }],
    [fromServer, { ...others.synced[0], read: {} }],
    [fromServer, { ...others.ack[0], delivered: -1 }],
    [fromServer, { type: "bye", code: "tired" }],
    [fromServer, { type: "typing" }],
    [signUrlRequest, { rooms: ["Lobby"] }],
    [signUrlRequest, { challenge: "short" }],
    [signUrlAnswer, { ...bodies.answer[0], user: { sub: "alice" } }],
    [signUrlRefusal, { error: "tired", message: "Later." }],
  ])
    assert.throws(() => check(value), / breaks /, JSON.stringify(value));
});

test("later versions may add members to a frame of the server, and the client reads the frame", () => {
  for (const [example] of Object.values(others)) {
    const longer = { ...example, later: { a: [1] } };
    fromServer(longer);
    assert.equal(parseFrame(JSON.stringify(longer))?.type, example.type);
  }
});
