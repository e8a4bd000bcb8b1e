const LIMIT = 100;
const PATIENCE = 300_000; // then a message has failed
const ACK_TIMEOUT = 10_000;
const WINDOW = 10_000; // of the server's rate limit

/** A message on its way. */
export interface Entry {
  readonly clientId: string;
  readonly text: string;
  room: string | undefined;
  /** The id that the server will derive; not sent before it is known. */
  id: string | undefined;
  status: "pending" | "sent" | "failed";
  failure?: string;
  /** When it was written, or taken up again by hand. */
  since: number;
  /** When to send it, or while it is `sent`, when it was. */
  at: number;
  /** It came back since it was sent: the server has it, and its place among the others. */
  returned: boolean;
  /** How often in a row it came to nothing. */
  tries: number;
}

/** What is to be done now, and when to look again. */
export interface Step {
  readonly send: Entry | undefined;
  /** A message was under way for so long that the connection is in doubt. */
  readonly stalled: boolean;
  /** Milliseconds until there may be something to do; Infinity while only events can change that. */
  readonly wait: number;
}

/**
 * Messages in the order in which they were written, until they are acknowledged. The next is sent when the one before
 * has come back or is acknowledged: the gateway promises no order between two. Times are the monotonic clock's, passed
 * in.
 */
export class Outbox {
  readonly #entries = new Map<string, Entry>();
  readonly #perWindow: number;
  readonly #backoff: (tries: number) => number;
  #sentAt: number[] = [];
  #pausedUntil = 0;

  /** `perWindow` messages are sent in 10 s at most: the server counts more against the sender. */
  constructor(perWindow: number, backoff: (tries: number) => number) {
    this.#perWindow = perWindow;
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

  add(clientId: string, text: string, room: string | undefined, now: number): Entry {
    const entry: Entry = {
      clientId,
      text,
      room,
      id: undefined,
      status: "pending",
      since: now,
      at: now,
      returned: false,
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
   * The oldest message of which nothing was heard, or else that is not acknowledged: what an answer means that does not
   * name one.
   */
  get oldest(): Entry | undefined {
    return this.#unheard ?? this.entries.find((entry) => entry.status === "sent");
  }

  get #unheard(): Entry | undefined {
    return this.entries.find((entry) => entry.status === "sent" && !entry.returned);
  }

  /** Takes a failed message up again, under its old id. */
  resend(entry: Entry, now: number): void {
    Object.assign(entry, { status: "pending", since: now, at: now, tries: 0 });
    delete entry.failure;
  }

  fail(entry: Entry, code: string): void {
    entry.status = "failed";
    entry.failure = code;
  }

  /** Sends a message again after a while that grows with each time. */
  retry(entry: Entry, now: number): void {
    entry.status = "pending";
    entry.at = now + this.#backoff(entry.tries++);
  }

  /** Sends nothing for a while, and then the message that was one too many. */
  pause(entry: Entry, now: number, ms: number): void {
    this.#pausedUntil = now + ms;
    entry.status = "pending";
  }

  /** A message with a server's id was received in a room; it may be one of ours. */
  returned(room: string, id: string): Entry | undefined {
    const entry = this.entries.find((entry) => entry.room === room && entry.id === id);
    if (entry) entry.returned = true;
    return entry;
  }

  /** What was under way is to be sent again. */
  reconnect(now: number): void {
    for (const entry of this.entries) if (entry.status === "sent") Object.assign(entry, { status: "pending", at: now });
  }

  /**
   * The user has a new user id, of which the server makes new message ids. A message that the server has under its old
   * id is done. A message under way may still be acknowledged under its old id. Every other message needs a new id.
   */
  rename(): void {
    for (const [clientId, entry] of this.#entries) {
      if (entry.returned && entry.status !== "failed") this.#entries.delete(clientId);
      else if (entry.status !== "sent") entry.id = undefined;
    }
  }

  step(now: number, connected: boolean): Step {
    for (const entry of this.entries) {
      if (entry.status === "pending" && now - entry.since >= PATIENCE) this.fail(entry, "expired");
    }
    const late = this.entries.find((entry) => entry.status === "sent" && now - entry.at >= ACK_TIMEOUT);
    if (late) this.retry(late, now);
    const send =
      connected && !this.#unheard && now >= this.freeAt
        ? this.entries.find((entry) => entry.status === "pending" && entry.id !== undefined && entry.at <= now)
        : undefined;
    if (send) {
      Object.assign(send, { status: "sent", at: now, returned: false });
      this.#sentAt = [...this.#sentAt, now].slice(-this.#perWindow);
    }
    return { send, stalled: late !== undefined, wait: this.#wait(now, connected) };
  }

  /** When the next message may be sent. */
  get freeAt(): number {
    const oldest = this.#sentAt.length < this.#perWindow ? -Infinity : this.#sentAt[0]!;
    return Math.max(this.#pausedUntil, oldest + WINDOW);
  }

  #wait(now: number, connected: boolean): number {
    const ready = connected && !this.#unheard;
    let next = Infinity;
    for (const entry of this.entries) {
      if (entry.status === "sent") next = Math.min(next, entry.at + ACK_TIMEOUT);
      if (entry.status !== "pending") continue;
      next = Math.min(next, entry.since + PATIENCE);
      if (ready && entry.id !== undefined) next = Math.min(next, Math.max(entry.at, this.freeAt));
    }
    return Math.max(0, next - now);
  }
}
