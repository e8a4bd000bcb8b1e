import type { HistoryFrame } from "./history.js";
import type { ChatMessage, User } from "./state.js";

const LOOSE = 1_000; // pushed entries that wait for their predecessors

/** The author of a deleted message, if it is not known. */
export const NOBODY: User = { sub: "", name: "" };

/** An entry of the log of a room. Only messages are shown. */
export interface Item {
  readonly seq: number;
  readonly message?: ChatMessage | undefined;
  /** The number of a message that was deleted. */
  readonly of?: number | undefined;
  /** The hash of a user whose messages, up to here, were erased. */
  readonly erased?: string | undefined;
}

/** A number that is missing is above `after` and below `upto`. `open` says whether the server may have such entries. */
export interface Hole {
  after: number;
  upto: number;
  open: boolean;
}

/** An answer of the server, with its entries as items. */
export type Answer = Omit<HistoryFrame, "type" | "room" | "entries" | "read"> & { readonly entries: readonly Item[] };

/**
 * The entries of one room that a client has. `position` is the number up to which it has every entry, down to the next
 * hole. Pushed entries with a higher number are loose until their predecessors have come.
 */
export class Log {
  position: number | undefined;
  /** In ascending order. The hole after 0 is the part of the log that was never read. */
  holes: Hole[] = [];
  /** The messages up to the position, in the order of their numbers. */
  list: readonly ChatMessage[] = [];
  readonly loose = new Map<number, { readonly item: Item; readonly at: number }>();
  /** The hashes of authors, by user id. */
  readonly #hashes = new Map<string, string>();
  /** The numbers below which messages of a user were erased, by the hash of the user. */
  readonly #erased = new Map<string, number>();
  /** The numbers of deleted messages. An old copy of a message may come later than the note. */
  readonly #deleted = new Set<number>();

  constructor(readonly most: number) {}

  /** The holes that the server may fill. */
  get open(): readonly Hole[] {
    return this.holes.filter(({ open }) => open);
  }

  /** Takes an entry that the server pushed. */
  push(item: Item, now: number): void {
    this.#note([item]);
    if (item.seq <= this.list.at(-1)?.seq!) return; // a repetition, perhaps from a log that has expired since
    if (!this.loose.has(item.seq)) this.loose.set(item.seq, { item, at: now });
    if (this.loose.size > LOOSE) this.loose.delete(this.loose.keys().next().value!);
    this.settle();
  }

  /** Moves the position over the loose entries that follow it. */
  settle(): void {
    if (this.position === undefined) return;
    const next: Item[] = [];
    for (let found; (found = this.loose.get(this.position + 1)); this.position++) next.push(found.item);
    this.#insert(next);
    for (const seq of this.loose.keys()) if (seq <= this.position) this.loose.delete(seq);
  }

  /** Forgets the loose entries that came until a time and that the end of the log, read later, does not have. */
  expire(until: number): void {
    this.settle();
    for (const [seq, { at }] of this.loose) if (at <= until) this.loose.delete(seq);
  }

  /** Takes the entries behind a number that is not above the position. */
  forward({ after, entries, head, complete, more }: Answer): void {
    const position = this.position!;
    const first = entries[0]?.seq ?? Infinity;
    const end = entries.at(-1)?.seq ?? (complete && !more ? head : after!);
    for (const hole of this.holes) {
      if (hole.after < after! || !hole.open) continue;
      if (complete || first <= hole.after + 1) hole.after = Math.max(hole.after, end);
      else if (hole.after === after) hole.open = false;
    }
    this.#fill();
    if (!complete && first > position + 1 && first < Infinity) {
      this.holes.push({ after: position, upto: first, open: false });
    }
    this.#insert(entries);
    this.position = Math.max(position, end);
  }

  /** Takes the entries below a hole's upper end. */
  backward({ before, entries, more }: Answer): void {
    const hole = this.holes.find(({ upto }) => upto === before);
    if (!hole) return;
    hole.upto = entries[0]?.seq ?? hole.upto;
    hole.open = more;
    this.#fill();
    this.#insert(entries.filter(({ seq }) => seq > hole.after));
  }

  /** Takes the end of the log. A part that is left out is a hole. */
  newest({ entries, more }: Answer): void {
    const known = this.position ?? this.list.at(-1)?.seq ?? 0;
    const upto = entries[0]?.seq ?? 0;
    if (upto > known + 1) {
      this.holes = this.holes.filter(({ after }) => after !== known);
      this.holes.push({ after: known, upto, open: more });
    }
    this.#insert(entries);
    this.position = Math.max(this.position ?? 0, entries.at(-1)?.seq ?? 0);
  }

  /** The log began anew, or was restored up to `head`. With `missed` messages may have been said in between. */
  forget(head: number, missed: boolean): void {
    for (const known of [this.loose, this.#deleted, this.#erased]) known.clear();
    this.position = undefined;
    if (head > 0) this.list = this.list.filter(({ seq }) => seq! <= head);
    const after = this.list.at(-1)?.seq;
    this.holes = this.holes.filter((hole) => hole.after < after!);
    if (!head) for (const hole of this.holes) hole.open = false;
    if (missed && after) this.holes.push({ after, upto: Infinity, open: false });
  }

  /** The first hole behind a number. */
  missing(after: number): Hole | undefined {
    return this.holes.find((hole) => hole.after >= after);
  }

  /** Takes the hash of an author. Returns true when that changes messages. */
  identify(sub: string, hash: string): boolean {
    this.#hashes.set(sub, hash);
    return this.#erased.has(hash) && this.#clean();
  }

  knows(sub: string): boolean {
    return this.#hashes.has(sub);
  }

  /** A message without the text that it must not show any more. */
  cleaned(message: ChatMessage): ChatMessage {
    const { seq, from } = message;
    const isErased = seq! < this.#erased.get(this.#hashes.get(from.sub)!)!;
    if (!isErased && (message.deleted || !this.#deleted.has(seq!))) return message;
    return { ...message, ...(isErased && { from: NOBODY }), text: "", deleted: true };
  }

  #clean(): boolean {
    this.list = this.list.map((message) => this.cleaned(message));
    return true;
  }

  /** Notes the messages that were deleted. */
  #note(items: readonly Item[]): void {
    let isNews = false;
    for (const { seq, message, of = message?.deleted ? seq : 0, erased } of items) {
      if (of) this.#deleted.add(of);
      if (erased !== undefined) this.#erased.set(erased, Math.max(seq, this.#erased.get(erased) ?? 0));
      isNews ||= of > 0 || erased !== undefined;
    }
    if (isNews) this.#clean();
  }

  #fill(): void {
    this.holes = this.holes.filter(({ after, upto }) => after + 1 < upto);
  }

  /** Takes entries that follow each other. A message that is here already may know more: the client's own id. */
  #insert(items: readonly Item[]): void {
    if (!items.length) return;
    this.#note(items);
    const from = items[0]!.seq;
    const to = items.at(-1)!.seq;
    const known = new Map(
      this.list.filter(({ seq }) => seq! >= from && seq! <= to).map((message) => [message.seq!, message]),
    );
    const here = (seq: number) => known.get(seq) ?? this.loose.get(seq)?.item.message;
    this.list = [
      ...this.list.filter(({ seq }) => seq! < from),
      ...items.flatMap(({ seq, message }) => {
        const known = here(seq) ?? message;
        return known ? this.cleaned(known) : [];
      }),
      ...this.list.filter(({ seq }) => seq! > to),
    ];
    if (this.list.length > this.most) this.#trim();
  }

  /** Gives up the oldest messages. They are missing from then on. */
  #trim(): void {
    this.list = this.list.slice(-this.most);
    const upto = this.list[0]!.seq!;
    const holes = this.holes.filter((hole) => hole.upto <= upto);
    for (const hole of holes) Object.assign(hole, { upto, open: true });
    if (!holes.length) this.holes.unshift({ after: 0, upto, open: true });
  }
}
