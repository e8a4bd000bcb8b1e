import assert from "node:assert/strict";
import { test } from "node:test";
import { isNews } from "../src/browser/chat/announcing";

const message = (id: string, over = {}) => ({ id, own: false, status: "delivered", ...over });
const [a, b, c] = [message("a"), message("b"), message("c")];
const waiting = { id: "1", clientId: "1", own: true, status: "pending" };
const delivered = { ...waiting, id: "SERVERS", status: "delivered" };

test("a screen reader reads messages at the end of the list", () => {
  for (const [before, after] of [
    [[a], [a, b]],
    [[], [a]],
    [[a], [a, waiting]],
    [
      [a, waiting],
      [a, b, waiting],
    ],
    [
      [a, waiting],
      [a, delivered],
    ],
    [
      [a, b],
      [a, b],
    ],
  ] as const) {
    assert.equal(isNews(before, after), true);
  }
});

test("a screen reader does not read older pages, the first page, messages in between and deletions", () => {
  for (const [before, after] of [
    [[], [a, b]],
    [[c], [a, b, c]],
    [
      [a, c],
      [a, b, c],
    ],
    [
      [a, b],
      [a, { ...b, deleted: true }],
    ],
    [[a, b], [a]],
  ] as const) {
    assert.equal(isNews(before, after), false);
  }
});
