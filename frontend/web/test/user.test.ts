import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { displayName, validSubject } from "../src/server/signin/user";

test("what a provider calls a user is taken as it is, within the chat's limits", () => {
  for (const sub of ["alice", "auth0|alice", "victim@example.com", "guest-1", "x".repeat(255), "é", " "])
    assert.ok(validSubject(sub), sub);
  for (const sub of ["", "x".repeat(256), "é".repeat(128), "a\u0000b", "a\u0085b", "a\nb", "\ud800"])
    assert.ok(!validSubject(sub), JSON.stringify(sub));
});

test("a name is one that the chat takes, by its own table of cases, or is left out", () => {
  const cases = JSON.parse(readFileSync("../../shared/text/testdata/text.json", "utf8")) as {
    name: string;
    text: string;
    line: string | null;
  }[];
  assert.ok(cases.length > 50);
  for (const { name, text, line } of cases) {
    if (Buffer.byteLength(text) <= 64) assert.equal(displayName(text), line ?? undefined, name);
  }
  for (const name of [undefined, 7, "x".repeat(65), "名".repeat(22), "\ud800"])
    assert.equal(displayName(name), undefined, JSON.stringify(name));
  assert.equal(displayName("x".repeat(64)), "x".repeat(64));
});
