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
const LINGER = 5_000; // for what is still on its way to the connection that was replaced
const MAX_AGE = 7_200_000; // API Gateway ends every connection after 2 hours
const SECOND = 1_000;
const NO_GAIN = 2_000; // sessionEndsIn is in whole seconds
const MINUTE = 60_000; // the last one of a session: by then a token is worth asking for again
const AGAIN = 15_000; // and then again
const FADE = 2_000; // how long "connected" may be shown after the event that ended it
const OVERDUE = 1_500; // time for the next connection, which may be on its way, to take over
const TICK = 5_000; // how often the clocks are compared
const JUMP = 10_000; // later or earlier than that, the page or the machine has slept
const QUIET = 30_000; // then somebody who does something wants to know whether the server is there

const CHECKING: ChatState = { status: "checking" };

export interface ConnectorListener {
  /**
   * A connection was opened and will be the current one. Nothing was received between two moments in Unix ms: `from` is
   * undefined when nothing can be missing.
   */
  opened(signed: Signed, from: number | undefined, to: number): void;
  /** `current` is false for the connection that was replaced. */
  frame(frame: Frame | undefined, current: boolean): void;
  /** The current connection is gone; what was under way may be lost. */
  lost(): void;
  /** The state or `connected` changed. */
  changed(): void;
  authRequired(code: string): void;
}

/** Keeps one connection open: attempts, waits, rotation, and the states that tell of them. */
export class Connector implements ConnectionListener {
  #state: ChatState = { status: "idle" };
  readonly #env: Environment;
  readonly #signer: Signer;
  readonly #listener: ConnectorListener;
  #current: Connection | undefined;
  #replaced: Connection | undefined;
  #attempt: AbortController | undefined;
  #stage: "signing" | "connecting" = "signing";
  #unwatch: (() => void) | undefined;
  #failures = 0;
  #refusals = 0;
  #endsAt = 0; // when the current connection ends at the latest
  #lostAt: number | undefined; // when the connection that is lost was heard last, in Unix ms
  #heir = false; // whether the connection that is being opened took the place of the one that is lost
  #due = 0; // when the clocks are to be compared next, in Unix ms
  #tried = false; // whether this client has tried to replace the current connection
  #told = false; // whether the owner knows that the current connection cannot be replaced before somebody signs in
  readonly #alarms: Alarm[] = [];
  readonly #retry: Alarm;
  readonly #rotate: Alarm;
  readonly #settled: Alarm;
  readonly #linger: Alarm;
  readonly #fade: Alarm;
  readonly #over: Alarm;
  readonly #tick: Alarm;

  constructor(env: Environment, options: SignOptions, listener: ConnectorListener) {
    this.#env = env;
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

  /** Begins, unless it has begun. */
  start(): void {
    if (this.#unwatch) return;
    this.#unwatch = this.#env.network.watch(() => this.#wake());
    this.#compareClocks();
    this.#wake(true);
  }

  /** Does at once what it waits to do; asks the server whether it is there when there is nothing to wait for. */
  retryNow(): void {
    this.start();
    this.#wake(true);
  }

  /** Somebody uses the page: "connected" has to be true. By the wall clock, which passes while the machine sleeps. */
  userActed(): void {
    if (this.#current && Math.abs(this.#env.clock.unix() - this.#current.heardAt) >= QUIET) this.#current.probe();
  }

  /** The server has taken a message, so the connection was worth having. */
  delivered(): void {
    this.#failures = 0;
  }

  stop(): void {
    this.#end({ status: "idle" });
  }

  send(frame: string): void {
    this.#current?.send(frame);
  }

  /** Gives the current connection up and opens another one after a while. */
  drop(reason: RetryReason): void {
    const current = this.#current;
    if (!current) return;
    current.close();
    this.lost(current, reason);
  }

  /** Does what the server's goodbye asks for. */
  dismissed(code: string): void {
    if (code === "session_ended" || code === "too_slow" || code === "not_connected") return this.drop(code);
    if (isSignOut(code)) return this.#unauthorized(code);
    this.#heir = this.#attempt !== undefined && this.#stage === "connecting";
    // The connection that is being opened, or one that the server opened and we gave up, may have taken the place.
    if (code === "evicted" && this.#attempt) return this.drop("lost");
    if (code !== "replaced" || !this.#tried) return this.#end({ status: "closed", code });
    if (this.#attempt) this.#fade.set(FADE);
    this.drop(code);
  }

  probe(): void {
    this.#current?.probe();
  }

  doubted(): void {
    this.#listener.changed();
  }

  frame(from: Connection, frame: Frame | undefined): void {
    this.#listener.frame(frame, from === this.#current);
  }

  lost(connection: Connection, reason: RetryReason): void {
    if (connection !== this.#current) return;
    this.#forget();
    if (this.#attempt) this.#enterStage(this.#stage);
    else this.#retryLater(reason);
  }

  /** There is no current connection any more. */
  #forget(): void {
    if (!this.#current) return;
    this.#lostAt = this.#current.heardAt;
    this.#current = undefined;
    for (const alarm of [this.#rotate, this.#settled, this.#over]) alarm.clear();
    this.#listener.lost();
  }

  /** Opens a connection, beside the current one if there is one. */
  #dial(): void {
    if (this.#attempt) return;
    this.#retry.clear();
    this.#tried = this.connected;
    this.#heir = false;
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
    signal.throwIfAborted(); // between the answer and now
    const endsAt = this.#env.clock.now() + Math.min(signed.sessionEndsIn, MAX_AGE);
    if (this.#current && endsAt - this.#endsAt <= NO_GAIN) throw new NoGain("lost");
    this.#enterStage("connecting");
    const connection = new Connection(this.#env, signed.url, verifier, this.connected, this);
    signal.addEventListener("abort", () => connection.close());
    await connection.ready;
    return [connection, signed, endsAt];
  }

  #opened(connection: Connection, signed: Signed, endsAt: number): void {
    this.#attempt = undefined;
    this.#refusals = 0;
    this.#tried = this.#told = false;
    this.#fade.clear();
    this.#replaced?.close();
    this.#replaced = this.#current;
    const deaf = this.#replaced && (this.#replaced.inDoubt || this.#isOverAt(connection.openedAt));
    const from = this.#heir ? undefined : deaf ? this.#replaced!.heardAt : this.#lostAt;
    this.#lostAt = undefined;
    this.#linger.set(LINGER);
    this.#current = connection;
    this.#settled.set(SETTLED);
    this.#endsAt = endsAt;
    this.#planRotation();
    this.#listener.opened(signed, from, connection.openedAt);
    this.#enter({ status: "open" });
  }

  /**
   * Whether the server sends nothing to the current connection any more at a time in Unix ms. Sessions end on a whole
   * second, up to one second before `#endsAt`.
   */
  #isOverAt(unix: number): boolean {
    const { clock } = this.#env;
    return unix - clock.unix() > this.#endsAt - SECOND - clock.now();
  }

  /**
   * Rotates between 105 and 115 of 120 minutes, in the same proportion of a shorter session, and a minute before its
   * end at the latest.
   */
  #planRotation(): void {
    const life = this.#endsAt - this.#env.clock.now();
    this.#over.set(life + OVERDUE); // the server may say so much later
    this.#rotate.set(Math.min((life * (105 + 10 * this.#env.random())) / 120, Math.max(AGAIN, life - MINUTE)));
  }

  /** What was signed would not prolong the session. In its last minute there may be another token each time. */
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
    // What is not ours comes from `new WebSocket`, and its text would tell the URL.
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

  /** The user is signed out. An open connection stays until the server ends it, but not after a sign-out. */
  #unauthorized(code: string): void {
    if (this.#current && !isSignOut(code)) {
      this.#rotateLater();
      if (this.#told) return;
      this.#told = true;
    } else {
      this.#end({ status: "auth-required", code });
    }
    this.#listener.authRequired(code);
  }

  /**
   * Compares the monotonic clock, by which the timer runs, with the wall clock. When they disagree, or the timer is
   * late, the page or the machine has slept. Browsers delay the timers of a page that cannot be seen by a minute.
   */
  #compareClocks(): void {
    const { clock, network } = this.#env;
    const now = clock.unix();
    if (Math.abs(now - this.#due) > (network.visible?.() === false ? MINUTE : JUMP)) this.#wake();
    this.#due = now + TICK;
    this.#tick.set(TICK);
  }

  /** The network came or went, somebody looks at the page, or time has passed without us. */
  #wake(byHand = false): void {
    const state = this.#state;
    this.#failures = 0;
    if (this.#current) this.#current.probe();
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

/** Another connection would end when the present one does. */
class NoGain extends AttemptError {}

/** Whether a goodbye or a refusal ends what the user may do here, until a person signs in. */
function isSignOut(code: string): boolean {
  return code === "revoked" || code === "signed_out";
}
