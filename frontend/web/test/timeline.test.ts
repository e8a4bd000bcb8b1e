import assert from "node:assert/strict";
import { test } from "node:test";
import type { ChatMessage } from "@signedsocket/client";
import { dayName, type Item, timeline } from "../src/browser/chat/timeline";

const noon = new Date(2026, 10, 22, 12).getTime();
const MINUTE = 60_000;
const DAY = 24 * 60 * MINUTE;

function message(id: string, sub: string, sentAt?: number, own = false): ChatMessage {
  const from = { sub, name: sub };
  return {
    id,
    room: "lobby",
    from,
    text: id,
    own,
    status: sentAt ? "delivered" : "pending",
    ...(sentAt && { sentAt }),
  };
}

function shape(items: readonly Item[]): string[] {
  return items.map((item) => (item.kind === "message" ? `${item.key}${item.first ? " first" : ""}` : item.kind));
}

test("messages of one person in a row have the name once", () => {
  const items = timeline(
    [
      message("a", "alice", noon),
      message("b", "alice", noon + MINUTE),
      message("c", "bob", noon + MINUTE),
      message("d", "alice", noon + 2 * MINUTE),
    ],
    undefined,
  );
  assert.deepEqual(shape(items), ["day", "a first", "b", "c first", "d first"]);
});

test("after a while the name comes again", () => {
  const items = timeline([message("a", "alice", noon), message("b", "alice", noon + 5 * MINUTE)], undefined);
  assert.deepEqual(shape(items), ["day", "a first", "b first"]);
});

test("a new day is told, and begins anew", () => {
  const midnight = new Date(2026, 10, 23).getTime();
  const items = timeline([message("a", "alice", midnight - 1), message("b", "alice", midnight)], undefined);
  assert.deepEqual(shape(items), ["day", "a first", "day", "b first"]);
});

test("the divider stands above the first message that was missed", () => {
  const items = timeline([message("a", "alice", noon), message("b", "alice", noon)], "b");
  assert.deepEqual(shape(items), ["day", "a first", "unread", "b first"]);
});

test("what is on its way has no day yet", () => {
  assert.deepEqual(shape(timeline([message("a", "", undefined, true), message("b", "", undefined, true)], undefined)), [
    "a first",
    "b",
  ]);
});

test("days have names", () => {
  const words = { today: "Today", yesterday: "Yesterday" };
  assert.equal(dayName(noon - 11 * 60 * MINUTE, noon, "en", words), "Today");
  assert.equal(dayName(noon - DAY, noon, "en", words), "Yesterday");
  assert.equal(dayName(noon - 2 * DAY, noon, "en", words), "Friday, November 20, 2026");
  assert.equal(dayName(noon - 2 * DAY, noon, "ja", words), "2026年11月20日金曜日");
});
