import type { Entry } from "./outbox.js";
import { Recent } from "./recent.js";
import type { ChatMessage, User } from "./state.js";

const LIMIT = 1000;

type Delivered = ChatMessage & { readonly sentAt: number };

/** The last 1,000 messages that were delivered, each once, in the order of the server's time, ties by id. */
export class Transcript {
  #messages: readonly Delivered[] = [];
  readonly #recent = new Recent();

  /** Adds a message from the server; the repetition of one is dropped. */
  receive(message: Delivered): void {
    if (!this.#recent.add(message.id)) return;
    const clientId = message.clientId ?? this.#messages.find(({ id }) => id === message.id)?.clientId;
    this.#insert({ ...message, ...(clientId !== undefined && { clientId }) });
  }

  /** Adds an own message that was acknowledged before it came back, as the last one; when it does, the server's version replaces it. */
  accept(message: ChatMessage, unix: number): void {
    if (this.#recent.has(message.id)) return;
    const last = this.#messages.at(-1);
    this.#insert({ ...message, sentAt: last ? last.sentAt + 1 : unix });
  }

  clear(): void {
    this.#messages = [];
  }

  /** The messages, followed by what is not delivered yet. An own message that has come back stands in its place. */
  view(outgoing: Iterable<Entry>, user: User | undefined, rooms: readonly string[]): ChatMessage[] {
    const tail = new Map<string, ChatMessage>();
    for (const entry of outgoing) {
      const message = outgoingMessage(entry, user, rooms);
      tail.set(message.id, message);
    }
    const delivered = this.#messages.map((message): ChatMessage => {
      const waiting = tail.get(message.id);
      if (!waiting) return message;
      tail.delete(message.id);
      return { ...waiting, sentAt: message.sentAt };
    });
    return [...delivered, ...tail.values()];
  }

  #insert(message: Delivered): void {
    const messages = this.#messages.filter((other) => other.id !== message.id);
    let place = messages.length;
    while (place > 0 && isAfter(messages[place - 1]!, message)) place--;
    messages.splice(place, 0, message);
    this.#messages = messages.slice(-LIMIT);
  }
}

/** A message of ours, as it is shown before it is delivered. */
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

function isAfter(a: Delivered, b: Delivered): boolean {
  return a.sentAt > b.sentAt || (a.sentAt === b.sentAt && a.id > b.id);
}
