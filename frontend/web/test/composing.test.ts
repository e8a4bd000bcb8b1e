import assert from "node:assert/strict";
import { test } from "node:test";
import { sends, sizeOf } from "../src/browser/chat/composing";

test("Enter sends, unless it starts a new line or confirms a conversion", () => {
  const enter = { key: "Enter", shiftKey: false, keyCode: 13, isComposing: false };
  assert.equal(sends(enter), true);
  assert.equal(sends({ ...enter, shiftKey: true }), false);
  assert.equal(sends({ ...enter, isComposing: true, keyCode: 229 }), false, "Chrome and Firefox, while composing");
  assert.equal(sends({ ...enter, keyCode: 229 }), false, "Safari, which has ended the composition already");
  assert.equal(sends({ ...enter, key: "Process", keyCode: 229 }), false);
  assert.equal(sends({ ...enter, key: "a", keyCode: 65 }), false);
});

test("a text has the size that it has on its way", () => {
  assert.equal(sizeOf("abc", "lobby").bytes, 3);
  assert.equal(sizeOf("日本", "lobby").bytes, 6);
  assert.equal(sizeOf('"\n', "lobby").bytes, 4, "escaped in JSON");
  assert.equal(sizeOf("\t", "lobby").bytes, 4, "a tab is sent as four spaces");
});

test("as much as fits may be sent, and not a byte more", () => {
  const { mostBytes } = sizeOf("", "lobby");
  const fits = "\\".repeat(Math.floor(mostBytes / 2));
  assert.equal(sizeOf(fits, "lobby").problem, undefined);
  assert.equal(sizeOf(`${fits}\\`, "lobby").problem, "too_large");
  assert.equal(sizeOf("日".repeat(Math.floor(mostBytes / 3)), "lobby").problem, undefined);
  assert.equal(sizeOf("日".repeat(Math.floor(mostBytes / 3) + 1), "lobby").problem, "too_large");
  assert.equal(sizeOf("a".repeat(2000), "lobby").problem, undefined);
  assert.equal(sizeOf("a".repeat(2001), "lobby").problem, "too_large", "also by characters");
});

test("the size is told when it comes near the limit", () => {
  assert.equal(sizeOf("a".repeat(1500), "lobby").noteworthy, false);
  assert.equal(sizeOf("a".repeat(1501), "lobby").noteworthy, true);
  assert.equal(sizeOf("日".repeat(1100), "lobby").noteworthy, true);
});

test("white space alone is nothing to send", () => {
  assert.equal(sizeOf(" \n\u3000", "lobby").problem, "empty");
});
