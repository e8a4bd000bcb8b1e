// Whole clients send to one room whose server dies in between, over a network that loses and cuts. In the end the log
// has each message once, and every client shows the log.
import assert from "node:assert/strict";
import { test } from "node:test";

import { seeded } from "./logworld.mjs";
import { MINUTE, SECOND, serverId, signed, world } from "./world.mjs";

const SEEDS = 60;
const TICK = 100;
const FAR = 300; // entries that the server looks through
const NEAREST = 20; // without a number to begin at

/** The server of one room. */
class Server {
  log = [];
  members = new Set();

  constructor(random) {
    this.random = random;
  }

  chance(share) {
    return !this.calm && this.random() < share;
  }

  /** Sends frames to a member, unless they get lost. */
  push(member, ...frames) {
    for (const frame of frames) if (!this.isMute && !this.chance(this.loss)) member.inbox.push(frame);
  }

  append(over) {
    const entry = {
      seq: 1_000 + this.log.length,
      from: { sub: "bob", name: "Bob" },
      sentAt: 1_000 + this.log.length,
      ...over,
    };
    this.log.push(entry);
    return entry;
  }

  handle(member, frame) {
    if (this.chance(this.loss)) return;
    if (frame.action === "ping") this.push(member, { type: "pong" });
    if (frame.action === "history") this.answer(member, frame);
    if (frame.action === "sendmessage") this.take(member, frame);
  }

  answer(member, { id: clientId, want: [{ room, limit, ...want }] }) {
    const head = this.log.at(-1)?.seq ?? 0;
    const behind = this.log.filter(({ seq }) => seq > (want.after ?? 0) && seq < (want.before ?? Infinity));
    const entries = want.after === undefined ? behind.slice(-(want.last ?? limit)) : behind.slice(0, 100);
    const more = entries.length < behind.length;
    if (want.after !== undefined && !entries.length) {
      this.push(member, { type: "synced", clientId, heads: { [room]: head } });
    } else {
      const complete = want.after === undefined ? {} : { complete: true };
      this.push(member, { type: "history", room, clientId, ...want, entries, head, ...complete, more, keepDays: 7 });
    }
  }

  take(member, { id: clientId, message, after }) {
    const failed = { message: "Internal server error", connectionId: "c", requestId: "r" };
    if (this.chance(0.05)) return this.push(member, failed);
    const id = serverId("alice", clientId);
    const seen = after === undefined ? this.log.slice(-NEAREST) : this.log.filter(({ seq }) => seq > after);
    if (seen.length > FAR) return this.push(member, { type: "error", code: "far_behind", message: "…", clientId });
    const from = { sub: "alice", name: "Alice" };
    const entry = seen.find((entry) => entry.id === id) ?? this.append({ id, from, message });
    if (this.chance(0.1)) return this.push(member, failed);
    for (const each of this.members) this.push(each, { type: "message", room: "lobby", ...entry });
    this.push(member, { type: "ack", id, clientId, seq: entry.seq, recipients: 1, delivered: 1, gone: 0 });
  }
}

/** One page of alice. */
class Page {
  constructor(server) {
    this.server = server;
    this.w = world({ protocol: "chat.v2", rooms: ["lobby"], messagesPerWindow: 1000 });
    this.w.random = 0.3;
    const url = "wss://chat.example/prod?v=1&rm=lobby&X-Amz-Signature=0";
    this.w.answers.push(...Array.from({ length: 500 }, () => signed({ url })));
    this.w.chat.connect();
  }

  /** Lets time pass, and exchanges the frames. */
  async tick() {
    const { w, server } = this;
    await w.clock.advance(TICK);
    if (w.socket && w.socket !== this.member?.socket && !w.socket.closed) {
      this.leave();
      this.member = { socket: w.socket, inbox: [], read: 0 };
      server.members.add(this.member);
      await w.socket.accept();
    }
    const { member } = this;
    if (!member || member.socket.closed) return this.leave();
    for (const frame of member.inbox.splice(0)) await member.socket.receive(frame);
    for (; member.read < member.socket.sent.length; member.read++)
      server.handle(member, member.socket.sent[member.read]);
  }

  leave() {
    this.server.members.delete(this.member);
  }

  async cut() {
    this.leave();
    await this.member?.socket.end();
  }
}

/** The log gets a message that no page hears of, long after what the pages know and long before what comes next. */
async function trouble(server, pages, page, next) {
  const pick = (...numbers) => numbers[Math.floor(server.random() * numbers.length)];
  const others = (count) => {
    for (; count > 0; count--) server.append({ id: `BOB${server.log.length}`, message: "much" });
  };
  server.isMute = true;
  others(pick(0, 30, 250));
  page.w.chat.send(next());
  for (let i = 0; i < 3; i++) await page.tick();
  server.isMute = false;
  for (const each of pages) await each.cut();
  others(pick(30, 250, 700));
}

/** Half a minute of trouble, and then none. Returns what was wrong. */
async function play(seed) {
  const random = seeded(seed);
  const server = new Server(random);
  server.loss = [0, 0.1, 0.3][seed % 3];
  const pages = [new Page(server), new Page(server)];
  const said = [];
  const bursts = random() < 0.5;
  for (let time = 0; time < 30 * SECOND; time += TICK) {
    const page = pages[Math.floor(random() * 2)];
    if (random() < 0.06) {
      said.push(`message ${said.length}`);
      page.w.chat.send(said.at(-1));
    }
    if (random() < 0.02) await page.cut();
    if (random() < 0.04) server.append({ id: `BOB${server.log.length}`, message: "from bob" });
    if (bursts && random() < 0.01)
      await trouble(server, pages, page, () => said[said.push(`message ${said.length}`) - 1]);
    for (const each of pages) await each.tick();
  }
  server.calm = true;
  for (let time = 0; time < 2 * MINUTE; time += TICK) {
    if (time === 100 * SECOND) for (const { w } of pages) await w.wake();
    for (const each of pages) await each.tick();
  }
  return { said, server, pages };
}

test("a message that was sent again and again is in the log once, and every page shows the log", async () => {
  for (let seed = 0; seed < SEEDS; seed++) {
    const { said, server, pages } = await play(seed);
    const own = server.log.filter(({ from }) => from.sub === "alice").map(({ message }) => message);
    assert.deepEqual(own.toSorted(), said.toSorted(), `seed ${seed}`);
    for (const { w } of pages) {
      const { messages, roomStates } = w.chat.getSnapshot();
      assert.equal(roomStates.lobby.status, "live", `seed ${seed}`);
      const log = server.log.slice(-messages.length);
      if (roomStates.lobby.gaps.length === 0)
        assert.deepEqual(
          messages.map(({ seq, text, status }) => [seq, text, status]),
          log.map(({ seq, message }) => [seq, message, "delivered"]),
          `seed ${seed}`,
        );
    }
  }
});
