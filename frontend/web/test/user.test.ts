import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { displayName, isModerator, validSubject } from "../src/server/signin/user";

test("the sub of a provider is taken unchanged, within the limits of the chat", () => {
  for (const sub of ["alice", "auth0|alice", "victim@example.com", "guest-1", "x".repeat(255), "é", " "])
    assert.ok(validSubject(sub), sub);
  for (const sub of ["", "x".repeat(256), "é".repeat(128), "a\u0000b", "a\u0085b", "a\nb", "\ud800"])
    assert.ok(!validSubject(sub), JSON.stringify(sub));
});

test("a claim makes a moderator as true or the text true, and in no other form", () => {
  for (const claim of [true, "true"]) assert.ok(isModerator(claim));
  for (const claim of [false, "false", "True", "true ", 1, "1", "", null, undefined, [true], ["true"], { true: true }])
    assert.ok(!isModerator(claim), JSON.stringify(claim));
});

test("a name is repaired and cut to what the chat takes, by its own table of cases, or is left out", () => {
  const cases = JSON.parse(readFileSync("../../shared/text/testdata/text.json", "utf8")) as {
    name: string;
    text: string;
    line: string | null;
    repairedLine?: string;
  }[];
  assert.ok(cases.length > 50);
  for (const { name, text, line, repairedLine } of cases) {
    assert.equal(displayName(text), repairedLine ?? line ?? undefined, name);
  }
  for (const name of [undefined, 7, "", "\ud800"]) assert.equal(displayName(name), undefined, JSON.stringify(name));
  assert.equal(displayName("x".repeat(128)), "x".repeat(128));
  assert.equal(displayName("x".repeat(129)), "x".repeat(128));
  assert.equal(displayName("名".repeat(43)), "名".repeat(42));
});
