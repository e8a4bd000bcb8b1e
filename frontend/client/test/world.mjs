// A world for a client in which time passes only when a test says so, and sockets do what they are told.
import { createHash } from "node:crypto";

import { createChatClient } from "../dist/index.js";
import { fromClient, signUrlRequest } from "./protocol.mjs";

/** Lets everything run that waits for promises only. */
export const settle = () => new Promise((resolve) => setImmediate(resolve));

export const SECOND = 1000;
export const MINUTE = 60 * SECOND;

const START = 5_000_000;

/** Fails the test if a value breaks the contract, whatever the client does with an error. */
const hold = (check, value) => {
  try {
    check(value);
  } catch (violation) {
    setImmediate(() => {
      throw violation;
    });
  }
};

class FakeClock {
  #now = START;
  #timers = new Map();
  #last = 0;
  unixTime = 1_795_327_200_000;

  now = () => this.#now;
  unix = () => this.unixTime + this.#now - START;
  setTimeout = (fire, ms) => {
    this.#timers.set(++this.#last, { at: this.#now + ms, fire });
    return this.#last;
  };
  clearTimeout = (timer) => this.#timers.delete(timer);

  get timers() {
    return this.#timers.size;
  }

  /** Lets time pass, timer by timer. */
  async advance(ms) {
    const end = this.#now + ms;
    for (;;) {
      await settle();
      const [id, next] = [...this.#timers].sort(([, a], [, b]) => a.at - b.at)[0] ?? [];
      if (!next || next.at > end) break;
      this.#timers.delete(id);
      this.#now = Math.max(this.#now, next.at);
      next.fire();
    }
    this.#now = end;
    await settle();
  }

  /** Time passes without a timer firing, as in a page that the browser has frozen. */
  freeze(ms) {
    this.#now += ms;
  }

  /** The machine sleeps. If the monotonic clock stops, too, only the wall clock shows it. */
  sleep(ms) {
    this.unixTime += ms;
  }
}

class FakeSocket {
  onopen = (this.onmessage = this.onclose = this.onerror = null);
  sent = [];
  closed = false;

  constructor(url, protocols) {
    Object.assign(this, { url, protocols });
  }

  send(data) {
    const frame = JSON.parse(data);
    hold(fromClient, frame);
    this.sent.push(frame);
  }
  close() {
    this.closed = true;
  }

  get messages() {
    return this.sent.filter((frame) => frame.action === "sendmessage");
  }
  /** The questions about logs, each by room. */
  get questions() {
    return this.sent
      .filter((frame) => frame.want)
      .map(({ want }) => Object.fromEntries(want.map(({ room, ...want }) => [room, want])));
  }
  /** The requests to delete a message. */
  get deletions() {
    return this.sent.filter((frame) => frame.action === "delete");
  }
  /** What the last request about logs asks for and tells, beside questions. */
  get request() {
    const { action, id, want, ...rest } = this.sent.findLast((frame) => frame.action === "history") ?? {};
    return rest;
  }
  get pings() {
    return this.sent.filter((frame) => frame.action === "ping").length;
  }

  // The acts of the server and of the network:
  async accept() {
    this.onopen?.({});
    await settle();
  }
  async end() {
    this.closed = true;
    this.onerror?.({});
    this.onclose?.({ code: 1006, wasClean: false });
    await settle();
  }
  async receive(...frames) {
    for (const frame of frames) this.onmessage?.({ data: typeof frame === "string" ? frame : JSON.stringify(frame) });
    await settle();
  }
  /** Answers the last question about one room. */
  async history(room, over) {
    const { id, want } = this.sent.findLast((frame) => frame.want);
    const { room: _, limit, ...asked } = want.find((want) => want.room === room);
    const entries = over?.entries ?? [];
    const head = entries.at(-1)?.seq ?? 0;
    const complete = asked.after !== undefined && { complete: true };
    await this.receive({
      ...{ type: "history", room, clientId: id, ...asked, entries, head, ...complete, more: false, keepDays: 7 },
      ...over,
    });
  }
  async synced(heads, read) {
    const { id } = this.sent.findLast((frame) => frame.action === "history");
    await this.receive({ type: "synced", clientId: id, heads, ...(read && { read }) });
  }
  async ack(sub = "alice", over = {}) {
    const { id, room } = this.messages.at(-1);
    await this.receive({
      ...over,
      type: "ack",
      id: serverId(sub, id, room),
      clientId: id,
      recipients: 2,
      delivered: 2,
      gone: 0,
    });
  }
}

/** The ids that the functions derive, computed in another way than in the client. */
export function serverId(sub, clientId, room = "lobby") {
  const digest = BigInt(`0x${createHash("sha256").update([sub, room, clientId].join("\0")).digest("hex")}`);
  let id = "";
  for (let i = 1; i <= 26; i++) id += "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567"[Number((digest >> BigInt(256 - 5 * i)) & 31n)];
  return id;
}

export function answer(status, body, headers = {}) {
  return { ok: status === 200, status, headers: { get: (name) => headers[name] ?? null }, json: async () => body };
}

export const signed = (over = {}) =>
  answer(200, {
    url: "wss://chat.example/prod?v=1&rm=lobby.ops&X-Amz-Signature=0",
    protocols: ["chat.v1"],
    expiresIn: 10,
    sessionEndsIn: 7200,
    user: { sub: "alice", name: "Alice" },
    ...over,
  });

/**
 * A client in its own world. `w.answers` are the next answers of the sign URL: answers, errors or promises. After them
 * it signs.
 */
export function world(options = {}) {
  const w = {
    clock: new FakeClock(),
    sockets: [],
    requests: [],
    answers: [],
    states: [],
    waits: [],
    authRequired: [],
    random: 0.5,
    protocol: options.protocol ?? "chat.v1",
    online: true,
    visible: true,
    watching: 0,
    wake() {},
    hide() {},
    get socket() {
      return w.sockets.at(-1);
    },
    /** Connects, and lets the server accept. */
    async open() {
      w.chat.connect();
      await settle();
      await w.socket.accept();
      return w.socket;
    },
    get statuses() {
      return w.states.map((state) => state.status);
    },
  };
  const environment = {
    clock: w.clock,
    random: () => w.random,
    WebSocket: class extends FakeSocket {
      constructor(url, protocols) {
        super(url, protocols);
        this.protocol = w.protocol;
        w.sockets.push(this);
      }
    },
    fetch: async (url, init) => {
      const body = JSON.parse(init.body);
      hold(signUrlRequest, body);
      w.requests.push({ url, ...init, body });
      const next = await (w.answers.shift() ?? signed());
      if (next instanceof Error) throw next;
      return next;
    },
    network: {
      online: () => w.online,
      visible: () => w.visible,
      watch(wake, hide) {
        w.watching++;
        w.wake = async () => (wake(), await settle());
        w.hide = async () => (hide(), await settle());
        return () => w.watching--;
      },
    },
    sha256: async (text) => new Uint8Array(createHash("sha256").update(text).digest()),
  };
  w.chat = createChatClient({
    signUrl: "https://api.example/signurl",
    getToken: () => "token",
    onAuthRequired: (code) => w.authRequired.push(code),
    ...options,
    environment: { ...environment, ...options.environment },
  });
  let last;
  w.chat.subscribe(() => {
    if (w.chat.state === last) return;
    w.states.push((last = w.chat.state));
    if (last.status === "waiting") w.waits.push(Math.round((last.retryAt - w.clock.now()) * 10) / 10);
  });
  return w;
}

let count = 0;
/** A message of another user, as the server sends it. */
export const message = (over = {}) => ({
  type: "message",
  id: `M${String(++count).padStart(4, "0")}`,
  room: "lobby",
  from: { sub: "bob", name: "Bob" },
  message: "hi",
  sentAt: 1000,
  ...over,
});
