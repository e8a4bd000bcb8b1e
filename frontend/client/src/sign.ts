import { Alarm } from "./clock.js";
import type { Environment } from "./environment.js";
import { isNumber, isText, isUser } from "./frames.js";
import { newInstance } from "./ids.js";
import type { RetryReason, User } from "./state.js";
import { cleanName } from "./text.js";

const TIMEOUT = 10_000;

/** What stays the same from attempt to attempt, and servers of the version before do not know. */
interface Identity {
  /**
   * Name of this client object, by which the server tells a connection's predecessor from the user's other connections.
   */
  readonly ci?: string;
  /** As in SignOptions. */
  readonly guest?: string;
  readonly name?: string | undefined;
}

/** What is asked of the sign URL. All members but `signal` belong into the body of `POST /signurl`, as they are. */
export interface SignRequest extends Identity {
  /** The rooms to be in; the server's default rooms when undefined. */
  readonly rooms: readonly string[] | undefined;
  /** Hash of this attempt's secret. */
  readonly challenge: string;
  /** Aborted when the answer is not wanted any more. */
  readonly signal: AbortSignal;
}

/** Where signed URLs come from. */
export interface SignOptions {
  /** The address of `POST /signurl`, or a function that asks it (or a server that does) and returns its answer. */
  readonly signUrl: string | ((request: SignRequest) => Promise<Response>);
  /** With an address: the access token to show. Asked for each attempt; undefined means that nobody is signed in. */
  readonly getToken?: (signal: AbortSignal) => Promise<string | undefined> | string | undefined;
  /** The rooms to be in; the server's default rooms when left out. */
  readonly rooms?: readonly string[] | undefined;
  /**
   * With servers of the mode guest: a secret of 43 characters, 32 random bytes in base64url, and a name. With the same
   * secret the user is the same guest again; whoever else knows it is that guest, too.
   */
  readonly guest?: { readonly secret: string; readonly name?: string };
}

/** A permission to connect once. */
export interface Signed {
  readonly url: string;
  readonly rooms: readonly string[];
  readonly user: User;
  /** Milliseconds. */
  readonly sessionEndsIn: number;
}

/** An attempt that came to nothing. `auth` is set when there is no use in another one before somebody signs in. */
export class AttemptError extends Error {
  constructor(
    readonly reason: RetryReason,
    readonly retryAfter = 0,
    readonly auth?: string,
  ) {
    super(reason);
  }
}

/** Asks for signed URLs, always as the same client. */
export class Signer {
  #identity: Identity | undefined;

  constructor(
    readonly env: Environment,
    readonly options: SignOptions,
  ) {}

  /**
   * Asks for a signed URL. An answer that took longer than the URL lives is of no use: only a monotonic clock can tell.
   */
  async sign(challenge: string, signal: AbortSignal): Promise<Signed> {
    const { env } = this;
    const started = env.clock.now();
    const { expiresIn, ...signed } = await withTimeout(env, signal, async (signal) =>
      read(...(await this.#ask(challenge, signal))),
    );
    if (env.clock.now() - started >= expiresIn) throw new AttemptError("timeout");
    return signed;
  }

  /** A server of the version before refuses the members that it does not know: from then on they are left out. */
  async #ask(challenge: string, signal: AbortSignal): Promise<Answer> {
    const { env, options } = this;
    const { rooms, guest } = options;
    const identity = (this.#identity ??= {
      ci: newInstance(),
      ...(guest && { guest: guest.secret, name: cleanName(guest.name ?? "") }),
    });
    const answer = await ask(env, options, { rooms, challenge, ...identity, signal });
    const [{ status }, body] = answer;
    if (status !== 400 || body?.error !== "bad_request" || !identity.ci) return answer;
    this.#identity = {};
    return ask(env, options, { rooms, challenge, signal });
  }
}

/** An answer, and its body when that is JSON. */
type Answer = [response: Response, body: any];

async function ask(env: Environment, options: SignOptions, request: SignRequest): Promise<Answer> {
  const { signUrl } = options;
  const response = await (typeof signUrl === "string" ? post(env, signUrl, options, request) : signUrl(request));
  return [response, await response.json().catch(() => undefined)];
}

async function post(
  env: Environment,
  signUrl: string,
  { getToken }: SignOptions,
  { signal, ...body }: SignRequest,
): Promise<Response> {
  const headers: Record<string, string> = { "Content-Type": "application/json" };
  if (getToken) {
    const token = await getToken(signal);
    if (token === undefined) throw new AttemptError("unavailable", 0, "unauthorized");
    headers.Authorization = `Bearer ${token}`;
  }
  return env.fetch(signUrl, { method: "POST", headers, body: JSON.stringify(body), cache: "no-store", signal });
}

function read(response: Response, body: any): Signed & { expiresIn: number } {
  const { status } = response;
  if (status === 401 || status === 403) {
    throw new AttemptError(
      "unavailable",
      0,
      isText(body?.error) ? body.error : status === 401 ? "unauthorized" : "forbidden",
    );
  }
  if (status === 429) throw new AttemptError(body?.error === "kicked" ? "kicked" : "throttled", retryAfter(response));
  if (
    !response.ok ||
    !isText(body?.url) ||
    !isNumber(body.expiresIn) ||
    !isNumber(body.sessionEndsIn) ||
    !isUser(body.user)
  ) {
    throw new AttemptError("unavailable");
  }
  return {
    url: body.url,
    rooms: roomsOf(body.url),
    user: body.user,
    expiresIn: 1000 * body.expiresIn,
    sessionEndsIn: 1000 * body.sessionEndsIn,
  };
}

/**
 * The header Retry-After in ms, an hour at most; 0 without one, or when it is a date, which only a clock that is right
 * can read.
 */
function retryAfter({ headers }: Response): number {
  return 1000 * Math.min(3600, Math.max(0, Number(headers.get("Retry-After")) || 0));
}

/** The rooms that a signed URL is for. */
function roomsOf(url: string): string[] {
  return /[?&]rm=([^&#]+)/.exec(url)?.[1]?.split(".") ?? [];
}

/** Runs `work` until it ends, 10 s have passed or `outer` is aborted, whether or not it heeds its signal. */
function withTimeout<T>(env: Environment, outer: AbortSignal, work: (signal: AbortSignal) => Promise<T>): Promise<T> {
  return new Promise((resolve, reject) => {
    const inner = new AbortController();
    const end = (reason: RetryReason) => {
      alarm.clear();
      inner.abort();
      reject(new AttemptError(reason));
    };
    const alarm = new Alarm(env.clock, () => end("timeout"));
    alarm.set(TIMEOUT);
    outer.addEventListener("abort", () => end("lost"));
    work(inner.signal)
      .then(resolve, (error: unknown) =>
        reject(error instanceof AttemptError ? error : new AttemptError("unreachable")),
      )
      .finally(() => alarm.clear());
  });
}
