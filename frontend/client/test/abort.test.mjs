import assert from "node:assert/strict";
import { test } from "node:test";
import { settle, signed, world } from "./world.mjs";

test("a client that is disposed at any moment of signing stays disposed, and can begin again", async () => {
  for (let moment = 0; moment < 40; moment++) {
    let answer;
    const w = world();
    w.answers.push(new Promise((resolve) => (answer = resolve)));
    w.chat.connect();
    await settle();
    answer(signed());
    for (let i = 0; i < moment; i++) await undefined;
    const before = w.chat.state.status;
    w.chat.dispose();
    await settle();
    assert.equal(w.chat.state.status, "idle", `disposed after ${moment} microtasks while ${before}`);
    assert.ok(
      w.sockets.every((s) => s.closed),
      `socket stays open after ${moment} microtasks`,
    );
    w.chat.connect();
    await settle();
    assert.notEqual(w.chat.state.status, "idle");
  }
});

test("a listener may dispose in each state", async () => {
  for (const status of ["signing", "connecting", "open"]) {
    const w = world();
    w.chat.subscribe(() => w.chat.state.status === status && w.chat.dispose());
    w.chat.connect();
    await settle();
    if (w.sockets[0] && !w.sockets[0].closed) await w.socket.accept();
    assert.equal(w.chat.state.status, "idle", status);
    assert.ok(
      w.sockets.every((s) => s.closed),
      `socket stays open in ${status}`,
    );
    assert.equal(w.clock.timers, 0, status);
    assert.equal(w.watching, 0, status);
  }
});
