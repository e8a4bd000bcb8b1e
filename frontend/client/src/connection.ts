import { Alarm } from "./clock.js";
import type { Environment, SocketLike } from "./environment.js";
import { type Frame, parseFrame } from "./frames.js";
import { AttemptError } from "./sign.js";
import type { RetryReason } from "./state.js";

const HANDSHAKE_TIMEOUT = 10_000;
const PONG_TIMEOUT = 10_000;
// API Gateway closes a connection after 10 minutes without a frame and never pings. Pings are billed, so they are rare.
const SILENCE = 510_000;
const SILENCE_JITTER = 30_000;

/** What a connection tells its owner. After `lost`, and after `close`, it tells nothing more. */
export interface ConnectionListener {
  /** A frame, or undefined for one that this client does not know. */
  frame(from: Connection, frame: Frame | undefined): void;
  lost(connection: Connection, reason: RetryReason): void;
}

/** One WebSocket, from its handshake to its end, and the pings that keep it. */
export class Connection {
  /** Settles once: the connection can be used, or it came to nothing (AttemptError). */
  readonly ready: Promise<void>;
  #resolve!: () => void;
  #reject!: (error: AttemptError) => void;
  #usable = false;
  readonly #env: Environment;
  readonly #listener: ConnectionListener;
  readonly #socket: SocketLike;
  readonly #handshake: Alarm;
  readonly #silence: Alarm;
  readonly #pong: Alarm;

  /**
   * Connects with a signed URL and the secret to it. With `confirm` the connection is usable only once the server has
   * answered a ping.
   */
  constructor(env: Environment, url: string, verifier: string, confirm: boolean, listener: ConnectionListener) {
    this.ready = new Promise((resolve, reject) => {
      this.#resolve = resolve;
      this.#reject = reject;
    });
    this.#env = env;
    this.#listener = listener;
    this.#handshake = new Alarm(env.clock, () => this.#lose("timeout"));
    this.#silence = new Alarm(env.clock, () => this.probe());
    this.#pong = new Alarm(env.clock, () => this.#lose("timeout"));
    const socket = (this.#socket = new env.WebSocket(url, ["chat.v1", `pop.${verifier}`]));
    this.#handshake.set(HANDSHAKE_TIMEOUT);
    socket.onopen = () => {
      this.#handshake.clear();
      this.#listen();
      if (confirm) this.probe();
      else this.#use();
    };
    socket.onmessage = (event) => {
      this.#pong.clear();
      const frame = parseFrame(event.data);
      // A goodbye proves nothing: who took it for an answer to the ping would give a good connection up for one that is
      // over.
      if (!this.#usable && frame?.type === "bye") return this.#lose("lost");
      this.#listen();
      this.#use();
      listener.frame(this, frame);
    };
    socket.onclose = () => this.#lose(this.#handshake.isSet ? "handshake" : "lost");
    socket.onerror = () => {}; // says nothing; close follows
  }

  send(frame: string): void {
    this.#socket.send(frame);
  }

  /** Asks whether the server is there. Without an answer within 10 s the connection is lost. */
  probe(): void {
    if (this.#pong.isSet) return;
    this.#pong.set(PONG_TIMEOUT);
    this.send('{"action":"ping"}');
  }

  /** Ends the connection without a word to the listener. */
  close(): void {
    for (const alarm of [this.#handshake, this.#silence, this.#pong]) alarm.clear();
    const socket = this.#socket;
    socket.onopen = socket.onmessage = socket.onclose = null;
    socket.close(1000);
    this.#reject(new AttemptError("lost"));
  }

  #listen(): void {
    this.#silence.set(SILENCE + SILENCE_JITTER * this.#env.random());
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
