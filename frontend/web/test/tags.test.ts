import assert from "node:assert/strict";
import { test } from "node:test";
import { mayBeLong } from "../src/browser/chat/folding";
import { tagsOf } from "../src/browser/chat/tags";

const users = (...names: string[]) => names.map((name, i) => ({ sub: `user-${i}`, name }));

test("users of one name have different tags, and other users have none", () => {
  const tags = tagsOf([...users("Alice", "Bob", "Alice", "Carol"), { sub: "user-0", name: "Alice" }]);
  assert.deepEqual([...tags.keys()].sort(), ["user-0", "user-2"]);
  assert.notEqual(tags.get("user-0"), tags.get("user-2"));
  for (const tag of tags.values()) assert.match(tag, /^#[a-z0-9]{4}$/);
  // for everybody the same
  assert.deepEqual(tagsOf(users("Alice", "Carol", "Alice")).get("user-0"), tags.get("user-0"));
});

test("names that look the same count as the same", () => {
  for (const name of [
    "alice",
    "\u0410lice",
    "\uff21lice",
    "A\u200blice",
    "Al\u0131ce",
    "Alic\u00e9",
    " Alice",
    "A1ice",
    "Ali\u0441e",
    "\u0391lice",
  ]) {
    assert.equal(tagsOf(users("Alice", name)).size, 2, name);
  }
  for (const name of ["Alicia", "Bob", "\u30a2\u30ea\u30b9"]) assert.equal(tagsOf(users("Alice", name)).size, 0, name);
});

test("however many users have one name, no two have one tag", () => {
  const many = Array.from({ length: 3000 }, (_, i) => ({ sub: `guest-${i}`, name: "Guest" }));
  assert.equal(new Set(tagsOf(many).values()).size, many.length);
});

test("a message that may need more than twelve lines is measured", () => {
  assert.ok(!mayBeLong("short") && !mayBeLong("a\n".repeat(11)));
  assert.ok(mayBeLong("a\n".repeat(12)) && mayBeLong("a\u2028".repeat(12)) && mayBeLong("x".repeat(121)));
});
