import type { Entry } from "./outbox.js";
import type { ChatMessage, User } from "./state.js";

const LIMIT = 1000;

type Delivered = ChatMessage & { readonly sentAt: number };

/**
 * The last 1,000 delivered messages, each once, in the order of the time of the server, then of the id. Room and id
 * identify a message. A message keeps its first text.
 */
export class Transcript {
  #messages: readonly Delivered[] = [];
  /** Keys of own messages that were acknowledged and have not come back yet. */
  readonly #accepted = new Set<string>();

  /** Adds a message from the server, and drops a repetition. */
  receive(message: Delivered): void {
    const key = keyOf(message);
    const known = this.#find(key);
    if (this.#accepted.delete(key) && known) this.#insert({ ...known, from: message.from, sentAt: message.sentAt });
    else if (!known) this.#insert(message);
  }

  /**
   * Adds an own message that was acknowledged. If it has not come back yet, it stays last until the time of the server
   * is known.
   */
  accept(message: ChatMessage, unix: number): void {
    const key = keyOf(message);
    const known = this.#find(key);
    if (known) return this.#insert({ ...known, own: true, clientId: message.clientId! });
    const last = this.#messages.at(-1);
    this.#accepted.add(key);
    this.#insert({ ...message, sentAt: last ? last.sentAt + 1 : unix });
  }

  /** `sentAt` of the last message; 0 without one. */
  get latest(): number {
    return this.#messages.at(-1)?.sentAt ?? 0;
  }

  /** Removes a message that the log of its room has now. */
  remove(room: string, id: string): void {
    this.#messages = this.#messages.filter((message) => message.id !== id || message.room !== room);
  }

  clear(): void {
    this.#messages = [];
    this.#accepted.clear();
  }

  /**
   * The delivered messages and those of the logs, followed by the others. An own message that has come back stands in
   * its place.
   */
  view(
    outgoing: Iterable<Entry>,
    user: User | undefined,
    rooms: readonly string[],
    logs: readonly (readonly ChatMessage[])[],
  ): ChatMessage[] {
    const tail = new Map<string, ChatMessage>();
    const removals = new Map<string, string>();
    for (const entry of outgoing) {
      const message = outgoingMessage(entry, user, rooms);
      if (entry.of) removals.set(keyOf(message), entry.failure ?? "pending");
      else tail.set(keyOf(message), message);
    }
    const delivered = logs.reduce(merged, this.#messages).map((message): ChatMessage => {
      const key = keyOf(message);
      const waiting = tail.get(key);
      const removal = message.deleted ? undefined : removals.get(key);
      if (!waiting) return removal === undefined ? message : { ...message, removal };
      tail.delete(key);
      return { ...waiting, sentAt: message.sentAt! };
    });
    return [...delivered, ...tail.values()];
  }

  #find(key: string): Delivered | undefined {
    return this.#messages.find((message) => keyOf(message) === key);
  }

  #insert(message: Delivered): void {
    const key = keyOf(message);
    const others = this.#messages.filter((other) => keyOf(other) !== key);
    this.#messages = [...others, message].sort(byTime).slice(-LIMIT);
  }
}

/** A message of this client as a page shows it before it is delivered. */
export function outgoingMessage(entry: Entry, user: User | undefined, rooms: readonly string[]): ChatMessage {
  const { clientId, text, status, failure } = entry;
  return {
    id: entry.id ?? clientId,
    clientId,
    room: entry.room ?? rooms[0] ?? "",
    from: user ?? { sub: "", name: "" },
    text,
    own: true,
    status,
    ...(failure !== undefined && { failure }),
  };
}

/** The time of a deleted message may not be known. It then stands behind the one before it. */
function timeOf(message: ChatMessage | undefined): number {
  return message ? (message.sentAt ?? 0) : Infinity;
}

/** Two lists as one, by time. Each keeps its own order. */
function merged(a: readonly ChatMessage[], b: readonly ChatMessage[]): readonly ChatMessage[] {
  if (!a.length || !b.length) return a.length ? a : b;
  const both: ChatMessage[] = [];
  for (let i = 0, j = 0; i + j < a.length + b.length;)
    both.push(j === b.length || timeOf(a[i]) <= timeOf(b[j]) ? a[i++]! : b[j++]!);
  return both;
}

function keyOf({ room, id }: ChatMessage): string {
  return `${room}\0${id}`;
}

function byTime(a: Delivered, b: Delivered): number {
  return a.sentAt - b.sentAt || Number(a.id > b.id) - Number(a.id < b.id);
}
