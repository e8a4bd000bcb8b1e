import { createHash, randomBytes } from "node:crypto";
import type { Session } from "../session";
import { type Provider, readProvider } from "../configuration";
import { type Environment, Reader, type Reading } from "../environment";
import { CookieJar, type SealedCookie } from "./cookies";

/** The cookie of a session. Its owner signs in again after eight hours. */
export const sessionCookie: SealedCookie = { name: "signedsocket-session", maxAge: 8 * 3600 };

/** The prefix of the cookies of transactionCookie. A cookie of exactly this name comes from the previous version. */
const TRANSACTION = "signedsocket-signin";

/** The largest number of sign-ins that can be under way in one browser. */
const TRANSACTIONS = 5;

/**
 * The cookie of a sign-in that is under way at the provider. Each sign-in has its own, because several tabs may be at
 * the provider at the same time. Ten minutes are enough to type a password.
 */
export function transactionCookie(state: string): SealedCookie {
  const hash = createHash("sha256").update(state).digest("base64url").slice(0, 8);
  return { name: `${TRANSACTION}-${hash}`, maxAge: 600 };
}

/**
 * The cookies of older sign-ins of a browser, without the newest ones, for removal: requests must not grow too long.
 */
export function oldTransactions(jar: CookieJar, headers: Headers): readonly SealedCookie[] {
  const names = jar.names(headers).filter((name) => name.startsWith(TRANSACTION));
  const current = names.filter((name) => name !== TRANSACTION);
  const old = [...names.filter((name) => name === TRANSACTION), ...current.slice(0, 1 - TRANSACTIONS)];
  return old.map((name) => ({ name, maxAge: 0 }));
}

/** A session in its cookie. Two sign-ins of one user differ by their `id`. */
export type StoredSession = Omit<Session, "signIn"> & { readonly iss: string; readonly id: string };

/** A new session for a user who has just signed in. */
export function newSession(user: Omit<StoredSession, "id">): StoredSession {
  return { ...user, id: randomBytes(16).toString("base64url") };
}

/** The session of a request. Undefined without one, and for a cookie of the previous version, which lacks the sub. */
export async function openSession(jar: CookieJar, headers: Headers): Promise<Session | undefined> {
  const stored = await jar.open<Partial<StoredSession>>(sessionCookie, headers);
  if (typeof stored?.iss !== "string" || typeof stored.id !== "string") return undefined;
  const { id, ...session } = stored as StoredSession;
  // The chat gets a hash, from which no cookie can be made.
  const signIn = createHash("sha256")
    .update(`signedsocket sign-in\0${id}`)
    .digest()
    .subarray(0, 16)
    .toString("base64url");
  return { ...session, signIn };
}

/** The settings of the sign-in on the server. */
export interface SignInSettings {
  readonly provider: Provider;
  /** For a provider that requires a secret of this server. Most do not. */
  readonly clientSecret: string | undefined;
  readonly pageOrigin: string;
  readonly jar: CookieJar;
  /** The claim of the ID token that makes its user a moderator. Without it no user is one. */
  readonly moderatorClaim: string | undefined;
}

/** Reads the settings of the sign-in on the server. */
export function readSignInSettings(environment: Environment): Reading<SignInSettings> {
  const read = new Reader(environment);
  const provider = readProvider(read);
  const pageOrigin = read.address("PAGE_ORIGIN", "https:")?.origin;
  const secret = read.text("SESSION_SECRET", 32);
  if (!provider || !pageOrigin || !secret) return read.fail();
  return read.end({
    provider,
    pageOrigin,
    jar: new CookieJar(pageOrigin, secret),
    clientSecret: environment.OIDC_CLIENT_SECRET || undefined,
    moderatorClaim: environment.MODERATOR_CLAIM || undefined,
  });
}
