import { backoff } from "./backoff.js";
import { Alarm } from "./clock.js";
import { Connection, type ConnectionListener } from "./connection.js";
import type { Environment } from "./environment.js";
import type { Frame } from "./frames.js";
import { newProof } from "./ids.js";
import { AttemptError, type Signed, Signer, type SignOptions } from "./sign.js";
import type { ChatState, RetryReason } from "./state.js";

const SETTLED = 10_000; // a connection that was open this long counts as success
const REFUSED_AFTER = 3; // handshakes
const LINGER = 5_000; // for what is still on its way to the connection that was replaced
const MAX_AGE = 7_200_000; // API Gateway ends every connection after 2 hours
const NO_GAIN = 2_000; // sessionEndsIn is in whole seconds
const LAST_MINUTE = 60_000; // of a session: by then a token is worth asking for again
const AGAIN = 15_000; // and then again
const FADE = 2_000; // how long "connected" may be shown after the event that ended it

export interface ConnectorListener {
  /** A connection was opened and will be the current one. */
  opened(signed: Signed): void;
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
  state: ChatState = { status: "idle" };
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
  #tried = false; // whether this client has tried to replace the current connection
  #told = false; // whether the owner knows that the current connection cannot be replaced before somebody signs in
  readonly #retry: Alarm;
  readonly #rotate: Alarm;
  readonly #settled: Alarm;
  readonly #linger: Alarm;
  readonly #fade: Alarm;

  constructor(env: Environment, options: SignOptions, listener: ConnectorListener) {
    this.#env = env;
    this.#signer = new Signer(env, options);
    this.#listener = listener;
    this.#retry = new Alarm(env.clock, () => this.#dial());
    this.#rotate = new Alarm(env.clock, () => this.#dial());
    this.#settled = new Alarm(env.clock, () => (this.#failures = 0));
    this.#linger = new Alarm(env.clock, () => this.#replaced?.close());
    this.#fade = new Alarm(env.clock, () => this.#attempt && this.#enterStage(this.#stage));
  }

  get connected(): boolean {
    return this.#current !== undefined;
  }

  /** Begins, unless it has begun. */
  start(): void {
    const { status } = this.state;
    if (status !== "idle" && status !== "auth-required" && status !== "closed") return;
    this.#unwatch = this.#env.network.watch(() => this.#wake());
    this.#failures = 0;
    this.#dial();
  }

  /** Does at once what it waits to do; asks the server whether it is there when there is nothing to wait for. */
  retryNow(): void {
    this.start();
    this.#failures = 0;
    if (this.#current) this.#current.probe();
    else this.#dial();
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
    if (code === "session_ended" || code === "too_slow") return this.drop(code);
    if (isSignOut(code)) return this.#unauthorized(code);
    // The connection that is being opened, or one that the server opened and we gave up, may have taken the place.
    if (code === "evicted" && this.#attempt) return this.drop("lost");
    if (code !== "replaced" || !this.#tried) return this.#end({ status: "closed", code });
    if (this.#attempt) this.#fade.set(FADE);
    this.drop(code);
  }

  probe(): void {
    this.#current?.probe();
  }

  frame(from: Connection, frame: Frame | undefined): void {
    this.#listener.frame(frame, from === this.#current);
  }

  lost(connection: Connection, reason: RetryReason): void {
    if (connection !== this.#current) return;
    this.#current = undefined;
    this.#rotate.clear();
    this.#settled.clear();
    this.#listener.lost();
    if (this.#attempt) this.#enterStage(this.#stage);
    else this.#retryLater(reason);
  }

  /** Opens a connection, beside the current one if there is one. */
  #dial(): void {
    if (this.#attempt) return;
    this.#retry.clear();
    this.#tried = this.connected;
    const attempt = (this.#attempt = new AbortController());
    this.#enterStage("signing");
    this.#open(attempt.signal).then(
      ([connection, signed]) => (attempt.signal.aborted ? connection.close() : this.#opened(connection, signed)),
      (error: unknown) => attempt.signal.aborted || this.#failed(error),
    );
  }

  async #open(signal: AbortSignal): Promise<[Connection, Signed]> {
    if (!globalThis.crypto?.subtle) throw new InsecureContext();
    const { verifier, challenge } = await newProof(this.#env.sha256);
    if (signal.aborted) throw new AttemptError("lost");
    const signed = await this.#signer.sign(challenge, signal);
    if (signal.aborted) throw new AttemptError("lost"); // between the answer and now
    if (this.#current && this.#env.clock.now() + lifeOf(signed) - this.#endsAt <= NO_GAIN) throw new NoGain("lost");
    this.#enterStage("connecting");
    const connection = new Connection(this.#env, signed.url, verifier, this.connected, this);
    signal.addEventListener("abort", () => connection.close());
    await connection.ready;
    return [connection, signed];
  }

  #opened(connection: Connection, signed: Signed): void {
    this.#attempt = undefined;
    this.#refusals = 0;
    this.#tried = this.#told = false;
    this.#fade.clear();
    this.#replaced?.close();
    this.#replaced = this.#current;
    this.#linger.set(LINGER);
    this.#current = connection;
    this.#settled.set(SETTLED);
    this.#planRotation(lifeOf(signed));
    this.#listener.opened(signed);
    this.#enter({ status: "open" });
  }

  /**
   * Rotates between 105 and 115 of 120 minutes, in the same proportion of a shorter session, and a minute before its
   * end at the latest.
   */
  #planRotation(life: number): void {
    this.#endsAt = this.#env.clock.now() + life;
    this.#rotate.set(Math.min((life * (105 + 10 * this.#env.random())) / 120, Math.max(AGAIN, life - LAST_MINUTE)));
  }

  /** What was signed would not prolong the session. In its last minute there may be another token each time. */
  #rotateLater(): void {
    const left = this.#endsAt - this.#env.clock.now();
    const wait = Math.max(AGAIN, left - LAST_MINUTE);
    this.#rotate.set(wait < left ? wait : Infinity);
    this.#enter({ status: "open" });
  }

  #failed(error: unknown): void {
    this.#attempt = undefined;
    this.#fade.clear();
    if (error instanceof NoGain && this.#current) return this.#rotateLater();
    if (error instanceof InsecureContext) return this.#end({ status: "closed", code: "insecure_context" });
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

  /** Nobody is signed in. What is open stays so until the server ends it, unless that is why. */
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

  /** The network is back, or somebody looks at the page. */
  #wake(): void {
    const { state } = this;
    this.#failures = 0;
    if (this.#current) this.#current.probe();
    else if (
      state.status === "offline" ||
      (state.status === "waiting" && state.reason !== "throttled" && state.reason !== "kicked")
    )
      this.#dial();
  }

  #end(state: ChatState): void {
    this.#unwatch?.();
    this.#attempt?.abort();
    this.#current?.close();
    this.#replaced?.close();
    if (this.#current) this.#listener.lost();
    this.#unwatch = this.#attempt = this.#current = this.#replaced = undefined;
    for (const alarm of [this.#retry, this.#rotate, this.#settled, this.#linger, this.#fade]) alarm.clear();
    this.#enter(state);
  }

  #enterStage(stage: "signing" | "connecting"): void {
    this.#stage = stage;
    this.#enter({ status: this.#current || this.#fade.isSet ? "rotating" : stage });
  }

  #enter(state: ChatState): void {
    this.state = state;
    this.#listener.changed();
  }
}

/** The page is not served over https or from this machine, and browsers then have no SHA-256. */
class InsecureContext extends Error {}

/** Another connection would end when the present one does. */
class NoGain extends AttemptError {}

/** How long a connection lives at most, in ms. */
function lifeOf({ sessionEndsIn }: Signed): number {
  return Math.min(sessionEndsIn, MAX_AGE);
}

/** Whether a goodbye or a refusal ends what the user may do here, until a person signs in. */
function isSignOut(code: string): boolean {
  return code === "revoked" || code === "signed_out";
}
