import { type Provider, readProvider } from "../configuration";
import { type Environment, Reader, type Reading } from "../environment";
import { CookieJar, type SealedCookie } from "./cookies";

/** Holds a session. Its owner signs in again after eight hours. */
export const sessionCookie: SealedCookie = { name: "signedsocket-session", maxAge: 8 * 3600 };

/** Holds what must be remembered between leaving for the provider and coming back. Ten minutes are enough to type a password. */
export const transactionCookie: SealedCookie = { name: "signedsocket-signin", maxAge: 600 };

/** What the sign-in on the server needs. */
export interface SignInSettings {
  readonly provider: Provider;
  /** For a provider that knows this server by a secret; most need none. */
  readonly clientSecret: string | undefined;
  readonly pageOrigin: string;
  readonly jar: CookieJar;
}

/** Reads the settings of the sign-in on the server. */
export function readSignInSettings(environment: Environment): Reading<SignInSettings> {
  const read = new Reader(environment);
  const provider = readProvider(read);
  const pageOrigin = read.address("PAGE_ORIGIN", "https:")?.origin;
  const secret = read.text("SESSION_SECRET", 32);
  if (!provider || !pageOrigin || !secret) return read.fail();
  return read.end({ provider, pageOrigin, jar: new CookieJar(pageOrigin, secret), clientSecret: environment.OIDC_CLIENT_SECRET || undefined });
}
