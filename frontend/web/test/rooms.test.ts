import assert from "node:assert/strict";
import { test } from "node:test";
import { claimedRooms } from "../src/browser/account/rooms";

function token(claims: object): string {
  return `h.${Buffer.from(JSON.stringify(claims)).toString("base64url")}.s`;
}

test("rooms are read from the claim as signurl reads them", () => {
  for (const [claim, rooms] of [
    [["lobby", "ops"], ["lobby", "ops"]],
    ["lobby ops,dev", ["lobby", "ops", "dev"]],
    ["lobby, lobby", ["lobby"]],
    [["Lobby", 7, "", "ok"], ["ok"]],
    [undefined, []],
    [Array.from({ length: 9 }, (_, n) => `r${n}`), ["r0", "r1", "r2", "r3", "r4", "r5", "r6", "r7"]],
  ] as const) {
    assert.deepEqual(claimedRooms(token({ name: "山田", rooms: claim }), "rooms"), rooms, JSON.stringify(claim));
  }
});

test("a token that cannot be read has no rooms", () => {
  for (const bad of ["", "opaque", "a.b.c", "a.bnVsbA.c"]) assert.deepEqual(claimedRooms(bad, "rooms"), [], bad);
});
