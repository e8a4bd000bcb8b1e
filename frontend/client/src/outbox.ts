import { Window } from "./window.js";

/** The failure of a message of which the client cannot tell whether the log has it. */
export const UNKNOWN = "unknown";

const LIMIT = 100;
const PATIENCE = 300_000; // then a message has failed
const ACK_TIMEOUT = 10_000;

/** A message on its way, or the request to delete one. */
export interface Entry {
  readonly clientId: string;
  readonly text: string;
  room: string | undefined;
  /** The id that the server will derive. The message waits until it is known. */
  id: string | undefined;
  /** `delivered`: the log of the room has it, and the client does not have that part of the log yet. */
  status: "pending" | "sent" | "delivered" | "failed";
  failure?: string;
  /** When the user wrote it, or sent it again by hand. */
  since: number;
  /** When to send it. While it is `sent`: when it was sent. */
  at: number;
  /** It has come back: the server has it, and its place in the order. */
  returned?: boolean;
  /** Failures in a row. */
  tries: number;
  /** Whether a socket was given it. */
  handed?: boolean;
  /** The position in the log when a socket was first given it, if that was known. It is not in the log before. */
  floor?: number | undefined;
  /** The request is to delete the message with this number; `id` is the server's id of the message. */
  readonly of?: number | undefined;
  /** Its number in the log. */
  seq?: number | undefined;
  /** The server does not look for it as far back as is necessary, so the client has to. */
  far?: boolean;
}

/** The message to send now, and when to check again. */
export interface Step {
  readonly send: Entry | undefined;
  /** A message was under way for so long that the connection is in doubt. */
  readonly stalled: boolean;
  /** Milliseconds until the next check; Infinity when only an event can change something. */
  readonly wait: number;
}

/**
 * Messages in the order of writing, until they are acknowledged. The next one is sent after the one before has come
 * back or is acknowledged, because the gateway promises no order of two messages. Callers pass in times of the
 * monotonic clock.
 */
export class Outbox {
  readonly #entries = new Map<string, Entry>();
  readonly #window: Window;
  readonly #backoff: (tries: number) => number;

  /** At most `perWindow` messages are sent in 10 s. The server counts more as a violation. */
  constructor(perWindow: number, backoff: (tries: number) => number) {
    this.#window = new Window(perWindow);
    this.#backoff = backoff;
  }

  get entries(): readonly Entry[] {
    return [...this.#entries.values()];
  }

  get full(): boolean {
    return this.#entries.size >= LIMIT;
  }

  get(clientId: string): Entry | undefined {
    return this.#entries.get(clientId);
  }

  add(clientId: string, text: string, room: string | undefined, now: number, id?: string, of?: number): Entry {
    const entry: Entry = {
      clientId,
      text,
      room,
      id,
      of,
      status: "pending",
      since: now,
      at: now,
      tries: 0,
    };
    this.#entries.set(clientId, entry);
    return entry;
  }

  remove(clientId: string): void {
    this.#entries.delete(clientId);
  }

  clear(): void {
    this.#entries.clear();
  }

  /**
   * The oldest message without any answer, or else the oldest one that is not acknowledged. An answer without an id is
   * about this message.
   */
  get oldest(): Entry | undefined {
    return this.#unheard ?? this.entries.find((entry) => entry.status === "sent");
  }

  get #unheard(): Entry | undefined {
    return this.entries.find((entry) => entry.status === "sent" && !entry.returned);
  }

  /** Sends a failed message again, under its old id. If it was not found in the log, it may be said twice. */
  resend(entry: Entry, now: number): void {
    if (entry.failure === UNKNOWN) entry.handed = false;
    Object.assign(entry, { status: "pending", since: now, at: now, tries: 0, far: false });
    delete entry.failure;
  }

  fail(entry: Entry, code: string): void {
    entry.status = "failed";
    entry.failure = code;
  }

  /** Sends a message again after a wait that grows each time. */
  retry(entry: Entry, now: number): void {
    entry.status = "pending";
    entry.at = now + this.#backoff(entry.tries++);
  }

  /** Sends nothing for a while. Then it repeats the message that was over the limit. */
  pause(entry: Entry, now: number, ms: number): void {
    this.#window.pause(now + ms);
    entry.status = "pending";
  }

  /** Handles a received message with an id of the server. It may be one of this client. */
  returned(room: string, id: string): Entry | undefined {
    const entry = this.entries.find((entry) => !entry.of && entry.room === room && entry.id === id);
    if (entry) entry.returned = true;
    return entry;
  }

  /** Messages under way become ready again. */
  reconnect(now: number): void {
    for (const entry of this.entries) if (entry.status === "sent") Object.assign(entry, { status: "pending", at: now });
  }

  /**
   * The user has a new user id, so the server derives new message ids. A message that the server has under its old id
   * is done. A message under way may still be acknowledged under its old id. Every other message needs a new id.
   */
  rename(): void {
    for (const [clientId, entry] of this.#entries) {
      if (entry.of || entry.status === "delivered" || (entry.returned && entry.status !== "failed"))
        this.#entries.delete(clientId);
      else if (entry.status !== "sent") entry.id = undefined;
    }
  }

  /** `isReady` tells whether a message may be sent. A message that may not waits for an event. */
  step(now: number, isReady: (entry: Entry) => boolean): Step {
    for (const entry of this.entries) {
      if (entry.status === "pending" && now - entry.since >= PATIENCE)
        this.fail(entry, entry.far ? UNKNOWN : "expired");
    }
    const late = this.entries.find((entry) => entry.status === "sent" && now - entry.at >= ACK_TIMEOUT);
    if (late) this.retry(late, now);
    const ready = this.#unheard
      ? []
      : this.entries.filter((entry) => entry.status === "pending" && entry.id !== undefined && isReady(entry));
    const send = now >= this.freeAt ? ready.find(({ at }) => at <= now) : undefined;
    if (send) {
      Object.assign(send, { status: "sent", at: now, returned: false });
      this.#window.sent(now);
    }
    return { send, stalled: late !== undefined, wait: this.#wait(now, send ? [] : ready) };
  }

  /** The time at which the next message may be sent. */
  get freeAt(): number {
    return this.#window.freeAt;
  }

  #wait(now: number, ready: readonly Entry[]): number {
    let next = Infinity;
    for (const entry of this.entries) {
      if (entry.status === "sent") next = Math.min(next, entry.at + ACK_TIMEOUT);
      if (entry.status === "pending") next = Math.min(next, entry.since + PATIENCE);
      if (ready.includes(entry)) next = Math.min(next, Math.max(entry.at, this.freeAt));
    }
    return Math.max(0, next - now);
  }
}
