import { Alarm } from "./clock.js";
import type { Environment } from "./environment.js";
import { random } from "./ids.js";
import type { RetryReason, User } from "./state.js";
import { cleanName } from "./text.js";
import { isNumber, isText, isUser } from "./values.js";

const TIMEOUT = 10_000;

/**
 * The client has known a young token for less than this, in ms. The server may refuse such a token with 401 and take it
 * a moment later: the clock of the provider may be ahead of the server's.
 */
const YOUNG = 10_000;
const PAUSES = [1_000, 2_000, 4_000];

/** The members that are the same in each attempt. Servers of the previous version do not know them. */
interface Identity {
  /**
   * The name of this client object. By it the server tells the predecessor of a connection from other connections of
   * the user.
   */
  readonly ci?: string;
  /** As in SignOptions. */
  readonly guest?: string;
  readonly name?: string | undefined;
}

/** A request to the sign URL. All members except `signal` belong into the body of `POST /signurl`, unchanged. */
export interface SignRequest extends Identity {
  /** The rooms to be in; the server's default rooms when undefined. */
  readonly rooms: readonly string[] | undefined;
  /** Hash of the attempt's secret. */
  readonly challenge: string;
  /** Aborted when the answer is no longer needed. */
  readonly signal: AbortSignal;
}

/** The source of signed URLs. */
export interface SignOptions {
  /** The address of `POST /signurl`, or a function that asks it, itself or over your server, and returns its answer. */
  readonly signUrl: string | ((request: SignRequest) => Promise<Response>);
  /**
   * With an address: returns the user's access token, or undefined when the user is signed out. The client calls it
   * before each attempt. `refused` is a token that the server has just refused: get another one from the provider. If
   * the same token comes back, the client stops.
   */
  readonly getToken?: (signal: AbortSignal, refused?: string) => Promise<string | undefined> | string | undefined;
  /** The rooms to be in; the server's default rooms when left out. */
  readonly rooms?: readonly string[] | undefined;
  /**
   * With servers of the mode guest: a secret of 43 characters, 32 random bytes in base64url, and a name. Every client
   * with the secret is the same guest.
   */
  readonly guest?: { readonly secret: string; readonly name?: string };
}

/** A permission to connect once. */
export interface Signed {
  readonly url: string;
  readonly rooms: readonly string[];
  readonly user: User;
  /** The rooms in which the user may only read. */
  readonly readOnly: readonly string[];
  readonly moderator: boolean;
  /** Milliseconds. */
  readonly sessionEndsIn: number;
}

/** A failed attempt. `auth` is set when another attempt needs a sign-in first. */
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
  #token: string | undefined; // the last token that was sent
  #since = 0; // when the client first sent it

  constructor(
    readonly env: Environment,
    readonly options: SignOptions,
  ) {}

  /**
   * Asks for a signed URL. When the server refuses the token, it asks again: with a young token once more, and then
   * with another token.
   */
  async sign(challenge: string, signal: AbortSignal): Promise<Signed> {
    const { env } = this;
    const pauses = PAUSES.values();
    for (let refused: string | undefined; ;) {
      try {
        return await this.#attempt(challenge, signal, refused);
      } catch (error) {
        const isRefusal = error instanceof AttemptError && error.auth === "unauthorized";
        if (!isRefusal || this.#token === undefined || refused !== undefined) throw error;
        const pause = this.#isYoung() ? pauses.next().value : undefined;
        if (pause === undefined) refused = this.#token;
        else await sleep(env, pause, signal);
      }
    }
  }

  /** Whether the server may take the last token in a moment. That is possible for JSON Web Tokens only. */
  #isYoung(): boolean {
    return this.#token?.split(".").length === 3 && this.env.clock.now() - this.#since < YOUNG;
  }

  /** An answer that took longer than the URL lives is useless. Only a monotonic clock can tell that. */
  async #attempt(challenge: string, signal: AbortSignal, refused: string | undefined): Promise<Signed> {
    const { env } = this;
    const started = env.clock.now();
    const { expiresIn, ...signed } = await withTimeout(env, signal, async (signal) =>
      read(...(await this.#ask(challenge, signal, await this.#authorization(signal, refused)))),
    );
    if (env.clock.now() - started >= expiresIn) throw new AttemptError("timeout");
    return signed;
  }

  /** The header with the access token. */
  async #authorization(signal: AbortSignal, refused: string | undefined): Promise<Record<string, string>> {
    const { getToken, signUrl } = this.options;
    if (!getToken || typeof signUrl !== "string") return {};
    const token = await getToken(signal, refused);
    if (token !== this.#token) this.#since = this.env.clock.now();
    this.#token = token;
    if (token === undefined || token === refused) throw new AttemptError("unavailable", 0, "unauthorized");
    return { Authorization: `Bearer ${token}` };
  }

  /** A server of the previous version refuses members that it does not know. From then on requests leave them out. */
  async #ask(challenge: string, signal: AbortSignal, authorization: Record<string, string>): Promise<Answer> {
    const { env, options } = this;
    const { rooms, guest } = options;
    const identity = (this.#identity ??= {
      ci: random(16),
      ...(guest && { guest: guest.secret, name: cleanName(guest.name ?? "") }),
    });
    const answer = await ask(env, options, authorization, { rooms, challenge, ...identity, signal });
    const [{ status }, body] = answer;
    if (status !== 400 || body?.error !== "bad_request" || !identity.ci) return answer;
    this.#identity = {};
    return ask(env, options, authorization, { rooms, challenge, signal });
  }
}

/** An answer, with its body if that is JSON. */
type Answer = [response: Response, body: any];

async function ask(
  env: Environment,
  { signUrl }: SignOptions,
  authorization: Record<string, string>,
  request: SignRequest,
): Promise<Answer> {
  const { signal, ...body } = request;
  const headers = { "Content-Type": "application/json", ...authorization };
  const response = await (typeof signUrl === "string"
    ? env.fetch(signUrl, { method: "POST", headers, body: JSON.stringify(body), cache: "no-store", signal })
    : signUrl(request));
  return [response, await response.json().catch(() => undefined)];
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
    readOnly: readOnlyOf(body.rooms),
    moderator: body.moderator === true,
    expiresIn: 1000 * body.expiresIn,
    sessionEndsIn: 1000 * body.sessionEndsIn,
  };
}

/**
 * The header Retry-After in ms, an hour at most. It is 0 without the header, and for a date, which only a correct clock
 * can read.
 */
function retryAfter({ headers }: Response): number {
  return 1000 * Math.min(3600, Math.max(0, Number(headers.get("Retry-After")) || 0));
}

/** The rooms in which the user may only read. Servers of the previous version do not say. */
function readOnlyOf(rooms: unknown): string[] {
  return Array.isArray(rooms) ? rooms.flatMap((room) => (room?.readOnly === true ? room.room : [])) : [];
}

/** The rooms that a signed URL is for. */
function roomsOf(url: string): string[] {
  return /[?&]rm=([^&#]+)/.exec(url)?.[1]?.split(".") ?? [];
}

/** Waits for `ms` milliseconds. Rejects when `signal` is aborted. */
function sleep(env: Environment, ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    const alarm = new Alarm(env.clock, resolve);
    alarm.set(ms);
    signal.addEventListener("abort", () => {
      alarm.clear();
      reject(new AttemptError("lost"));
    });
  });
}

/** Runs `work` until it ends, 10 s have passed or `outer` is aborted, also when the work ignores its signal. */
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
