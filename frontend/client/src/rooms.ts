import { type HistoryFrame, historyFrame, type LogEntry, type SyncedFrame, type Want } from "./history.js";
import type { Item } from "./log.js";
import { Room } from "./room.js";
import type { RoomState } from "./state.js";
import { Window } from "./window.js";

const MOST = 15; // questions in 10 s; the server allows 20

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
    return Object.fromEntries(this.names.map((name) => [name, this.get(name).state(now)]));
  }

  /**
   * The frame that asks whether anything is new in any room. Undefined when that has been asked already. `next` has the
   * rooms of the next connection: the user may have lost one, and a question about that would be a violation.
   */
  question(next: readonly string[] | undefined, now: number): string | undefined {
    return this.#ask((room, id) => room.question(next !== undefined, id, now), now, next);
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
    if (frame.type === "synced") {
      const { clientId, heads } = frame;
      return Object.keys(heads).filter((name) => this.#rooms.get(name)?.synced(clientId, heads[name]!, now, unix));
    }
    const { room, entries } = frame;
    return this.get(room).answer({ ...frame, entries: entries.map(item) }, now, unix) ? [room] : [];
  }

  /** Whether an id is the one of a question. */
  owns(clientId: string | undefined): boolean {
    return /^h\d+$/.test(clientId ?? "");
  }

  #ask(wantOf: (room: Room, id: string) => Want | undefined, now: number, names = this.names): string | undefined {
    if (this.#window.freeAt > now) return undefined; // more questions would be a violation
    const id = `h${++this.#questions}`;
    const wants = names.flatMap((room) => {
      const want = wantOf(this.get(room), id);
      return want ? { room, ...want } : [];
    });
    if (!wants.length) return undefined;
    this.#window.sent(now);
    return historyFrame(id, wants);
  }
}
