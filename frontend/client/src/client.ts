import { backoff } from "./backoff.js";
import { Alarm } from "./clock.js";
import { Connector } from "./connector.js";
import { defaultEnvironment, type Environment } from "./environment.js";
import type { Frame } from "./frames.js";
import { messageId, uuidv7 } from "./ids.js";
import { type Entry, Outbox } from "./outbox.js";
import type { Signed, SignOptions } from "./sign.js";
import type { ChatMessage, ChatSnapshot, ChatState, Gap, User } from "./state.js";
import { checkText, cleanText, SendError, sendFrame } from "./text.js";
import { outgoingMessage, Transcript } from "./transcript.js";

const GAPS = 50;

export interface ChatOptions extends SignOptions {
  /**
   * Called when the sign URL answers 401 or 403, or the server revokes the user. `code` as in the state
   * `auth-required`.
   */
  readonly onAuthRequired?: (code: string) => void;
  /**
   * The MessagesPerWindow parameter of the server, 20 by default: the number of messages in 10 s. More messages wait.
   */
  readonly messagesPerWindow?: number;
  /** For tests: their own clock, WebSocket and so on. */
  readonly environment?: Partial<Environment>;
}

/** A chat. All methods are bound, so a page can pass them on. */
export interface ChatClient {
  readonly state: ChatState;
  readonly messages: readonly ChatMessage[];
  /** The number of frames from the server of a kind that this client does not know. */
  readonly unknownFrames: number;
  /** Connects, and stays connected. Does nothing if the client has begun already. */
  connect(): void;
  /** Disconnects and cancels everything under way. Messages stay. `connect()` starts again. */
  dispose(): void;
  /** Makes the next attempt now. With an open connection it checks whether the server answers. */
  retryNow(): void;
  /**
   * Call it when the user does something (focus, a key, scrolling). After 30 s of silence it checks whether the server
   * answers.
   */
  userActed(): void;
  /**
   * Sends a message, at once or after the next connection, and returns the client's id of the message. Throws
   * SendError. The default room is the first one.
   */
  send(text: string, room?: string): string;
  /** Sends a failed message again, under its old id. A recipient that has it already drops it. */
  resend(clientId: string): void;
  /** Discards a message that is not delivered. */
  discard(clientId: string): void;
  /** Calls the listener after each change, until the returned function is called. */
  subscribe(listener: () => void): () => void;
  /** Returns the same object until something changes. */
  getSnapshot(): ChatSnapshot;
}

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
  #snapshot: ChatSnapshot | undefined;
  #user: User | undefined;
  #rooms: readonly string[];
  #gaps: readonly Gap[] = [];
  #after = 0; // sentAt of the last message before the connection was lost
  unknownFrames = 0;

  constructor(options: ChatOptions) {
    const env: Environment = { ...defaultEnvironment(), ...options.environment };
    this.#env = env;
    this.#rooms = options.rooms ?? [];
    this.#outbox = new Outbox(options.messagesPerWindow ?? 20, (tries) => backoff(tries, env.random));
    this.#alarm = new Alarm(env.clock, () => this.#changed());
    this.#connector = new Connector(env, options, {
      opened: (signed, from, to) => this.#opened(signed, from, to),
      frame: (frame, current) => this.#received(frame, current),
      lost: () => {
        this.#after = this.#transcript.latest;
        this.#outbox.reconnect(env.clock.now());
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
    let refusal = checkText(clean, room);
    // The server counts a message for a foreign room as a violation of the sender.
    if (this.#rooms.length && !this.#rooms.includes(room!)) refusal ??= "room_not_allowed";
    if (this.#outbox.full) refusal ??= "outbox_full";
    if (refusal) throw new SendError(refusal);
    const entry = this.#outbox.add(uuidv7(this.#env.clock.unix()), clean, room, this.#env.clock.now());
    this.#identify(entry);
    this.userActed();
    this.#changed();
    return entry.clientId;
  };

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

  subscribe = (listener: () => void): (() => void) => {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  };

  getSnapshot = (): ChatSnapshot =>
    (this.#snapshot ??= {
      state: this.state,
      messages: this.#transcript.view(this.#outbox.entries, this.#user, this.#rooms),
      gaps: this.#gaps,
      heldUntil: this.#outbox.freeAt,
      user: this.#user,
      rooms: this.#rooms,
    });

  #opened({ user, rooms }: Signed, from: number | undefined, to: number): void {
    if (this.#user && this.#user.sub !== user.sub) {
      if (isGuest(this.#user) && isGuest(user)) {
        this.#outbox.rename();
      } else {
        // Another user has signed in. Messages of the previous user are not sent, and not shown.
        this.#outbox.clear();
        this.#transcript.clear();
        this.#gaps = [];
        from = undefined;
      }
    }
    this.#user = user;
    this.#rooms = rooms;
    if (from! < to) this.#gaps = [...this.#gaps, { from: from!, to, after: this.#after }].slice(-GAPS);
    for (const entry of this.#outbox.entries) this.#identify(entry);
  }

  #received(frame: Frame | undefined, current: boolean): void {
    switch (frame?.type) {
      case "message": {
        const { id, room, from, message, sentAt } = frame;
        const ours = this.#outbox.returned(room, id);
        this.#transcript.receive({
          ...(ours && { clientId: ours.clientId }),
          id,
          room,
          from,
          text: message,
          sentAt,
          own: ours !== undefined || from.sub === this.#user?.sub,
          status: "delivered",
        });
        break;
      }
      case "ack":
        this.#acknowledged(frame.id, frame.clientId);
        break;
      case "error":
        this.#refused(frame, current);
        break;
      case "gateway": {
        const { oldest } = this.#outbox;
        if (oldest) this.#outbox.retry(oldest, this.#env.clock.now());
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

  #acknowledged(id: string, clientId: string | undefined): void {
    this.#connector.delivered();
    const entry = clientId === undefined ? undefined : this.#outbox.get(clientId);
    if (!entry) return;
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
    const entry = clientId === undefined ? this.#outbox.oldest : this.#outbox.get(clientId);
    if (!entry || entry.status === "failed") return;
    const now = this.#env.clock.now();
    if (code === "rate_limited") this.#outbox.pause(entry, now, Math.max(100, retryAfterMs ?? 1000));
    else if (code === "partial_delivery") this.#outbox.retry(entry, now);
    else this.#outbox.fail(entry, code);
  }

  /** Computes the id that the server will give a message, so that the message is recognized when it comes back. */
  #identify(entry: Entry): void {
    const sub = this.#user?.sub;
    if (sub === undefined || entry.id !== undefined) return;
    entry.room ??= this.#rooms[0];
    void messageId(this.#env.sha256, sub, entry.room, entry.clientId).then((id) => {
      if (sub !== this.#user?.sub) return;
      entry.id = id;
      this.#changed();
    });
  }

  /** Sends the messages that are due, plans the next check, and calls the listeners. */
  #changed(): void {
    const { send, stalled, wait } = this.#outbox.step(this.#env.clock.now(), this.#connector.connected);
    this.#alarm.set(this.state.status === "idle" ? Infinity : wait);
    if (stalled) this.#connector.probe();
    if (send) this.#connector.send(sendFrame(send.text, send.room, send.clientId));
    this.#snapshot = undefined;
    for (const listener of this.#listeners) listener();
  }
}

/** Whether the server made the user up. It makes a new name for each connection, so two such users are one person. */
function isGuest({ sub }: User): boolean {
  return sub.startsWith("guest-");
}
