import assert from "node:assert/strict";
import { test } from "node:test";
import { otherNameOf } from "../src/server/origin";

test("the page has one name on this machine", () => {
  const local = "http://127.0.0.1:3001";
  for (const [origin, host, want] of [
    [local, "localhost:3001", local],
    [local, "[::1]:3001", local],
    ["http://localhost:3000", "127.0.0.1:3000", "http://localhost:3000"],
    [local, "127.0.0.1:3001", undefined],
    [local, "localhost:3000", undefined], // another server, or a proxy in between
    [local, "chat.example:3001", undefined],
    [local, null, undefined],
    [local, "not a host", undefined],
    ["https://chat.example", "localhost", undefined],
  ] as const)
    assert.equal(otherNameOf(origin, host), want, `${origin} ${host}`);
});
