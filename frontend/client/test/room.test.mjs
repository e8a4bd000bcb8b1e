// One room, event by event.
import assert from "node:assert/strict";
import { test } from "node:test";

import { Room } from "../dist/room.js";

const DAY = 86_400_000;

const BOB = { sub: "bob", name: "Bob" };
const item = (seq, over = {}) => ({
  seq,
  message: { id: `m${seq}`, seq, from: BOB, text: `text ${seq}`, sentAt: seq, own: false, ...over },
});
const items = (from, to) => Array.from({ length: to - from + 1 }, (_, i) => item(from + i));

/** A room at a time, with the random number 0.5. */
class Play {
  now = 1_000;
  #id = 0;

  constructor(page = 50, most = 10_000) {
    this.room = new Room(() => 0.5, page, most);
  }

  /** The question that is due now. */
  ask() {
    this.unanswered = this.room.giveUp(this.now);
    return this.question((id) => this.room.ask(id, this.now));
  }

  question(ask) {
    const want = ask(`h${this.#id + 1}`);
    if (want) this.id = `h${++this.#id}`;
    this.wait = this.room.wait(this.now);
    return want;
  }

  answer(over) {
    const frame = { clientId: this.id, head: 0, complete: true, more: false, keepDays: 7, entries: [], ...over };
    if (over.entries && !("head" in over)) frame.head = over.entries.at(-1)?.seq ?? 0;
    return this.room.answer(frame, this.now);
  }

  push(...seqs) {
    for (const seq of seqs) this.room.pushed(item(seq), this.now);
  }

  later(ms) {
    this.now += ms;
    return this;
  }

  get shown() {
    return this.room.messages(this.now).map(({ seq }) => seq);
  }

  get state() {
    const { read, unread, ...state } = this.room.state(this.now);
    return state;
  }

  /** The number up to which the user has read, and how many messages are above it. */
  get reading() {
    const { read, unread } = this.room.state(this.now);
    return [read, unread];
  }

  /** The texts of the messages from a number on. */
  texts(from) {
    return this.room.messages(this.now).flatMap(({ seq, text, deleted }) => (seq < from ? [] : deleted ? null : text));
  }
}

/** A room that is live and has the messages from 11 to 20, of a log that may have older ones. */
function live({ more = true, page, most } = {}) {
  const play = new Play(page, most);
  play.ask();
  play.answer({ last: 50, entries: items(11, 20), complete: false, more });
  assert.equal(play.ask(), undefined);
  return play;
}

const range = (from, to) => Array.from({ length: to - from + 1 }, (_, i) => from + i);

test("a gap that the server cannot fill is closed, unless it lies beside one that it may fill", () => {
  const play = live({ more: false });
  play.room.opened();
  play.ask();
  play.answer({ after: 20, entries: items(31, 35), complete: false });
  assert.deepEqual([play.state.gaps, play.state.closed], [["m31"], ["m31"]]);
  play.room.opened();
  play.ask();
  play.answer({ after: 35, entries: items(36, 40), head: 900, more: true });
  play.ask();
  play.answer({ last: 50, entries: items(851, 900), complete: false, more: true });
  assert.deepEqual([play.state.gaps, play.state.closed], [["m31", "m851"], ["m31"]]);
  assert.equal("closed" in live().state, false);
});

test("each event of a room puts off the question what is new, and a server without a log is not asked", () => {
  const play = live();
  const events = {
    pushed: () => play.push(21),
    heard: () => play.room.heard(21, play.now),
    answer() {
      play.question((id) => play.room.question(false, id, play.now));
      play.answer({ after: 21, head: 21 });
    },
    synced() {
      play.question((id) => play.room.question(false, id, play.now));
      assert.equal(play.room.synced("h99", 21, play.now), false);
      assert.ok(play.room.quietAt < play.now + 525_000);
      play.room.synced(play.id, 21, play.now);
    },
  };
  for (const [name, happens] of Object.entries(events)) {
    play.later(60_000);
    happens();
    assert.equal(play.room.quietAt, play.now + 525_000, name);
  }
  play.later(269_999).room.sync(play.now);
  assert.equal(play.ask(), undefined);
  play.later(1).room.sync(play.now);
  assert.deepEqual([play.ask(), play.room.quietAt], [{ after: 21 }, Infinity]);
  play.answer({ after: 21, head: 21, keepDays: 0 });
  assert.equal(play.room.quietAt, Infinity);
});

test("a room that has nothing asks for the last messages", () => {
  const play = new Play(30);
  assert.equal(play.state.status, "opening");
  assert.deepEqual(play.ask(), { last: 30 });
  assert.equal(play.ask(), undefined);
  play.answer({ last: 30, entries: items(11, 20), complete: false, more: true });
  assert.deepEqual(play.shown, range(11, 20));
  assert.deepEqual(play.state, { status: "live", more: true, gaps: [], keepDays: 7 });
});

test("an empty room is live, and begins with whatever number comes", () => {
  const play = new Play();
  play.ask();
  play.answer({ last: 50, complete: false });
  assert.deepEqual(play.state, { status: "live", more: false, gaps: [], keepDays: 7 });
  play.push(1000);
  play.later(800);
  assert.deepEqual(play.ask(), { after: 0 });
  play.answer({ after: 0, entries: items(1000, 1001) });
  assert.deepEqual([play.shown, play.state.gaps, play.state.more], [[1000, 1001], [], false]);
});

test("a room of a server without history is live, and keeps nothing", () => {
  const play = new Play();
  play.ask();
  play.answer({ last: 50, complete: false, keepDays: 0 });
  assert.deepEqual(play.state, { status: "live", more: false, gaps: [], keepDays: 0 });
});

test("the next number is shown at once, and a number that was there is not shown again", () => {
  const play = live();
  play.push(21, 21, 15, 22, 20);
  assert.deepEqual(play.shown, range(11, 22));
  assert.equal(play.ask(), undefined);
});

test("a message whose predecessor is missing is held back for 250 ms, an own one is not", () => {
  const play = live();
  play.push(22);
  assert.deepEqual(play.shown, range(11, 20));
  play.room.pushed(item(24, { own: true }), play.now);
  assert.deepEqual(play.shown, [...range(11, 20), 24]);
  assert.equal(play.ask(), undefined);
  assert.equal(play.wait, 250);
  assert.deepEqual(play.later(249).shown, [...range(11, 20), 24]);
  assert.deepEqual(play.later(1).shown, [...range(11, 20), 22, 24]);
  play.push(21, 23);
  assert.deepEqual(play.shown, range(11, 24));
});

test("a missing message is asked for after 300 to 1,300 ms, once", () => {
  const play = live();
  play.push(22, 23);
  play.later(799);
  assert.equal(play.ask(), undefined);
  assert.deepEqual(play.later(1).ask(), { after: 20 });
  play.push(25);
  assert.equal(play.later(5_000).ask(), undefined);
  play.answer({ after: 20, entries: items(21, 25) });
  assert.deepEqual([play.shown, play.ask(), play.wait], [range(11, 25), undefined, Infinity]);
});

test("a missing message that comes late is not asked for", () => {
  const play = live();
  play.push(22);
  play.later(700).push(21);
  assert.equal(play.later(700).ask(), undefined);
  assert.equal(play.wait, Infinity);
});

test("each gap has its own wait", () => {
  const play = live();
  play.push(22);
  play.later(700).push(21, 24);
  assert.equal(play.later(799).ask(), undefined);
  assert.deepEqual(play.later(1).ask(), { after: 22 });
});

test("an acknowledged number that has not come is asked for", () => {
  const play = live();
  play.room.heard(21, play.now);
  assert.deepEqual(play.later(800).ask(), { after: 20 });
  play.answer({ after: 20, entries: items(21, 21) });
  assert.equal(play.later(10_000).ask(), undefined);
});

test("a number that was pushed, and that the log does not have any more, is not waited for", () => {
  const play = live();
  play.push(25);
  play.room.heard(26, play.now);
  assert.deepEqual(play.later(800).ask(), { after: 20 });
  play.answer({ after: 20, head: 20 });
  assert.deepEqual([play.ask(), play.wait, play.shown], [undefined, Infinity, range(11, 20)]);
});

test("after a reconnection a room asks for what is new, page by page", () => {
  const play = live();
  play.room.lost();
  assert.deepEqual([play.state.status, play.room.ready], ["catching-up", false]);
  play.room.opened();
  assert.deepEqual(play.ask(), { after: 20 });
  play.answer({ after: 20, entries: items(21, 30), head: 35, more: true });
  assert.deepEqual([play.state.status, play.ask()], ["catching-up", { after: 30 }]);
  play.answer({ after: 30, entries: items(31, 35) });
  assert.deepEqual([play.state.status, play.room.ready, play.shown], ["live", true, range(11, 35)]);
});

test("entries that are no messages have a number and nothing else", () => {
  const play = live();
  play.room.pushed({ seq: 21 }, play.now);
  play.push(22);
  assert.deepEqual([play.shown, play.ask(), play.wait], [[...range(11, 20), 22], undefined, Infinity]);
});

test("a client that is more than 500 behind shows the last page, and a gap that can be filled", () => {
  for (const [head, next] of [
    [530, { after: 30 }],
    [531, { last: 50 }],
  ]) {
    const play = live({ more: false });
    play.room.opened();
    play.ask();
    play.answer({ after: 20, entries: items(21, 30), head, more: true });
    assert.deepEqual(play.ask(), next);
  }
  const play = live({ more: false });
  play.room.opened();
  play.ask();
  play.answer({ after: 20, entries: items(21, 30), head: 900, more: true });
  play.ask();
  play.answer({ last: 50, entries: items(801, 900), complete: false, more: true });
  assert.deepEqual(play.shown, [...range(11, 30), ...range(801, 900)]);
  assert.deepEqual(play.state, { status: "live", more: true, gaps: ["m801"], keepDays: 7 });
  play.room.loadOlder();
  assert.deepEqual(play.ask(), { before: 801, limit: 50 });
  play.answer({ before: 801, entries: items(25, 800), complete: false, more: true });
  assert.deepEqual([play.shown, play.state.gaps, play.state.more], [range(11, 900), [], false]);
});

test("older messages come a page at a time, until there are none", () => {
  const play = live({ page: 5 });
  play.room.loadOlder();
  play.room.loadOlder();
  assert.deepEqual(play.ask(), { before: 11, limit: 5 });
  play.room.loadOlder();
  assert.equal(play.ask(), undefined);
  play.answer({ before: 11, entries: items(6, 10), head: 20, complete: false, more: true });
  assert.deepEqual([play.shown, play.ask()], [range(6, 20), undefined]);
  play.room.loadOlder();
  assert.deepEqual(play.ask(), { before: 6, limit: 5 });
  play.answer({ before: 6, entries: items(4, 5), head: 20, complete: false, more: false });
  assert.deepEqual([play.shown, play.state.more], [range(4, 20), false]);
  play.room.loadOlder();
  assert.deepEqual([play.ask(), play.state.gaps], [undefined, []]);
});

test("a server that does not keep what comes next is told with a gap", () => {
  const play = live();
  play.room.opened();
  play.ask();
  play.answer({ after: 20, entries: items(31, 35), complete: false });
  assert.deepEqual([play.shown, play.state.gaps], [[...range(11, 20), ...range(31, 35)], ["m31"]]);
  assert.equal(play.state.status, "live");
});

test("when the log has been restored, the client reads its end, and tells of a gap", () => {
  const play = live({ more: false });
  play.push(22);
  play.room.opened();
  play.ask();
  assert.equal(play.answer({ after: 20, head: 15 }), true);
  assert.deepEqual([play.ask(), play.room.position], [{ last: 50 }, undefined]);
  assert.equal(play.answer({ last: 50, entries: items(14, 16), complete: false, more: true }), false);
  assert.deepEqual([play.shown, play.state.gaps, play.state.status], [range(11, 16), ["m16"], "live"]);
});

test("when everything has expired, a gap is told only if something may have been missed", () => {
  for (const [days, gaps] of [
    [6.9, []],
    [7, ["m1000"]],
  ]) {
    const play = live({ more: false });
    play.later(days * DAY).room.opened();
    assert.deepEqual(play.ask(), { after: 20 });
    assert.equal(play.answer({ after: 20, head: 0 }), true);
    assert.deepEqual(play.ask(), { last: 50 });
    play.answer({ last: 50, complete: false });
    assert.deepEqual(play.shown, range(11, 20));
    play.push(1000);
    assert.deepEqual(play.later(800).ask(), { after: 0 });
    play.answer({ after: 0, entries: items(1000, 1001) });
    assert.deepEqual([play.shown, play.state.gaps], [[...range(11, 20), 1000, 1001], gaps]);
  }
});

test("a late copy of a message that has expired is not shown again", () => {
  const play = live();
  play.room.opened();
  play.ask();
  play.answer({ after: 20, head: 0 });
  play.push(18);
  play.ask();
  play.answer({ last: 50, complete: false });
  play.push(19);
  assert.deepEqual([play.later(250).shown, play.later(10_000).ask()], [range(11, 20), undefined]);
});

test("a question without an answer is asked again after up to 10, 20 and 40 s, and a ping goes first", () => {
  const play = live();
  play.room.opened();
  play.ask();
  for (const wait of [5_000, 10_000, 20_000, 20_000]) {
    play.later(9_999).ask();
    assert.equal(play.unanswered, false);
    assert.equal(play.later(1).ask(), undefined);
    assert.deepEqual([play.unanswered, play.wait], [true, wait]);
    assert.equal(play.later(wait - 1).ask(), undefined);
    assert.deepEqual(play.later(1).ask(), { after: 20 });
  }
});

test("a room without answers does not hold messages back for more than two questions", () => {
  const play = live();
  play.room.lost();
  play.room.opened();
  const ready = [];
  for (let second = 0; second <= 30; second++) {
    play.ask();
    ready.push(play.room.ready);
    play.later(1_000);
  }
  assert.deepEqual([ready.indexOf(true), play.state.status], [25, "catching-up"]);
});

test("a refused question waits as long as the server says", () => {
  const play = live();
  play.room.opened();
  play.ask();
  play.room.refused("another", 100, play.now);
  assert.equal(play.later(500).ask(), undefined);
  play.room.refused(play.id, 4_000, play.now);
  assert.equal(play.later(3_999).ask(), undefined);
  assert.deepEqual(play.later(1).ask(), { after: 20 });
});

test("an answer that was read while entries were hidden is asked for again", () => {
  const first = new Play();
  first.ask();
  first.answer({ last: 50, head: 20, complete: false });
  assert.deepEqual([first.state.status, first.ask(), first.wait], ["opening", undefined, 5_000]);
  const play = live();
  play.room.opened();
  play.ask();
  play.answer({ after: 20, head: 25, more: true });
  assert.deepEqual([play.state.status, play.ask(), play.wait], ["catching-up", undefined, 5_000]);
  assert.equal(play.room.position, 20);
});

test("an answer to an earlier question counts only where it begins at the position", () => {
  const play = live();
  play.room.opened();
  play.ask();
  play.later(10_000).ask();
  play.later(5_000).ask();
  play.answer({ clientId: "h2", after: 20, entries: items(21, 22) });
  assert.deepEqual([play.shown, play.state.status], [range(11, 22), "catching-up"]);
  play.answer({ after: 20, entries: items(21, 23) });
  assert.deepEqual([play.shown, play.state.status], [range(11, 23), "live"]);
  // It was read before the log began anew.
  play.answer({ clientId: "h1", after: 19, entries: items(30, 32), complete: false });
  play.answer({ clientId: "h1", after: 23, head: 0 });
  play.answer({ clientId: "h1", last: 50, entries: items(90, 92) });
  assert.deepEqual([play.shown, play.room.position], [range(11, 23), 23]);
});

test("synced is an answer only to the question that was asked", () => {
  const play = live();
  play.room.opened();
  play.ask();
  play.room.synced("another", 20, play.now);
  assert.equal(play.state.status, "catching-up");
  play.room.synced(play.id, 20, play.now);
  assert.equal(play.state.status, "live");
  assert.equal(play.room.synced(play.id, 0, play.now), false);
});

test("a question whether anything is new is not asked twice, but for another connection it is", () => {
  const play = live();
  const ask = (next) => play.question((id) => play.room.question(next, id, play.now));
  assert.deepEqual(ask(false), { after: 20 });
  assert.equal(ask(false), undefined);
  assert.deepEqual(ask(true), { after: 20 });
  play.answer({ after: 20, head: 20 });
  assert.equal(play.state.status, "live");
});

test("at most so many messages are kept, and the ones given up can not be had again", () => {
  const play = live({ most: 12 });
  play.push(...range(21, 24));
  assert.deepEqual(play.shown, range(13, 24));
  play.room.loadOlder();
  assert.deepEqual([play.state.more, play.ask()], [false, undefined]);
  // Where there is room again, they are known to be missing.
  const small = new Play(50, 12);
  small.ask();
  small.answer({ last: 50, complete: false });
  small.push(...range(1, 20));
  assert.deepEqual([small.shown, small.state.more], [range(9, 20), false]);
  small.room.opened();
  small.ask();
  small.answer({ after: 20, head: 18 });
  small.ask();
  small.answer({ last: 50, entries: items(17, 18), complete: false, more: true });
  small.room.loadOlder();
  assert.deepEqual(small.ask(), { before: 9, limit: 50 });
});

test("the seen entries behind a floor end at a jump, and at nothing else", () => {
  const play = live();
  assert.deepEqual([play.room.seen(20), play.room.seen(11)], [20, 20]);
  play.push(21, 22);
  assert.equal(play.room.seen(20), 22);
  play.room.opened();
  play.ask();
  play.answer({ after: 22, entries: items(23, 30), head: 900, more: true });
  play.ask();
  play.answer({ last: 50, entries: items(881, 900), complete: false, more: true });
  assert.deepEqual([play.room.seen(20), play.room.seen(30), play.room.seen(900)], [30, 30, 900]);
  play.room.search(20);
  assert.deepEqual(play.ask(), { after: 30 });
  play.answer({ after: 30, entries: items(31, 400), head: 900, more: true });
  assert.deepEqual([play.room.seen(20), play.ask()], [400, { after: 400 }]);
  play.answer({ after: 400, entries: items(401, 890), head: 900, more: true });
  assert.deepEqual([play.room.seen(20), play.ask(), play.state.gaps], [900, undefined, []]);
  assert.deepEqual(play.shown, range(11, 900));
});

test("a search ends where messages are not kept", () => {
  const play = live();
  play.room.opened();
  play.ask();
  play.answer({ after: 20, entries: items(21, 30), head: 900, more: true });
  play.ask();
  play.answer({ last: 50, entries: items(881, 900), complete: false, more: true });
  play.room.search(20);
  play.ask();
  play.answer({ after: 30, entries: items(500, 600), head: 900, complete: false, more: true });
  assert.deepEqual([play.room.missing(20).open, play.room.seen(20), play.ask()], [false, 30, undefined]);
});

test("a note of a deletion takes the text of a message that is here, waits or comes later", () => {
  const play = live();
  play.push(23);
  play.room.pushed({ seq: 24, of: 19 }, play.now);
  play.room.pushed({ seq: 25, of: 23 }, play.now);
  play.room.pushed({ seq: 26, of: 21 }, play.now);
  play.push(21, 22);
  assert.deepEqual(play.texts(18), ["text 18", null, "text 20", null, "text 22", null]);
  assert.deepEqual([play.room.position, play.ask(), play.wait], [26, undefined, Infinity]);
  const gone = play.room.messages(play.now).find(({ seq }) => seq === 19);
  assert.deepEqual(gone, { id: "m19", seq: 19, from: BOB, text: "", sentAt: 19, own: false, deleted: true });
});

test("a message that an answer has as deleted loses its text, and an older answer does not bring it back", () => {
  const play = live();
  play.push(21, 22);
  play.room.opened();
  play.ask();
  const gone = item(23, { text: "", deleted: true, from: { sub: "", name: "" } });
  play.answer({ after: 22, entries: [gone, { seq: 24, of: 21 }, { seq: 25, of: 12 }] });
  assert.deepEqual(play.texts(21), [null, "text 22", null]);
  play.room.search(10);
  play.room.opened();
  play.ask();
  play.answer({ after: 25, head: 25 });
  play.room.loadOlder();
  play.ask();
  play.answer({ before: 11, entries: items(1, 10), head: 25, complete: false, more: false });
  assert.deepEqual(play.texts(11).slice(0, 3), ["text 11", null, "text 13"]);
});

test("a deleted message of a page that was read before the deletion comes without its text", () => {
  const play = live();
  play.room.loadOlder();
  assert.deepEqual(play.ask(), { before: 11, limit: 50 });
  play.room.pushed({ seq: 21, of: 10 }, play.now);
  play.answer({ before: 11, entries: items(9, 10), head: 20, complete: false, more: false });
  assert.deepEqual(play.texts(0).slice(0, 3), ["text 9", null, "text 11"]);
});

test("messages of an erased user lose text and name, up to the entry that says so", () => {
  const play = live();
  const mallory = { from: { sub: "mallory", name: "Mallory" } };
  play.room.pushed(item(21, mallory), play.now);
  play.room.pushed(item(23, mallory), play.now);
  assert.equal(play.room.log.identify("bob", "hash of bob"), false);
  assert.deepEqual([play.room.log.knows("bob"), play.room.log.knows("mallory")], [true, false]);
  play.room.pushed({ seq: 24, erased: "hash of mallory" }, play.now);
  assert.deepEqual(play.later(250).texts(20), ["text 20", "text 21", "text 23"]);
  assert.equal(play.room.log.identify("mallory", "hash of mallory"), true);
  assert.deepEqual(play.texts(20), ["text 20", null, null]);
  play.room.pushed(item(22, mallory), play.now);
  play.room.pushed(item(25, mallory), play.now);
  assert.deepEqual(play.texts(20), ["text 20", null, null, null, "text 25"]);
  const [, gone] = play.room.messages(play.now).slice(-4);
  assert.deepEqual([gone.from, gone.id, gone.seq], [{ sub: "", name: "" }, "m22", 22]);
});

test("the numbers of a log that began anew have nothing to do with earlier deletions", () => {
  const play = live({ more: false });
  play.room.pushed({ seq: 21, of: 16 }, play.now);
  play.room.pushed({ seq: 22, erased: "hash" }, play.now);
  play.room.log.identify("bob", "hash");
  play.room.opened();
  play.ask();
  play.answer({ after: 22, head: 15 });
  play.ask();
  play.answer({ last: 50, entries: items(16, 17), complete: false, more: true });
  assert.deepEqual(play.texts(15), [null, "text 16", "text 17"]);
});

test("unread are the messages of others above the number up to which the user has read", () => {
  const play = live({ more: false });
  assert.deepEqual(play.reading, [0, 10]);
  play.room.told(17);
  assert.deepEqual([play.reading, play.room.untold], [[17, 3], undefined]);
  play.room.pushed(item(21, { own: true }), play.now);
  play.room.pushed({ seq: 22, of: 20 }, play.now);
  play.push(23, 25);
  assert.deepEqual(play.later(250).reading, [17, 4]);
  assert.deepEqual([play.room.markRead(16), play.room.markRead(21), play.room.untold], [false, true, 21]);
  assert.deepEqual(play.reading, [21, 2]);
  play.room.told(19);
  assert.equal(play.room.untold, 21);
  play.push(27);
  play.room.markShown(play.now);
  assert.deepEqual([play.later(250).reading, play.room.untold], [[25, 1], 25]);
  play.room.told(30);
  assert.deepEqual([play.reading, play.room.untold], [[30, 0], undefined]);
});

test("after the table was restored new messages under the old numbers are unread", () => {
  const play = live();
  play.room.told(20);
  play.room.opened();
  assert.deepEqual(play.ask(), { after: 20 });
  play.answer({ after: 20, head: 15 });
  play.ask();
  play.answer({ last: 50, entries: items(11, 17), complete: false, more: true });
  assert.deepEqual([play.reading, play.room.untold], [[15, 2], undefined]);
});

test("messages between the last page and what was read are unread, and a jump of the numbers is not", () => {
  const play = live({ more: true });
  for (const [read, unread] of [
    [5, 15],
    [10, 10],
    [12, 8],
  ]) {
    play.room.told(read);
    assert.deepEqual(play.reading, [read, unread]);
  }
  const anew = new Play();
  anew.room.told(5);
  anew.ask();
  anew.answer({ last: 50, entries: items(1_000_000, 1_000_049), complete: false, more: true });
  assert.deepEqual(anew.reading, [5, 50]);
});

test("a room that is not live does not count", () => {
  const play = live();
  play.room.opened();
  assert.deepEqual(play.reading, [undefined, undefined]);
  const keepsNothing = new Play();
  keepsNothing.ask();
  keepsNothing.answer({ last: 50, complete: false, keepDays: 0 });
  assert.deepEqual(keepsNothing.reading, [undefined, undefined]);
});

test("of two frames about users the one with the higher number stays, on one connection", () => {
  const play = live();
  const present = (n, count, from, users) => play.room.present({ n, count, users }, from);
  assert.equal("here" in play.state, false);
  present(7, 1, "first", [BOB]);
  assert.deepEqual(play.state.here, { count: 1, users: [BOB] });
  present(6, 5, "first");
  assert.equal(play.state.here.count, 1);
  present(8, 300, "first");
  assert.deepEqual(play.state.here, { count: 300 });
  present(2, 2, "second");
  assert.equal(play.state.here.count, 2);
  play.room.lost();
  assert.equal("here" in play.state, false);
});

test("in a large room a missing message is asked for after up to 2 ms for each user", () => {
  const play = live();
  play.room.present({ n: 1, count: 10_000 }, "first");
  play.push(22);
  assert.equal(play.later(10_299).ask(), undefined);
  assert.deepEqual(play.later(1).ask(), { after: 20 });
});

test("a room asks for its users when it is opened, when it is quiet and when the page is back", () => {
  const play = live();
  const asks = () => {
    const { asksHere } = play.room;
    play.room.asksHere = false;
    return asksHere;
  };
  assert.deepEqual([asks(), asks()], [true, false]);
  for (const event of [
    () => play.room.opened(),
    () => play.room.question(false, "h9", play.now),
    () => play.later(540_000).room.sync(play.now),
  ]) {
    event();
    assert.equal(asks(), true);
  }
});
