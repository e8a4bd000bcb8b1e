// Many clients in many bad networks. logworld.mjs has the checks.
import assert from "node:assert/strict";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { pathToFileURL } from "node:url";

import { Room } from "../dist/room.js";
import { simulate } from "./logworld.mjs";

const SEEDS = 10_000;

/** The first seed that fails, with its error. */
function firstFailure(Room, seeds) {
  for (let seed = 0; seed < seeds; seed++) {
    try {
      simulate(Room, seed);
    } catch (error) {
      return { seed, error };
    }
  }
  return undefined;
}

test("whatever the network does, every client shows the log in the end, and asks only with a reason", () => {
  const failure = firstFailure(Room, SEEDS);
  assert.equal(failure, undefined, failure && `seed ${failure.seed}: ${failure.error.message}`);
});

test("the same seed is the same run", () => {
  for (const seed of [3, 42]) assert.equal(simulate(Room, seed), simulate(Room, seed));
});

/**
 * Mistakes in the state machine, and whether the simulation notices them. The tests of room.test.mjs notice those that
 * it does not.
 */
const mistakes = [
  ["a repetition is taken again", "log", "item.seq <= this.list", "false && this.list", true],
  [
    "a loose entry is taken at once",
    "log",
    "this.loose.get(this.position + 1)",
    "this.loose.get(this.position + 1) ?? this.loose.get(this.position + 2)",
    true,
  ],
  ["the position moves by two", "log", "this.position++", "this.position += 2", true],
  ["loose entries never follow", "log", "    settle() {", "    settle() {\n        return;", true],
  ["an answer ends where the log does", "log", "entries.at(-1)?.seq ?? (complete", "head ?? (complete", true],
  ["an answer is put at the end of the list", "log", "seq < from", "seq < from || seq > to", true],
  ["an expired part is no hole", "log", "!complete && first", "false && first", true],
  ["a jump leaves no hole", "log", "upto > known + 1", "false", true],
  ["older entries do not close a hole", "log", "hole.upto = entries[0]?.seq ?? hole.upto;", "", true],
  ["older entries end at the first page", "log", "hole.open = more;", "hole.open = false;", true],
  ["older entries never end", "log", "hole.open = more;", "", true],
  ["a restored log keeps what is gone", "log", "if (head > 0)", "if (false)", true],
  ["given up messages leave no hole", "log", "this.holes.unshift(", "void (", false],
  ["expired numbers are waited for", "log", "if (at <= until)", "if (false)", true],
  ["a note of a deletion is not taken", "log", "this.#deleted.add(of)", "void of", true],
  ["a deleted message keeps its text", "log", "isNews ||= of > 0 ||", "isNews ||=", true],
  ["an old copy brings a deleted text back", "log", "known ? this.cleaned(known) : []", "known ?? []", true],
  ["a waiting message keeps its deleted text", "room", "this.log.cleaned(message)", "message", false],
  ["an erasure takes later messages, too", "log", "seq < this.#erased", "0 < this.#erased", true],
  ["an erasure is not taken", "log", "this.#erased.set(erased,", "void (erased,", true],
  ["a late hash erases nothing", "log", "this.#erased.has(hash) && this.#clean()", "false", false],
  ["a new log keeps the old deletions", "log", "[this.loose, this.#deleted, this.#erased]", "[this.loose]", false],
  ["a new log is not noticed", "room", "answer.head < answer.after", "false", true],
  ["nothing is asked after a reconnect", "room", "this.live = false;\n        this.#behind = true;", "", true],
  ["a missing entry is not asked for", "room", "(this.#gapAt ?? now", "(Infinity ?? now", true],
  ["every missing entry is asked for", "room", "if (this.#asked || Math", "if (Math", true],
  ["a lost question is not asked again", "room", "if (isOver)", "if (false)", true],
  ["one page is enough", "room", "answer.after !== undefined && answer.more", "false", true],
  ["a question is asked again at once", "room", "this.#asked = { id, at, main, want };", "", true],
  ["an answer to an earlier question counts", "room", "answer.after === this.position && answer", "answer", false],
  ["an acknowledged number is forgotten", "room", "Math.max(this.#heard, seq)", "0", true],
  ["hundreds of pages are read", "room", "answer.head - this.position > FAR", "false", false],
  ["a quiet room does not ask", "room", "this.quietAt = Infinity;\n        this.#behind = true;", "", true],
  ["a quiet room asks too late", "room", "now + SILENCE", "now + 2 * SILENCE", true],
  ["nothing is held back", "room", "at + HOLD <= now", "true", false],
  ["the mark of another device is not taken", "room", "told(seq) {\n        this.markRead(seq);", "told(seq) {", true],
  ["a mark moves back", "room", "seq > this.#read;", "seq !== this.#read;", false],
  ["a mark is not told", "room", "this.#read > this.#told ?", "false ?", true],
  ["own messages are unread", "room", "&& !own &&", "&&", false],
  ["deleted messages are unread", "room", "!own && !deleted", "!own", true],
  ["an older frame about users counts", "room", "this.#presence.n > n", "false", false],
  [
    "users are asked for once",
    "room",
    "this.#tries = this.#pausedUntil = 0;\n        this.asksHere = true;",
    "",
    false,
  ],
  ["a jump raises what was seen", "room", "this.missing(floor)?.after ?? this.position", "this.position", false],
];

test("the simulation notices mistakes", async (t) => {
  const folder = await mkdtemp(join(tmpdir(), "mistakes-"));
  t.after(() => rm(folder, { recursive: true }));
  await writeFile(join(folder, "package.json"), '{"type":"module"}');
  const source = {};
  for (const name of ["log", "room"])
    source[name] = await readFile(new URL(`../dist/${name}.js`, import.meta.url), "utf8");
  for (const [index, [name, file, from, to, isNoticed]] of mistakes.entries()) {
    assert.equal(source[file].split(from).length, 2, `${name}: "${from}" is not in ${file}.js once`);
    const broken = { ...source, [file]: source[file].replace(from, () => to) };
    await writeFile(join(folder, `log${index}.js`), broken.log);
    const room = join(folder, `room${index}.js`);
    await writeFile(room, broken.room.replace('"./log.js"', `"./log${index}.js"`));
    const { Room: Broken } = await import(pathToFileURL(room));
    const failure = firstFailure(Broken, isNoticed ? 3_000 : 200);
    assert.equal(failure !== undefined, isNoticed, `${name}: ${failure?.error.message}`);
  }
});
