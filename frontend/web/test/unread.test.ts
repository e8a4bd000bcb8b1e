import assert from "node:assert/strict";
import { test } from "node:test";
import { type Countable, nothingRead, read, readBefore, readElsewhere, type Reading } from "../src/browser/chat/unread";

const theirs = (id: string): Countable => ({ id, own: false });
const mine = (clientId: string, id = clientId): Countable => ({ id, clientId, own: true });

test("messages that come while the user does not read are unread, and the divider stands above the first one", () => {
  let reading = read(nothingRead, [theirs("a")], true);
  reading = read(reading, [theirs("a"), theirs("b")], false);
  assert.deepEqual(reading, { last: "a", divider: "b", unread: 1 });
  reading = read(reading, [theirs("a"), theirs("b"), theirs("c")], false);
  assert.deepEqual(reading, { last: "a", divider: "b", unread: 2 });
});

test("a user who comes back has read everything, and still sees where the new messages begin", () => {
  const reading = read({ last: "a", divider: "b", unread: 2 }, [theirs("a"), theirs("b"), theirs("c")], true);
  assert.deepEqual(reading, { last: "c", divider: "b", unread: 0 });
});

test("the divider moves when something is missed again", () => {
  const reading = read({ last: "c", divider: "b", unread: 0 }, [theirs("b"), theirs("c"), theirs("d")], false);
  assert.deepEqual(reading, { last: "c", divider: "d", unread: 1 });
});

test("a user who writes needs no divider any more", () => {
  const reading = read({ last: "c", divider: "b", unread: 0 }, [theirs("b"), theirs("c"), mine("m")], true);
  assert.deepEqual(reading, { last: "m", divider: undefined, unread: 0 });
});

test("own messages are never unread, and keep their key when the server names them", () => {
  const away = read({ last: "a", divider: undefined, unread: 0 }, [theirs("a"), mine("m")], false);
  assert.equal(away.unread, 0);
  const named = read(
    { last: "m", divider: undefined, unread: 0 },
    [theirs("a"), mine("m", "SERVERS"), theirs("b")],
    false,
  );
  assert.deepEqual(named, { last: "m", divider: "b", unread: 1 });
});

test("without new messages the reading is the same object, so that nothing renders", () => {
  const reading: Reading = { last: "a", divider: undefined, unread: 0 };
  assert.equal(read(reading, [theirs("a")], true), reading);
  assert.equal(read(reading, [theirs("a")], false), reading);
  assert.equal(read(nothingRead, [], true), nothingRead);
});

test("earlier messages are not new for a user who comes", () => {
  const reading = readBefore([theirs("a"), theirs("b")]);
  assert.deepEqual(read(reading, [theirs("a"), theirs("b")], false), { last: "b", divider: undefined, unread: 0 });
  assert.deepEqual(read(reading, [theirs("x"), theirs("b"), theirs("c")], false), {
    last: "b",
    divider: "c",
    unread: 1,
  });
  assert.deepEqual(read(readBefore([]), [theirs("a")], false), { last: undefined, divider: "a", unread: 1 });
});

const numbered = (seq: number, over = {}): Countable => ({ id: `m${seq}`, own: false, seq, ...over });

test("a user who comes sees where the messages begin that were not read on any device", () => {
  const messages = [
    numbered(1),
    numbered(2),
    numbered(3, { deleted: true }),
    numbered(4, { deleted: true }),
    numbered(5),
  ];
  for (const [upto, last, divider, unread] of [
    [0, undefined, undefined, 3],
    [1, "m1", "m2", 2],
    [2, "m2", "m5", 1],
    [9, "m5", undefined, 0],
  ] as const) {
    const before = readBefore(messages, upto);
    assert.deepEqual(before, { last, divider, unread: 0 });
    assert.equal(read(before, messages, false).unread, unread);
    assert.deepEqual(read(before, messages, true), { last: "m5", divider, unread: 0 });
  }
});

test("a message that was read on another device is read, and reading never goes back", () => {
  const messages = [numbered(1), numbered(2), numbered(3)];
  const reading = read({ last: "m1", divider: undefined, unread: 0 }, messages, false);
  assert.equal(reading.unread, 2);
  const later = readElsewhere(reading, messages, 2);
  assert.deepEqual(read(later, messages, false), { last: "m2", divider: "m2", unread: 1 });
  for (const upto of [0, 1, 2]) assert.equal(readElsewhere(later, messages, upto), later);
});

test("a deleted message is not unread", () => {
  const messages = [numbered(1), numbered(2, { deleted: true })];
  assert.deepEqual(read({ last: "m1", divider: undefined, unread: 0 }, messages, false), {
    last: "m1",
    divider: undefined,
    unread: 0,
  });
});
