import { Alarm } from "./clock.js";
import type { Environment, SocketLike } from "./environment.js";
import { type Frame, parseFrame } from "./frames.js";
import { AttemptError } from "./sign.js";
import type { RetryReason } from "./state.js";

const TIMEOUT = 10_000; // of the handshake, and of the answer to a ping
const DOUBT = 2_000; // a connection without an answer for so long is in doubt
// API Gateway closes a connection after 10 minutes without a frame and never pings. Pings are billed, so they are rare.
const SILENCE = 510_000;
const SILENCE_JITTER = 30_000;

/** Events of a connection. No event follows `lost` or `close`. */
export interface ConnectionListener {
  /**
   * The frame that asks the server for news. The answer proves the connection, too. `next` has the rooms of this
   * connection when it is not the current one yet. Undefined when there is nothing to ask.
   */
  question(next?: readonly string[]): string | undefined;
  /** A frame, or undefined for one that this client does not know. */
  frame(from: Connection, frame: Frame | undefined): void;
  /** The connection is in doubt. */
  doubted(): void;
  lost(connection: Connection, reason: RetryReason): void;
}

/** One WebSocket, from its handshake to its end, with its pings. */
export class Connection {
  /** Resolves when the connection can be used. Rejects with AttemptError when the attempt failed. */
  readonly ready: Promise<void>;
  /** Unix ms of the end of the handshake; 0 before. */
  openedAt = 0;
  /** The time of the last frame from the server, in Unix ms. */
  heardAt = 0;
  /** A ping had no answer for 2 s. */
  inDoubt = false;
  /** Whether the server was asked for news before the connection could be used. */
  asked = false;
  #resolve!: () => void;
  #reject!: (error: AttemptError) => void;
  #usable = false;
  #pinged = false; // the answer that is awaited is that to a ping
  readonly #env: Environment;
  readonly #listener: ConnectionListener;
  readonly #socket: SocketLike;
  readonly #timeout: Alarm;
  readonly #silence: Alarm;

  /**
   * Connects with a signed URL. The last one of the protocols has its secret. With `rooms` the connection is usable
   * only after the server has answered.
   */
  constructor(
    env: Environment,
    url: string,
    protocols: string[],
    rooms: readonly string[] | undefined,
    listener: ConnectionListener,
  ) {
    this.ready = new Promise((resolve, reject) => {
      this.#resolve = resolve;
      this.#reject = reject;
    });
    this.#env = env;
    this.#listener = listener;
    this.#timeout = new Alarm(env.clock, () => this.#unanswered());
    this.#silence = new Alarm(env.clock, () => this.ask());
    const socket = (this.#socket = new env.WebSocket(url, protocols));
    this.#timeout.set(TIMEOUT);
    socket.onopen = () => {
      this.#timeout.clear();
      this.#listen();
      this.openedAt = this.heardAt;
      if (rooms) this.asked = this.ask(rooms);
      else this.#use();
    };
    socket.onmessage = (event) => {
      this.#timeout.clear();
      const frame = parseFrame(event.data);
      // A bye is no answer to the ping: the connection has ended, and must not replace a working one.
      if (!this.#usable && frame?.type === "bye") return this.#lose("lost");
      this.#listen();
      this.#use();
      listener.frame(this, frame);
    };
    socket.onclose = ({ wasClean }) => {
      if (wasClean) this.#listen(); // the server closed it
      this.#lose(this.openedAt ? "lost" : "handshake");
    };
    socket.onerror = () => {}; // has no details; close follows
  }

  /** Sends a frame. With `proves` it takes the place of a ping: its answer proves the connection. */
  send(frame: string, proves = false): void {
    if (proves && !this.#timeout.isSet) {
      this.#timeout.set(DOUBT);
      this.#pinged = false;
    }
    this.#socket.send(frame);
  }

  /** Whether the server has logs of the rooms. */
  get remembers(): boolean {
    return this.#socket.protocol === "chat.v2";
  }

  /** Sends a ping. Without an answer within 2 s the connection is in doubt, within 10 s it is lost. */
  probe(): void {
    if (this.#timeout.isSet) return;
    this.#timeout.set(DOUBT);
    this.#ping();
  }

  /**
   * Asks the server for news, in place of a ping. Returns false when it was a ping. If the question has no answer
   * within 2 s, a ping follows: a server that cannot read its logs may work otherwise.
   */
  ask(next?: readonly string[]): boolean {
    const question = this.remembers ? this.#listener.question(next) : undefined;
    if (question) this.send(question, true);
    else this.probe();
    return !!question;
  }

  /** Ends the connection without an event. */
  close(): void {
    this.#timeout.clear();
    this.#silence.clear();
    const socket = this.#socket;
    socket.onopen = socket.onmessage = socket.onclose = null;
    socket.close(1000);
    this.#reject(new AttemptError("lost"));
  }

  #ping(): void {
    this.#pinged = true;
    this.send('{"action":"ping"}');
  }

  /** The server has sent something. */
  #listen(): void {
    this.heardAt = this.#env.clock.unix();
    this.inDoubt = false;
    this.#silence.set(SILENCE + SILENCE_JITTER * this.#env.random());
  }

  #unanswered(): void {
    if (!this.openedAt || this.inDoubt) return this.#lose("timeout");
    this.inDoubt = true;
    this.#timeout.set(TIMEOUT - DOUBT);
    if (!this.#pinged) this.#ping();
    this.#listener.doubted();
  }

  #use(): void {
    this.#usable = true;
    this.#resolve();
  }

  #lose(reason: RetryReason): void {
    this.#reject(new AttemptError(reason));
    this.close();
    if (this.#usable) this.#listener.lost(this, reason);
  }
}
