import assert from "node:assert/strict";
import { test } from "node:test";
import type { ChatMessage } from "@signedsocket/client";
import { dictionaryFor } from "@signedsocket/client/messages";
import { dayName, gapText, type Item, timeline } from "../src/browser/chat/timeline";

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

test("a time before the one above it is no other day, so that no day is told twice", () => {
  const midnight = new Date(2026, 10, 23).getTime();
  const times = [midnight - 2, midnight + 1, midnight - 1, midnight + 2];
  const items = timeline(
    times.map((time) => message(`${time}`, "alice", time)),
    undefined,
  );
  assert.deepEqual(
    items.filter(({ kind }) => kind === "day").map(({ key }) => key),
    ["day Sun Nov 22 2026", "day Mon Nov 23 2026"],
  );
});

test("the divider stands above the first message that was missed", () => {
  const items = timeline([message("a", "alice", noon), message("b", "alice", noon)], "b");
  assert.deepEqual(shape(items), ["day", "a first", "unread", "b first"]);
});

test("a message on its way has no day yet", () => {
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

const gap = (from: number, to: number, after: number) => ({ from, to, after });

test("a gap stands behind the last message before it", () => {
  const messages = [
    message("a", "alice", noon),
    message("b", "alice", noon + 2),
    message("c", "alice", undefined, true),
  ];
  const at = (...gaps: ReturnType<typeof gap>[]) => shape(timeline(messages, undefined, gaps));
  assert.deepEqual(at(gap(1, 2, noon)), ["day", "a first", "gap", "b first", "c first"]);
  assert.deepEqual(at(gap(1, 2, 0)), ["gap", "day", "a first", "b", "c first"]);
  assert.deepEqual(at(gap(1, 2, noon + 2)), ["day", "a first", "b", "gap", "c first"]);
  assert.deepEqual(shape(timeline([], undefined, [gap(1, 2, 0)])), ["gap"]);
  assert.deepEqual(shape(timeline(messages.slice(0, 1), undefined, [gap(1, 2, noon)])), ["day", "a first", "gap"]);
});

test("gaps in quick succession are one, and later ones are not", () => {
  const gaps = (...list: ReturnType<typeof gap>[]) =>
    timeline([], undefined, list).map((item) => item.kind === "gap" && [item.from, item.to]);
  assert.deepEqual(gaps(gap(0, 10, 0), gap(20, 30, 0), gap(40, 50, 0)), [[0, 50]]);
  assert.deepEqual(gaps(gap(0, 10, 0), gap(10 + MINUTE, 30 + MINUTE, 0)), [
    [0, 10],
    [10 + MINUTE, 30 + MINUTE],
  ]);
});

test("a gap is told with its times, and with its days when there are two", () => {
  const formats = {
    time: new Intl.DateTimeFormat("en-GB", { timeStyle: "short" }),
    short: new Intl.DateTimeFormat("en-GB", { dateStyle: "short", timeStyle: "short" }),
    full: new Intl.DateTimeFormat("en-GB"),
  };
  const [english, japanese] = [dictionaryFor(["en"]), dictionaryFor(["ja"])];
  assert.equal(
    gapText({ from: noon, to: noon + 2 * MINUTE }, formats, english),
    "Messages between 12:00 and 12:02 may be missing.",
  );
  assert.equal(gapText({ from: noon, to: noon + 1 }, formats, english), "Messages at 12:00 may be missing.");
  assert.match(
    gapText({ from: noon, to: noon + DAY }, formats, english),
    /between 22\/11\/2026, 12:00 and 23\/11\/2026, 12:00/,
  );
  assert.match(gapText({ from: noon, to: noon + 2 * MINUTE }, formats, japanese), /^12:00 から 12:02 まで/);
});

test("only a line above missing messages that the server may have reads them", () => {
  const items = timeline([message("a", "alice", noon), message("b", "alice", noon)], undefined, [], ["a", "b"], ["b"]);
  const lines = items.flatMap((item) => (item.kind === "missing" ? [[item.key, item.open]] : []));
  assert.deepEqual(lines, [
    ["missing a", true],
    ["missing b", false],
  ]);
});

test("a line stands above each message above which some are missing", () => {
  const messages = [message("a", "alice", noon), message("b", "alice", noon), message("c", "alice", noon)];
  assert.deepEqual(shape(timeline(messages, undefined, [], ["b", "unknown"])), [
    "day",
    "a first",
    "missing",
    "b first",
    "c",
  ]);
});
