import { backoff } from "./backoff.js";
import { Alarm } from "./clock.js";
import { Connection, type ConnectionListener } from "./connection.js";
import { type Environment, Unusable } from "./environment.js";
import type { Frame } from "./frames.js";
import { newProof } from "./ids.js";
import { AttemptError, type Signed, Signer, type SignOptions } from "./sign.js";
import type { ChatState, RetryReason } from "./state.js";

const SETTLED = 10_000; // a connection that was open this long counts as success
const REFUSED_AFTER = 3; // handshakes
const LINGER = 5_000; // for frames that are on their way to the replaced connection
const MAX_AGE = 7_200_000; // API Gateway ends every connection after 2 hours
const SECOND = 1_000;
const NO_GAIN = 2_000; // sessionEndsIn is in whole seconds
const MINUTE = 60_000; // in the last minute of a session a new token is worth a request
const AGAIN = 15_000; // between such requests
const FADE = 2_000; // how long the client may show "connected" after the end of a connection
const OVERDUE = 1_500; // time for a next connection that is under way
const TICK = 5_000; // how often the clocks are compared
const JUMP = 10_000; // a larger difference means that the page or the machine has slept
const QUIET = 30_000; // after so long an act of the user leads to a ping

const CHECKING: ChatState = { status: "checking" };

export interface ConnectorListener {
  /**
   * A new connection becomes the current one. Messages between `from` and `to`, in Unix ms, may be missing. `from` is
   * undefined when none can be missing.
   */
  opened(signed: Signed, from: number | undefined, connection: Connection): void;
  question(next?: readonly string[]): string | undefined;
  /** A frame. `current` is false for one of a connection that is not the current one, or not yet. */
  frame(frame: Frame | undefined, current: boolean, from: Connection): void;
  /** The page became invisible. */
  hidden(): void;
  /** The current connection is gone. Messages under way may be lost. */
  lost(): void;
  /** The state or `connected` changed. */
  changed(): void;
  authRequired(code: string): void;
}

/** Keeps one connection open: attempts, waits, rotation, and the states of these. */
export class Connector implements ConnectionListener {
  #state: ChatState = { status: "idle" };
  readonly #env: Environment;
  readonly #signer: Signer;
  readonly #listener: ConnectorListener;
  #current: Connection | undefined;
  #replaced: Connection | undefined;
  readonly #protocols: readonly string[];
  #attempt: AbortController | undefined;
  #stage: "signing" | "connecting" = "signing";
  #unwatch: (() => void) | undefined;
  #failures = 0;
  #refusals = 0;
  #endsAt = 0; // when the current connection ends at the latest
  #lostAt: number | undefined; // time of the last frame of the lost connection, in Unix ms
  #replacing = false; // whether the connection under way has replaced the lost one
  #due = 0; // when to compare the clocks next, in Unix ms
  #triedToReplace = false; // whether this client has tried to replace the current connection
  #signInReported = false; // whether the owner knows that only a sign-in can replace the current connection
  readonly #alarms: Alarm[] = [];
  readonly #retry: Alarm;
  readonly #rotate: Alarm;
  readonly #settled: Alarm;
  readonly #linger: Alarm;
  readonly #fade: Alarm;
  readonly #over: Alarm;
  readonly #tick: Alarm;

  /** `protocols` are offered to the server, the best one first. */
  constructor(env: Environment, options: SignOptions, protocols: readonly string[], listener: ConnectorListener) {
    this.#env = env;
    this.#protocols = protocols;
    this.#signer = new Signer(env, options);
    this.#listener = listener;
    const alarm = (fire: () => void) => {
      const made = new Alarm(env.clock, fire);
      this.#alarms.push(made);
      return made;
    };
    this.#retry = alarm(() => this.#dial());
    this.#rotate = alarm(() => this.#dial());
    this.#settled = alarm(() => (this.#failures = 0));
    this.#linger = alarm(() => this.#replaced?.close());
    this.#fade = alarm(() => this.#attempt && this.#enterStage(this.#stage));
    this.#over = alarm(() => this.drop("session_ended"));
    this.#tick = alarm(() => this.#compareClocks());
  }

  get state(): ChatState {
    return this.#current?.inDoubt ? CHECKING : this.#state;
  }

  get connected(): boolean {
    return this.#current !== undefined;
  }

  /** Starts, unless it has started. */
  start(): void {
    if (this.#unwatch) return;
    this.#unwatch = this.#env.network.watch(
      () => this.#wake(),
      () => this.#listener.hidden(),
    );
    this.#compareClocks();
    this.#wake(true);
  }

  /** Ends a wait at once. With nothing to wait for, it checks whether the server answers. */
  retryNow(): void {
    this.start();
    this.#wake(true);
  }

  /**
   * The user does something, so "connected" has to be true. The wall clock decides, because it goes on while the
   * machine sleeps.
   */
  userActed(): void {
    if (this.#current && Math.abs(this.#env.clock.unix() - this.#current.heardAt) >= QUIET) this.#current.probe();
  }

  /** The server has taken a message, so the connection counts as a success. */
  delivered(): void {
    this.#failures = 0;
  }

  stop(): void {
    this.#end({ status: "idle" });
  }

  send(frame: string, proves?: boolean): void {
    this.#current?.send(frame, proves);
  }

  /** Gives up the current connection and opens another one later. */
  drop(reason: RetryReason): void {
    const current = this.#current;
    if (!current) return;
    current.close();
    this.lost(current, reason);
  }

  /** Handles a bye of the server. */
  dismissed(code: string): void {
    if (code === "session_ended" || code === "too_slow" || code === "not_connected") return this.drop(code);
    if (isSignOut(code)) return this.#unauthorized(code);
    this.#replacing = this.#attempt !== undefined && this.#stage === "connecting";
    // The connection under way may have replaced this one, or a connection that the server opened after the client gave
    // up.
    if (code === "evicted" && this.#attempt) return this.drop("lost");
    if (code !== "replaced" || !this.#triedToReplace) return this.#end({ status: "closed", code });
    if (this.#attempt) this.#fade.set(FADE);
    this.drop(code);
  }

  probe(): void {
    this.#current?.probe();
  }

  question(next?: readonly string[]): string | undefined {
    return this.#listener.question(next);
  }

  doubted(): void {
    this.#listener.changed();
  }

  frame(from: Connection, frame: Frame | undefined): void {
    // The next connection has told of the users already.
    if (frame?.type === "presence" && from === this.#replaced) return;
    this.#listener.frame(frame, from === this.#current, from);
  }

  lost(connection: Connection, reason: RetryReason): void {
    if (connection !== this.#current) return;
    this.#forget();
    if (this.#attempt) this.#enterStage(this.#stage);
    else this.#retryLater(reason);
  }

  /** Records that the current connection has ended. */
  #forget(): void {
    if (!this.#current) return;
    this.#lostAt = this.#current.heardAt;
    this.#current = undefined;
    for (const alarm of [this.#rotate, this.#settled, this.#over]) alarm.clear();
    this.#listener.lost();
  }

  /** Opens a connection, if necessary beside the current one. */
  #dial(): void {
    if (this.#attempt) return;
    this.#retry.clear();
    this.#triedToReplace = this.connected;
    this.#replacing = false;
    const attempt = (this.#attempt = new AbortController());
    this.#enterStage("signing");
    this.#open(attempt.signal).then(
      ([connection, ...rest]) => (attempt.signal.aborted ? connection.close() : this.#opened(connection, ...rest)),
      (error: unknown) => attempt.signal.aborted || this.#failed(error),
    );
  }

  async #open(signal: AbortSignal): Promise<[Connection, Signed, number]> {
    const { verifier, challenge } = await newProof(this.#env.sha256);
    signal.throwIfAborted();
    if (!this.#env.WebSocket) throw new Unusable("no_websocket");
    const signed = await this.#signer.sign(challenge, signal);
    signal.throwIfAborted(); // aborted since the answer
    const endsAt = this.#env.clock.now() + Math.min(signed.sessionEndsIn, MAX_AGE);
    if (this.#current && endsAt - this.#endsAt <= NO_GAIN) throw new NoGain("lost");
    this.#enterStage("connecting");
    const protocols = [...this.#protocols, `pop.${verifier}`];
    const rooms = this.#current && signed.rooms;
    const connection = new Connection(this.#env, signed.url, protocols, rooms, this);
    signal.addEventListener("abort", () => connection.close());
    await connection.ready;
    return [connection, signed, endsAt];
  }

  #opened(connection: Connection, signed: Signed, endsAt: number): void {
    this.#attempt = undefined;
    this.#refusals = 0;
    this.#triedToReplace = this.#signInReported = false;
    this.#fade.clear();
    this.#replaced?.close();
    this.#replaced = this.#current;
    const deaf = this.#replaced && (this.#replaced.inDoubt || this.#isOverAt(connection.openedAt));
    const from = this.#replacing ? undefined : deaf ? this.#replaced!.heardAt : this.#lostAt;
    this.#lostAt = undefined;
    this.#linger.set(LINGER);
    this.#current = connection;
    this.#settled.set(SETTLED);
    this.#endsAt = endsAt;
    this.#planRotation();
    this.#listener.opened(signed, from, connection);
    this.#enter({ status: "open" });
  }

  /**
   * Whether the server has stopped sending to the current connection at a time in Unix ms. Sessions end on a whole
   * second, up to one second before `#endsAt`.
   */
  #isOverAt(unix: number): boolean {
    const { clock } = this.#env;
    return unix - clock.unix() > this.#endsAt - SECOND - clock.now();
  }

  /**
   * Rotates between 105 and 115 of 120 minutes, or at the same share of a shorter session, but at least a minute before
   * its end.
   */
  #planRotation(): void {
    const life = this.#endsAt - this.#env.clock.now();
    this.#over.set(life + OVERDUE); // the message of the server may come so much later
    this.#rotate.set(Math.min((life * (105 + 10 * this.#env.random())) / 120, Math.max(AGAIN, life - MINUTE)));
  }

  /** The new URL would not prolong the session. In the last minute another token is possible at each attempt. */
  #rotateLater(): void {
    const left = this.#endsAt - this.#env.clock.now();
    const wait = Math.max(AGAIN, left - MINUTE);
    this.#rotate.set(wait < left ? wait : Infinity);
    this.#enter({ status: "open" });
  }

  #failed(error: unknown): void {
    this.#attempt = undefined;
    this.#fade.clear();
    if (error instanceof NoGain && this.#current) return this.#rotateLater();
    if (error instanceof Unusable) return this.#end({ status: "closed", code: error.message });
    // Other errors come from `new WebSocket`. Their text contains the URL.
    const { reason, retryAfter, auth } = error instanceof AttemptError ? error : new AttemptError("handshake");
    if (auth !== undefined) return this.#unauthorized(auth);
    if (reason !== "handshake") this.#retryLater(reason, retryAfter);
    else this.#retryLater(++this.#refusals < REFUSED_AFTER ? reason : "refused");
  }

  #retryLater(reason: RetryReason, atLeast = 0): void {
    const wait = atLeast + backoff(this.#failures++, this.#env.random);
    if (this.#current) {
      this.#rotate.set(wait);
      this.#enter({ status: "open" });
    } else if (!this.#env.network.online()) {
      this.#enter({ status: "offline" });
    } else {
      this.#retry.set(wait);
      this.#enter({ status: "waiting", retryAt: this.#env.clock.now() + wait, reason });
    }
  }

  /** The user is signed out. An open connection stays until the server ends it, except after a sign-out. */
  #unauthorized(code: string): void {
    if (this.#current && !isSignOut(code)) {
      this.#rotateLater();
      if (this.#signInReported) return;
      this.#signInReported = true;
    } else {
      this.#end({ status: "auth-required", code });
    }
    this.#listener.authRequired(code);
  }

  /**
   * Compares the monotonic clock of the timer with the wall clock. When they disagree, or the timer is late, the page
   * or the machine has slept. Browsers delay the timers of a hidden page by up to a minute.
   */
  #compareClocks(): void {
    const { clock, network } = this.#env;
    const now = clock.unix();
    if (Math.abs(now - this.#due) > (network.visible?.() === false ? MINUTE : JUMP)) this.#wake();
    this.#due = now + TICK;
    this.#tick.set(TICK);
  }

  /** The network has changed, the page became visible, or time has passed during a sleep. */
  #wake(byHand = false): void {
    const state = this.#state;
    this.#failures = 0;
    if (this.#current) this.#current.ask();
    else if (
      byHand ||
      state.status === "offline" ||
      (state.status === "waiting" && !/throttled|kicked/.test(state.reason))
    )
      this.#dial();
  }

  #end(state: ChatState): void {
    this.#unwatch?.();
    this.#attempt?.abort();
    this.#current?.close();
    this.#replaced?.close();
    this.#forget();
    this.#unwatch = this.#attempt = this.#replaced = undefined;
    for (const alarm of this.#alarms) alarm.clear();
    this.#enter(state);
  }

  #enterStage(stage: "signing" | "connecting"): void {
    this.#stage = stage;
    this.#enter({ status: this.#current || this.#fade.isSet ? "rotating" : stage });
  }

  #enter(state: ChatState): void {
    this.#state = state;
    this.#listener.changed();
  }
}

/** A new connection would end at the same time as the present one. */
class NoGain extends AttemptError {}

/** Whether a bye or a refusal ends the rights of the user until a person signs in. */
function isSignOut(code: string): boolean {
  return code === "revoked" || code === "signed_out";
}
