import { type HistoryFrame, historyFrame, type LogEntry, type SyncedFrame, type Want } from "./history.js";
import type { Item } from "./log.js";
import { Room } from "./room.js";
import type { ChatMessage, RoomState } from "./state.js";
import { Window } from "./window.js";

const MOST = 15; // questions in 10 s; the server allows 20

/** What to send now, and when to look again. */
export interface RoomsStep {
  readonly frame: string | undefined;
  /** A question has had no answer for 10 s. */
  readonly unanswered: boolean;
  readonly wait: number;
}

/** The rooms of a client, and the frames that ask for their logs. */
export class Rooms {
  /** The rooms of the present connection. */
  names: readonly string[] = [];
  readonly #rooms = new Map<string, Room>();
  readonly #window = new Window(MOST);
  readonly #random: () => number;
  readonly #page: number | undefined;
  #questions = 0;

  constructor(random: () => number, page: number | undefined) {
    this.#random = random;
    this.#page = page;
  }

  get(name: string): Room {
    let room = this.#rooms.get(name);
    if (!room) this.#rooms.set(name, (room = new Room(this.#random, this.#page)));
    return room;
  }

  clear(): void {
    this.#rooms.clear();
  }

  lost(): void {
    for (const room of this.#rooms.values()) room.lost();
  }

  opened(): void {
    for (const room of this.#rooms.values()) room.opened();
  }

  messages(now: number): readonly (readonly ChatMessage[])[] {
    return [...this.#rooms.values()].map((room) => room.messages(now));
  }

  states(now: number): Readonly<Record<string, RoomState>> {
    return Object.fromEntries(this.names.map((name) => [name, this.get(name).state(now)]));
  }

  /** The frame that asks whether anything is new in any room; undefined when that has been asked already. */
  question(next: boolean, now: number): string | undefined {
    return this.#window.freeAt > now ? undefined : this.#ask((room) => room.question(next), now);
  }

  step(now: number): RoomsStep {
    let unanswered = false;
    const waitOf = (wait: number, name: string) => {
      const step = this.get(name).step(now);
      unanswered ||= step.unanswered;
      return Math.min(wait, step.wait);
    };
    const isFree = this.#window.freeAt <= now; // mutate: more questions would be a violation
    const before = this.names.reduce(waitOf, Infinity);
    const frame = isFree ? this.#ask((room) => room.step(now).want, now) : undefined;
    const wait = frame === undefined ? before : this.names.reduce(waitOf, Infinity);
    return { frame, unanswered, wait: wait > 0 ? wait : this.#window.freeAt - now };
  }

  /** Takes an answer. Returns the rooms whose numbers mean nothing any more. */
  answer(frame: HistoryFrame | SyncedFrame, item: (entry: LogEntry) => Item, now: number): readonly string[] {
    if (frame.type === "synced") {
      const { clientId, heads } = frame;
      return Object.keys(heads).filter((name) => this.#rooms.get(name)?.synced(clientId, heads[name]!, now));
    }
    const { room, entries } = frame;
    return this.get(room).answer({ ...frame, entries: entries.map(item) }, now) ? [room] : [];
  }

  /** Whether an id is the one of a question. */
  owns(clientId: string | undefined): boolean {
    return /^h\d+$/.test(clientId ?? "");
  }

  refused(clientId: string, ms: number, now: number): void {
    for (const room of this.#rooms.values()) room.refused(clientId, ms, now);
  }

  #ask(wantOf: (room: Room) => Want | undefined, now: number): string | undefined {
    const id = `h${this.#questions + 1}`;
    const wants = this.names.flatMap((name) => {
      const room = this.get(name);
      const want = wantOf(room);
      if (want) room.asked(want, id, now);
      return want ? { room: name, ...want } : [];
    });
    if (!wants.length) return undefined;
    this.#questions++;
    this.#window.sent(now);
    return historyFrame(id, wants);
  }
}
