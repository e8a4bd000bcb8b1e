import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { claimedRooms } from "../src/browser/account/rooms";

function token(claims: object): string {
  return `h.${Buffer.from(JSON.stringify(claims)).toString("base64url")}.s`;
}

test("the names of rooms are read from the claim as signurl reads them, by its own table of cases", () => {
  const cases = JSON.parse(readFileSync("../../functions/signurl/testdata/roomsclaim.json", "utf8")) as {
    name: string;
    claim: unknown;
    rooms: string[];
  }[];
  assert.ok(cases.length > 20);
  for (const { name, claim, rooms } of cases)
    assert.deepEqual(
      claimedRooms(token({ rooms: claim }), "rooms"),
      rooms.map((right) => right.replace(":r", "")),
      name,
    );
});

test("a claim that is missing names no room, and one with many names as many as can be entered", () => {
  assert.deepEqual(claimedRooms(token({}), "rooms"), []);
  assert.deepEqual(claimedRooms(token({ rooms: Array.from({ length: 9 }, (_, n) => `r${n}`) }), "rooms"), [
    "r0",
    "r1",
    "r2",
    "r3",
    "r4",
    "r5",
    "r6",
    "r7",
  ]);
  assert.deepEqual(claimedRooms(token({ "https://example.com/rooms": ["日本"], groups: "lobby" }), "groups"), [
    "lobby",
  ]);
});

test("nine rights to eight rooms name eight rooms", () => {
  const rooms = Array.from({ length: 8 }, (_, n) => `r${n}`);
  assert.deepEqual(claimedRooms(token({ rooms: ["r0:r", ...rooms] }), "rooms"), rooms);
});

test("a malformed token names no room", () => {
  for (const text of ["", "opaque", "a.b.c", "h.bnVsbA.s", "h.W10.s"])
    assert.deepEqual(claimedRooms(text, "rooms"), [], text);
});
