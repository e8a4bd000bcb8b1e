import assert from "node:assert/strict";
import { test } from "node:test";
import { type Countable, nothingRead, read, readBefore, type Reading } from "../src/browser/chat/unread";

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
