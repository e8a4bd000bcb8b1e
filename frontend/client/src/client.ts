import { backoff } from "./backoff.js";
import type { ChatClient, ChatOptions } from "./chat.js";
import { Alarm } from "./clock.js";
import type { Connection } from "./connection.js";
import { Connector } from "./connector.js";
import { defaultEnvironment, type Environment } from "./environment.js";
import type { Frame } from "./frames.js";
import { idOf, random } from "./ids.js";
import type { HistoryFrame, LogEntry, Said, SyncedFrame } from "./history.js";
import { type Item, NOBODY } from "./log.js";
import { type Entry, Outbox, UNKNOWN } from "./outbox.js";
import { Rooms } from "./rooms.js";
import type { Signed } from "./sign.js";
import type { ChatMessage, ChatSnapshot, ChatState, Gap, User } from "./state.js";
import { checkText, cleanText, deleteFrame, SendError, type SendErrorCode, sendFrame } from "./text.js";
import { outgoingMessage, Transcript } from "./transcript.js";

const GAPS = 50;
const ID = 27; // random bytes of an id, 36 characters in base64url, as many as the server takes

/** Makes a client. It does nothing before `connect()`, so a server can make one, too. */
export function createChatClient(options: ChatOptions): ChatClient {
  return new Client(options);
}

class Client implements ChatClient {
  readonly #env: Environment;
  readonly #connector: Connector;
  readonly #outbox: Outbox;
  readonly #transcript = new Transcript();
  readonly #listeners = new Set<() => void>();
  readonly #alarm: Alarm;
  readonly #logs: Rooms;
  #remembers = false; // whether the server has logs of the rooms
  #missed: Gap | undefined; // the time without a connection, to tell if the server has no logs
  #snapshot: ChatSnapshot | undefined;
  #user: User | undefined;
  #rooms: readonly string[];
  #moderator = false;
  #gaps: readonly Gap[] = [];
  #after = 0; // sentAt of the last message before the connection was lost
  unknownFrames = 0;

  constructor(options: ChatOptions) {
    const env: Environment = { ...defaultEnvironment(), ...options.environment };
    this.#env = env;
    this.#rooms = options.rooms ?? [];
    this.#outbox = new Outbox(options.messagesPerWindow ?? 20, (tries) => backoff(tries, env.random));
    this.#alarm = new Alarm(env.clock, () => this.#changed());
    const { history } = options;
    this.#logs = new Rooms(env.random, Math.min(100, history || 50));
    const protocols = history === false ? ["chat.v1"] : ["chat.v2", "chat.v1"];
    this.#connector = new Connector(env, options, protocols, {
      opened: (signed, from, connection) => this.#opened(signed, from, connection),
      question: (next) => this.#logs.question(next, env.clock.now()),
      frame: (frame, current, from) => this.#received(frame, current, from),
      hidden: () => {
        const frame = this.#remembers ? this.#logs.marks(env.clock.now()) : undefined;
        if (frame) this.#connector.send(frame);
      },
      lost: () => {
        this.#after = this.#transcript.latest;
        this.#outbox.reconnect(env.clock.now());
        for (const room of this.#logs.all) room.lost();
      },
      changed: () => this.#changed(),
      authRequired: (code) => options.onAuthRequired?.(code),
    });
  }

  get state(): ChatState {
    return this.#connector.state;
  }

  get messages(): readonly ChatMessage[] {
    return this.getSnapshot().messages;
  }

  connect = (): void => this.#connector.start();

  dispose = (): void => this.#connector.stop();

  retryNow = (): void => this.#connector.retryNow();

  userActed = (): void => this.#connector.userActed();

  send = (text: string, room?: string): string => {
    const clean = cleanText(text);
    room ??= this.#rooms[0];
    const refusal = checkText(clean, room) ?? this.#refusalIn(room) ?? (this.#outbox.full ? "outbox_full" : undefined);
    if (refusal) throw new SendError(refusal);
    const entry = this.#outbox.add(random(ID), clean, room, this.#env.clock.now());
    this.#identify(entry);
    this.userActed();
    this.#changed();
    return entry.clientId;
  };

  /** Why the server refuses every frame for a room that is not a question. It counts such a frame as a violation. */
  #refusalIn(room: string | undefined): SendErrorCode | undefined {
    if (room === undefined || !this.#rooms.length) return undefined;
    if (!this.#rooms.includes(room)) return "room_not_allowed";
    return this.#logs.readOnly.includes(room) ? "read_only" : undefined;
  }

  resend = (clientId: string): void => {
    const entry = this.#outbox.get(clientId);
    if (entry?.status !== "failed") return;
    this.#outbox.resend(entry, this.#env.clock.now());
    this.#changed();
  };

  discard = (clientId: string): void => {
    this.#outbox.remove(clientId);
    this.#changed();
  };

  remove = (id: string): void => {
    const message = this.messages.find((message) => message.id === id);
    if (!message?.seq || message.deleted || !this.#remembers || this.#logs.readOnly.includes(message.room)) return;
    const { room, seq } = message;
    const known = this.#outbox.entries.find((entry) => entry.of === seq && entry.room === room);
    if (known) return this.resend(known.clientId);
    if (!this.#outbox.full) this.#outbox.add(random(ID), "", room, this.#env.clock.now(), id, seq);
    this.#changed();
  };

  markRead = (room: string): void => {
    if (this.#logs.get(room).markShown(this.#env.clock.now())) this.#changed();
  };

  loadOlder = (room: string): void => {
    // A page may call this after each change, so without a new question nothing changes.
    if (this.#logs.get(room).loadOlder()) this.#changed();
  };

  subscribe = (listener: () => void): (() => void) => {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  };

  getSnapshot = (): ChatSnapshot => (this.#snapshot ??= this.#look(this.#env.clock.now()));

  #look(now: number): ChatSnapshot {
    const logs = this.#logs.all.map((room) => room.messages(now));
    return {
      state: this.state,
      messages: this.#transcript.view(this.#outbox.entries, this.#user, this.#rooms, logs),
      gaps: this.#gaps,
      roomStates: this.#remembers ? this.#logs.states(now) : {},
      heldUntil: this.#outbox.freeAt,
      user: this.#user,
      rooms: this.#rooms,
      moderator: this.#moderator,
    };
  }

  #opened({ user, rooms, readOnly, moderator }: Signed, from: number | undefined, connection: Connection): void {
    if (this.#user && this.#user.sub !== user.sub) {
      if (isGuest(this.#user) && isGuest(user)) {
        this.#outbox.rename();
      } else {
        // Another user has signed in. Messages of the previous user are not sent, and not shown.
        this.#outbox.clear();
        this.#transcript.clear();
        this.#logs.clear();
        this.#gaps = [];
        from = undefined;
      }
    }
    this.#user = user;
    this.#rooms = this.#logs.names = rooms;
    this.#logs.readOnly = readOnly;
    this.#moderator = moderator;
    this.#remembers = connection.remembers;
    if (!connection.asked) for (const room of this.#logs.all) room.opened();
    const to = connection.openedAt;
    this.#missed = from! < to ? { from: from!, to, after: this.#after } : undefined;
    if (!this.#remembers) this.#tellMissed();
    for (const entry of this.#outbox.entries) this.#identify(entry);
  }

  /** Tells that messages may be missing, because the server cannot say. */
  #tellMissed(): void {
    if (this.#missed) this.#gaps = [...this.#gaps, this.#missed].slice(-GAPS);
    this.#missed = undefined;
  }

  #received(frame: Frame | undefined, current: boolean, from: Connection): void {
    const now = this.#env.clock.now();
    switch (frame?.type) {
      case "message": {
        const { room, id, seq } = frame;
        if (this.#remembers && seq !== undefined) {
          this.#logs.get(room).pushed(this.#item(room, { ...frame, seq }), now);
        } else {
          const message = this.#message(room, frame, this.#outbox.returned(room, id));
          this.#transcript.receive({ ...message, sentAt: frame.sentAt });
        }
        break;
      }
      case "deleted":
        this.#logs.get(frame.room).pushed(frame, now);
        break;
      case "presence":
        this.#logs.get(frame.room).present(frame, from);
        break;
      case "history":
      case "synced":
        this.#answered(frame, now);
        break;
      case "ack":
        this.#acknowledged(frame);
        break;
      case "error":
        this.#refused(frame, current);
        break;
      case "gateway": {
        const { oldest } = this.#outbox;
        if (oldest) this.#outbox.retry(oldest, now);
        break;
      }
      case "bye":
        if (current) this.#connector.dismissed(frame.code);
        break;
      case undefined:
        this.unknownFrames++;
    }
    this.#changed();
  }

  #message(room: string, { id, from, message, sentAt }: Partial<Said>, ours: Entry | undefined) {
    const { sub, name } = from ?? (ours && this.#user) ?? NOBODY;
    return {
      ...(ours && { clientId: ours.clientId }),
      id: id!,
      room,
      from: { sub, name },
      text: message ?? "",
      ...(sentAt !== undefined && { sentAt }),
      own: ours !== undefined || sub === this.#user?.sub,
      status: "delivered",
    } as const;
  }

  /** An entry of a log. If it is a message of this client, the message is done. */
  #item(room: string, entry: LogEntry): Item {
    const { seq, id, from, message, sentAt, deleted, of, erased } = entry;
    const isSaid = !deleted && from && message !== undefined && sentAt !== undefined;
    if (id === undefined || !(isSaid || deleted)) return { seq, of, erased };
    const ours = this.#outbox.returned(room, id);
    if (ours) this.#outbox.remove(ours.clientId);
    this.#transcript.remove(room, id);
    if (isSaid) this.#name(room, from.sub);
    const shown = { ...this.#message(room, isSaid ? entry : { id }, ours), seq, ...(deleted && { deleted }) };
    if (shown.own) this.#logs.get(room).markRead(seq);
    return { seq, message: shown };
  }

  /** Computes the hash by which the log of a room names a user, in case that the user's messages are erased. */
  #name(name: string, sub: string): void {
    const { log } = this.#logs.get(name);
    if (log.knows(sub)) return;
    log.identify(sub, "");
    void idOf(this.#env.sha256, name, sub).then((id) => log.identify(sub, id.toLowerCase()) && this.#changed());
  }

  #answered(frame: HistoryFrame | SyncedFrame, now: number): void {
    if (frame.type === "history" && frame.keepDays === 0) this.#tellMissed();
    const item = (entry: LogEntry) => this.#item((frame as HistoryFrame).room, entry);
    const anew = this.#logs.answer(frame, item, now, this.#env.clock.unix());
    for (const entry of this.#outbox.entries) if (anew.includes(entry.room!)) entry.floor = undefined;
  }

  #acknowledged({ id, clientId, seq, deleted }: Frame & { type: "ack" }): void {
    this.#connector.delivered();
    const entry = clientId === undefined ? undefined : this.#outbox.get(clientId);
    if (!entry) return;
    const { of } = entry;
    const isDone = of !== undefined || deleted;
    if (isDone) this.#outbox.remove(entry.clientId);
    if (!this.#remembers || seq === undefined) return isDone ? undefined : this.#accept(entry, id);
    if (!isDone) Object.assign(entry, { status: "delivered", seq, id });
    const now = this.#env.clock.now();
    if (of) this.#logs.get(entry.room!).pushed({ seq, of }, now);
    else this.#logs.get(entry.room!).heard(seq, now);
  }

  /** A message was delivered, and its place is not known. */
  #accept(entry: Entry, id: string): void {
    this.#outbox.remove(entry.clientId);
    this.#transcript.accept(
      { ...outgoingMessage(entry, this.#user, this.#rooms), id, status: "delivered" },
      this.#env.clock.unix(),
    );
  }

  #refused({ code, clientId, retryAfterMs }: Frame & { type: "error" }, current: boolean): void {
    if (code === "not_connected" || code === "session_ended") {
      if (current) this.#connector.dismissed(code);
      return;
    }
    const now = this.#env.clock.now();
    const later = code === "rate_limited" || code === "busy" ? Math.max(100, retryAfterMs ?? 1000) : undefined;
    const entry = clientId === undefined ? this.#outbox.oldest : this.#outbox.get(clientId);
    if (this.#logs.owns(clientId) || (this.#remembers && code === "unknown_action")) {
      if (later) {
        // Clients that were refused together do not come back together.
        const wait = later * (1 + this.#env.random());
        return this.#logs.all.forEach((room) => room.refused(clientId!, wait, now));
      }
      // The server does not answer questions about logs. It is treated as one that has none.
      this.#remembers = false;
      if (entry?.of) this.#outbox.fail(entry, code);
      return this.#tellMissed();
    }
    if (!entry || entry.status === "failed" || entry.status === "delivered") return;
    if (later) this.#outbox.pause(entry, now, later);
    else if (code === "partial_delivery") this.#outbox.retry(entry, now);
    else if (code === "far_behind") this.#lookFor(entry);
    else this.#outbox.fail(entry, code);
  }

  /** The server does not look for a message far enough back. So the client reads the log before it sends it again. */
  #lookFor(entry: Entry): void {
    Object.assign(entry, { status: "pending", far: true });
    this.#logs.get(entry.room!).search(entry.floor ?? 0);
  }

  /**
   * Ends messages whose fate is known: the log has them, the client has looked for them, or the user has lost the right
   * to write in the room.
   */
  #settle(): void {
    for (const entry of this.#outbox.entries) {
      const { seq, far, floor } = entry;
      const refusal = entry.status === "pending" ? this.#refusalIn(entry.room) : undefined;
      if (refusal) {
        this.#outbox.fail(entry, refusal);
      } else if (seq !== undefined) {
        if (!this.#remembers) this.#accept(entry, entry.id!);
        else if (seq <= this.#logs.get(entry.room!).position!) this.#outbox.remove(entry.clientId);
      } else if (far && this.#remembers) {
        const room = this.#logs.get(entry.room!);
        const hole = room.missing(floor ?? 0);
        if (floor === undefined || hole?.open === false) this.#outbox.fail(entry, UNKNOWN);
        else if (hole) room.search(floor);
        entry.far = entry.status !== "failed" && (hole !== undefined || !room.live);
      }
    }
  }

  /** Computes the id that the server will give a message, so that the message is recognized when it comes back. */
  #identify(entry: Entry): void {
    const sub = this.#user?.sub;
    if (sub === undefined || entry.id !== undefined) return;
    entry.room ??= this.#rooms[0];
    void idOf(this.#env.sha256, sub, entry.room, entry.clientId).then((id) => {
      if (sub !== this.#user?.sub) return;
      entry.id = id;
      this.#changed();
    });
  }

  /** Sends the frames that are due, plans the next check, and calls the listeners. */
  #changed(): void {
    const now = this.#env.clock.now();
    const { connected } = this.#connector;
    this.#settle();
    const isReady = ({ room, far, of }: Entry) =>
      of ? this.#remembers : !this.#remembers || (!far && this.#logs.get(room!).ready);
    const { send, stalled, wait } = this.#outbox.step(now, (entry) => connected && isReady(entry));
    const logs = connected && this.#remembers ? this.#logs.step(now) : undefined;
    this.#alarm.set(this.state.status === "idle" ? Infinity : Math.min(wait, logs?.wait ?? Infinity));
    if (stalled || logs?.unanswered) this.#connector.probe();
    if (send) this.#send(send);
    if (logs?.frame) this.#connector.send(logs.frame, logs.proves);
    this.#snapshot = undefined;
    for (const listener of this.#listeners) listener();
  }

  #send(entry: Entry): void {
    const { of, clientId } = entry;
    if (of) return this.#connector.send(deleteFrame(entry.room!, of, clientId));
    const room = this.#remembers ? this.#logs.get(entry.room!) : undefined;
    if (!entry.handed) Object.assign(entry, { handed: true, floor: room?.position });
    const after = entry.floor === undefined ? undefined : room?.seen(entry.floor);
    this.#connector.send(sendFrame(entry.text, entry.room, entry.clientId, after));
  }
}

/** Whether the server made the user up. It makes a new name for each connection, so two such users are one person. */
function isGuest({ sub }: User): boolean {
  return sub.startsWith("guest-");
}
