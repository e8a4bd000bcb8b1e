import type { Want } from "./history.js";
import { type Answer, type Hole, type Item, Log } from "./log.js";
import type { ChatMessage, Here, RoomState } from "./state.js";
import type { PresenceFrame } from "./frames.js";

const FAR = 500; // entries; a client that is further behind shows the end of the log, with a hole above it
const HOLD = 250; // ms for which a message waits for the one before it
const LATE = 300; // after which the client asks for a missing message,
const SPREAD = 1_000; // and a random time more, so that not all members ask at once,
const CROWD = 2; // up to so many ms for each user in the room
const PATIENCE = 10_000; // ms, for an answer
const LONGEST = 40_000; // between two questions
const DAY = 86_400_000;
const SILENCE = 510_000; // ms without an event, after which the client asks whether anything is new,
const SILENCE_JITTER = 30_000; // and a random time up to this more

/** A question under way. */
interface Question {
  readonly id: string;
  readonly at: number;
  readonly want: Want;
  /** It asks for the entries behind the position. */
  readonly main: boolean;
}

/** A part of a room's log that a client has, and its next question. Callers pass in times of the monotonic clock. */
export class Room {
  /** For how many days the server keeps messages. 0: not at all. */
  keepDays = 0;
  /** The room is up to date on the present connection. */
  live = false;
  /** When to ask whether anything is new, if nothing comes before. */
  quietAt = Infinity;
  /** The users who are connected, as far as the server has told on this connection. */
  here: Here | undefined;
  /** The next request asks for the users. */
  asksHere = true;
  readonly log: Log;
  readonly #page: number;
  readonly #random: () => number;
  #heard = 0; // a number that the log has, and the client perhaps not,
  #heardAt = 0; // and when it was heard
  #behind = true; // the end of the log has to be read
  #far = false; // from its last page
  #older = false; // the user wants older messages
  #search: number | undefined; // behind this number every entry has to be read
  #asked: Question | undefined;
  #tries = 0; // questions in a row without an answer
  #pausedUntil = 0;
  #gapAt: number | undefined; // when to ask for missing entries
  #completeAt = 0; // in Unix ms, which go on while the machine sleeps
  #read = 0; // the number up to which the user has read,
  #told = 0; // and the one that the server has
  #presence: { readonly from: unknown; readonly n: number } | undefined; // the last frame about users

  /** `page` messages are asked for at a time, and at most `most` are kept. */
  constructor(random: () => number, page: number, most = 10_000) {
    this.#random = random;
    this.#page = page;
    this.log = new Log(most);
  }

  get position(): number | undefined {
    return this.log.position;
  }

  /**
   * Whether messages may be sent again. A message that is found in the log is not. A room without answers does not hold
   * messages back for long, since the server looks for them, too.
   */
  get ready(): boolean {
    return this.live || this.#tries > 1;
  }

  get more(): boolean {
    const { list, most, open } = this.log;
    return list.length < most && open.length > 0;
  }

  /** The messages to show, in the order of the log. */
  messages(now: number): readonly ChatMessage[] {
    const loose = [...this.log.loose.values()]
      .filter(({ item, at }) => item.message?.own || at + HOLD <= now)
      .sort((a, b) => a.item.seq - b.item.seq);
    return [...this.log.list, ...loose.flatMap(({ item: { message } }) => (message ? this.log.cleaned(message) : []))];
  }

  state(now: number): RoomState {
    const messages = this.messages(now);
    const above = (holes: readonly Hole[]) =>
      messages
        .filter(({ seq }, i) => holes.some(({ after }) => seq! > after && messages[i - 1]?.seq! <= after))
        .map(({ id }) => id);
    const open = above(this.log.open);
    const gaps = above(this.log.holes);
    const closed = gaps.filter((id) => !open.includes(id));
    return {
      status: this.live ? "live" : this.position === undefined ? "opening" : "catching-up",
      more: this.more,
      gaps,
      ...(closed.length && { closed }),
      keepDays: this.keepDays,
      ...(this.here && { here: this.here }),
      ...(this.live && this.keepDays && { read: this.#read, unread: this.#unread(messages) }),
    };
  }

  /** Messages of others that the user has not read, and entries in between that the client does not have. */
  #unread(messages: readonly ChatMessage[]): number {
    const missing = this.log.open
      .map(({ after, upto }) => upto - Math.max(after, this.#read) - 1)
      .filter((count) => count > 0 && count < this.log.most); // numbers jump where a log begins anew
    const isUnread = ({ seq, own, deleted }: ChatMessage) => seq! > this.#read && !own && !deleted;
    return missing.reduce((sum, count) => sum + count, messages.filter(isUnread).length);
  }

  /** The user has read everything that is shown. Returns false when that is no news. */
  markShown(now: number): boolean {
    return this.markRead(Math.max(this.position ?? 0, this.messages(now).at(-1)?.seq ?? 0));
  }

  /** The user has read up to a number. */
  markRead(seq: number): boolean {
    const isNews = seq > this.#read;
    if (isNews) this.#read = seq;
    return isNews;
  }

  /** The server knows that the user has read up to a number. */
  told(seq: number): void {
    this.markRead(seq);
    this.#told = Math.max(this.#told, seq);
  }

  /** The number up to which the user has read, if the server does not know. */
  get untold(): number | undefined {
    return this.#read > this.#told ? this.#read : undefined;
  }

  /** Takes a frame about the users. Of two frames of one connection, the one with the higher number is newer. */
  present({ n, count, users }: PresenceFrame, from: unknown): void {
    if (this.#presence?.from === from && this.#presence!.n > n) return;
    this.#presence = { from, n };
    this.here = { count, ...(users && { users }) };
  }

  /** A connection was opened. The server pushes to it every entry that is not in its answers. */
  opened(): void {
    this.#reread();
    this.#tries = this.#pausedUntil = 0;
    this.asksHere = true;
  }

  /** The connection is gone, and with it every answer that was under way. */
  lost(): void {
    this.#reread();
    this.here = undefined;
  }

  #reread(): void {
    this.live = false;
    this.#behind = true;
    this.#asked = undefined;
  }

  /**
   * Asks for a page of older messages, or of those that are missing in between. Returns false when there are none, or
   * when it does so already.
   */
  loadOlder(): boolean {
    return !this.#older && (this.#older = this.more);
  }

  /** Reads every entry behind a number, also those that were left out. */
  search(after: number): void {
    if (this.missing(after)) this.#search = after;
    else this.opened();
  }

  /** The first hole behind a number. */
  missing(after: number): Hole | undefined {
    return this.log.missing(after);
  }

  /** The number up to which every entry behind `floor` was seen. */
  seen(floor: number): number {
    return this.missing(floor)?.after ?? this.position ?? floor;
  }

  /** Milliseconds until there is something to do: to ask, to ask again, or to show a message that was held back. */
  wait(now: number): number {
    const due = this.#asked ? this.#asked.at + PATIENCE : Math.max(this.#due, this.#pausedUntil);
    const holds = [...this.log.loose.values()].map(({ at }) => at + HOLD).filter((until) => until > now);
    return Math.max(0, Math.min(due, ...holds) - now);
  }

  /** Gives up a question that had no answer for 10 s. Returns true when it did, so the connection is in doubt. */
  giveUp(now: number): boolean {
    const isOver = this.#asked !== undefined && this.#asked.at + PATIENCE <= now;
    if (isOver) this.#again(now);
    return isOver;
  }

  /** The question that is due, under an id. It is under way from now on. */
  ask(id: string, now: number): Want | undefined {
    if (this.#asked || Math.max(this.#due, this.#pausedUntil) > now) return undefined;
    const main = this.#behind || this.#gapAt! <= now;
    return this.#sent(id, now, main, main ? this.#main() : this.#side());
  }

  /**
   * The question whether anything is new. Undefined when it is under way already, unless it is for a `next` connection,
   * and when the server keeps nothing.
   */
  question(next: boolean, id: string, now: number): Want | undefined {
    this.asksHere = true;
    if ((this.#asked?.main && !next) || (this.live && this.keepDays === 0)) return undefined;
    this.#behind = true;
    return this.#sent(id, now, true, this.#main());
  }

  /**
   * Asks whether anything is new, because some room is quiet. A room that is quiet for half of the time asks, too, so
   * that one frame is enough for all quiet rooms.
   */
  sync(now: number): void {
    if (this.quietAt - SILENCE / 2 > now) return;
    this.asksHere = true;
    this.quietAt = Infinity;
    this.#behind = true;
  }

  /** The server refused the question for some time. */
  refused(id: string, ms: number, now: number): void {
    if (this.#asked?.id !== id) return;
    this.#pause(now + ms);
  }

  /** The question is asked again later. The answer would have told of the users, too. */
  #pause(until: number): void {
    this.#asked = undefined;
    this.#pausedUntil = until;
    this.asksHere = true;
  }

  /** Whether the room waits, because the server refused a question or did not answer. */
  isPaused(now: number): boolean {
    return this.#pausedUntil > now;
  }

  /** The server pushed an entry. */
  pushed(item: Item, now: number): void {
    this.#moved(() => this.log.push(item, now), now);
  }

  /** The log has an entry with this number. */
  heard(seq: number, now: number): void {
    this.#heard = Math.max(this.#heard, seq);
    this.#heardAt = now;
    this.#moved(() => {}, now);
  }

  /** The answer that nothing is new. */
  synced(id: string | undefined, head: number, now: number, unix = now): boolean {
    const { keepDays } = this;
    const after = this.#asked?.want.after;
    if (this.#asked?.id !== id || after === undefined) return false;
    return this.answer({ clientId: id, after, entries: [], head, complete: true, more: false, keepDays }, now, unix);
  }

  /**
   * Takes an answer. Returns true when the known numbers mean nothing any more, because the log is another one. `unix`
   * is the system time.
   */
  answer(answer: Answer, now: number, unix = now): boolean {
    const asked = this.#asked?.id === answer.clientId ? this.#asked : undefined;
    let anew = false;
    this.#moved(() => {
      // An answer to an earlier question may still have the next entries.
      if (!asked) return answer.after === this.position && answer.head >= answer.after! && this.log.forward(answer);
      this.#asked = undefined;
      this.keepDays = answer.keepDays;
      if (isTorn(answer)) return this.#again(now);
      this.#tries = this.#pausedUntil = 0;
      if (answer.before !== undefined) {
        this.#older = false;
        return this.log.backward(answer);
      }
      anew = this.#isAbout(answer) && answer.head < answer.after!;
      if (anew) this.#forget(answer.head, unix);
      else this.#take(asked, answer, unix);
    }, now);
    return anew;
  }

  /** Whether an answer begins at a number up to which the client has entries. */
  #isAbout({ after }: Answer): boolean {
    return after! <= this.position!;
  }

  #take({ at, main }: Question, answer: Answer, unix: number): void {
    if (answer.after === undefined) this.log.newest(answer);
    else if (this.#isAbout(answer)) this.log.forward(answer);
    if (!main) return;
    this.#gapAt = undefined;
    this.#behind = answer.after !== undefined && answer.more;
    this.#far = this.#behind && answer.head - this.position! > FAR;
    this.live = !this.#behind;
    if (!this.live) return;
    this.#completeAt = unix;
    // A number that was known before the question, and is not in the answer, has expired.
    this.log.expire(at);
    if (this.#heardAt <= at) this.#heard = 0;
  }

  #forget(head: number, unix: number): void {
    // The numbers may be used again, for messages that the user has not read.
    this.#read = Math.min(this.#read, head);
    this.#told = Math.min(this.#told, head);
    this.log.forget(head, head > 0 || unix - this.#completeAt >= this.keepDays * DAY);
    this.#heard = 0;
    this.#behind = true;
    this.live = false;
  }

  /** Makes a change. Then it plans when to ask for entries that are missing below others. */
  #moved(change: () => unknown, now: number): void {
    const { position } = this;
    change();
    // Without a log there is nothing to ask.
    this.quietAt = this.keepDays ? now + SILENCE + this.#random() * SILENCE_JITTER : Infinity;
    this.log.settle();
    if (this.position !== position) this.#gapAt = undefined;
    const isMissing = this.log.loose.size > 0 || this.#heard > this.position!;
    this.#gapAt = isMissing
      ? (this.#gapAt ?? now + LATE + this.#random() * Math.max(SPREAD, CROWD * (this.here?.count ?? 0)))
      : undefined;
    this.#older &&= this.more;
    if (this.#search !== undefined && !this.missing(this.#search)?.open) this.#search = undefined;
  }

  /** Asks again after a wait. */
  #again(now: number): void {
    this.#pause(now + this.#random() * Math.min(LONGEST, PATIENCE * 2 ** this.#tries++));
  }

  get #due(): number {
    return this.#behind || this.#older || this.#search !== undefined ? 0 : (this.#gapAt ?? Infinity);
  }

  #sent(id: string, at: number, main: boolean, want: Want): Want {
    this.#asked = { id, at, main, want };
    return want;
  }

  /** The question for entries that were left out, or for older ones. */
  #side(): Want {
    if (this.#search !== undefined) return { after: this.missing(this.#search)!.after };
    return { before: this.log.open.at(-1)!.upto, limit: this.#page };
  }

  #main(): Want {
    return this.position === undefined || this.#far ? { last: this.#page } : { after: this.position };
  }
}

/** The server has read a part of its log only. */
function isTorn({ after, last, entries, head, more }: Answer): boolean {
  return entries.length === 0 && (after !== undefined ? more : last !== undefined && head > 0);
}
