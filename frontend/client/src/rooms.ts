import type { HistoryFrame, LogEntry, SyncedFrame, Want } from "./history.js";
import type { Item } from "./log.js";
import { Room } from "./room.js";
import type { RoomState } from "./state.js";
import { Window } from "./window.js";

const MOST = 15; // questions in 10 s; the server allows 20
const SPARE = 5; // of them not for users

/** The frame to send now, and when to look again. */
export interface RoomsStep {
  readonly frame: string | undefined;
  /** A question has had no answer for 10 s. */
  readonly unanswered: boolean;
  /** The frame takes the place of a ping. */
  readonly proves: boolean;
  readonly wait: number;
}

/** The rooms of a client, and the frames that ask for their logs. */
export class Rooms {
  /** The rooms of the present connection. */
  names: readonly string[] = [];
  /** Those in which the user may only read. */
  readOnly: readonly string[] = [];
  readonly #rooms = new Map<string, Room>();
  readonly #window = new Window(MOST);
  readonly #random: () => number;
  readonly #page: number;
  #questions = 0;

  constructor(random: () => number, page: number) {
    this.#random = random;
    this.#page = page;
  }

  get(name: string): Room {
    let room = this.#rooms.get(name);
    if (!room) this.#rooms.set(name, (room = new Room(this.#random, this.#page)));
    return room;
  }

  get all(): readonly Room[] {
    return [...this.#rooms.values()];
  }

  clear(): void {
    this.#rooms.clear();
  }

  states(now: number): Readonly<Record<string, RoomState>> {
    return Object.fromEntries(
      this.names.map((name) => [
        name,
        { ...this.get(name).state(now), ...(this.readOnly.includes(name) && { readOnly: true }) },
      ]),
    );
  }

  /**
   * The frame that asks whether anything is new in any room. Undefined when that has been asked already. `next` has the
   * rooms of the next connection: the user may have lost one, and a question about that would be a violation.
   */
  question(next: readonly string[] | undefined, now: number): string | undefined {
    return this.#ask((room, id) => room.question(next !== undefined, id, now), now, next);
  }

  /** The frame that tells how far the user has read, if the server does not know. */
  marks(now: number): string | undefined {
    return this.#ask(() => undefined, now, this.names, true);
  }

  step(now: number): RoomsStep {
    const rooms = this.names.map((name) => this.get(name));
    const unanswered = rooms.map((room) => room.giveUp(now)).includes(true);
    // Frames of one room say nothing about another one, so each room has a time of its own.
    const proves = rooms.some(({ quietAt }) => quietAt <= now);
    if (proves) for (const room of rooms) room.sync(now);
    const frame = this.#ask((room, id) => room.ask(id, now), now);
    const wait = Math.min(...rooms.flatMap((room) => [room.wait(now), room.quietAt - now]));
    return { frame, unanswered, proves, wait: wait || this.#window.freeAt - now };
  }

  /** Takes an answer. Returns the rooms whose numbers mean nothing any more. */
  answer(
    frame: HistoryFrame | SyncedFrame,
    item: (entry: LogEntry) => Item,
    now: number,
    unix: number,
  ): readonly string[] {
    const { clientId } = frame;
    if (frame.type === "synced") {
      const { heads, read } = frame;
      for (const [name, seq] of Object.entries(read)) this.#rooms.get(name)?.told(seq);
      return Object.keys(heads).filter((name) => this.#rooms.get(name)?.synced(clientId, heads[name]!, now, unix));
    }
    const { room, entries, read } = frame;
    this.get(room).told(read);
    return this.get(room).answer({ ...frame, entries: entries.map(item) }, now, unix) ? [room] : [];
  }

  /** Whether an id is the one of a question. */
  owns(clientId: string | undefined): boolean {
    return /^h\d+$/.test(clientId ?? "");
  }

  /** With `always` the marks alone are reason enough for a frame. */
  #ask(
    wantOf: (room: Room, id: string) => Want | undefined,
    now: number,
    names = this.names,
    always = false,
  ): string | undefined {
    const left = this.#window.left(now);
    if (!left) return undefined; // more questions would be a violation
    const id = `h${++this.#questions}`;
    const want = names.flatMap((room) => {
      const want = wantOf(this.get(room), id);
      return want ? { room, ...want } : [];
    });
    const marks = names.filter((name) => this.get(name).untold);
    // Each room whose users are wanted counts as a question. A server that tells of users is asked for them alone, too.
    const asksHere = (room: Room) =>
      room.asksHere && !room.isPaused(now) && (want.length > 0 || room.here !== undefined);
    const here = names.filter((name) => asksHere(this.get(name))).slice(0, Math.max(0, left - SPARE));
    if (!want.length && !here.length && !(always && marks.length)) return undefined;
    for (const name of here) this.get(name).asksHere = false;
    this.#window.sent(now, here.length || 1);
    const read = Object.fromEntries(marks.map((name) => [name, this.get(name).untold!]));
    return JSON.stringify({
      action: "history",
      id,
      want: some(want),
      here: some(here),
      read: some(marks) && read,
    });
  }
}

/** A list for a frame, which leaves out an empty one. */
function some<T>(list: readonly T[]): readonly T[] | undefined {
  return list.length ? list : undefined;
}
