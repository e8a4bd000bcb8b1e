/**
 * Who is signed in, for the mode iam, in which this server asks for signed URLs on behalf of its users.
 *
 * Replace this file to use the sign-in that you have: the rest of the page knows only what is exported here. The one
 * that ships signs in at an OpenID Connect provider and keeps the session in a signed cookie (server/signin), so that
 * the server stores nothing.
 */
import type { Environment } from "./server/environment";
import { openSession, readSignInSettings } from "./server/signin/settings";

/** A user who is signed in. Times are Unix seconds. */
export interface Session {
  /**
   * What the issuer calls the user, as it is: 1 to 255 bytes without control characters. The chat makes its user id of
   * it.
   */
  readonly sub: string;
  /**
   * The issuer that calls the user so; the deployment's OidcIssuer when undefined. Two issuers may mean two people by
   * one `sub`.
   */
  readonly iss?: string | undefined;
  /** What others see: at most 128 bytes. A short form of `sub` when undefined. */
  readonly name?: string | undefined;
  /**
   * When the user has last shown who it is, as by a password. Revocation compares it: who is shut out has to do so
   * again.
   */
  readonly startedAt: number;
  readonly endsAt: number;
  /**
   * Names this sign-in: 22 characters of base64url, a hash of the session that says nothing of the session itself.
   * Signing out ends the connections that were opened with it. Undefined when signing out is to end nothing but the
   * session here.
   */
  readonly signIn?: string | undefined;
  /** All rooms that the user may enter; the deployment's DefaultRooms when undefined. */
  readonly rooms?: readonly string[] | undefined;
}

/**
 * Where the page sends somebody to sign in (GET; with `?prompt=login` the user has to show anew who it is, as after a
 * revocation), and where it signs somebody out (POST, answers `{"location":"…"}`: where to go). A sign-out of your own
 * calls `endSignIn` of server/signout.ts, too.
 */
export const signInPath = "/api/signin";
export const signOutPath = "/api/signout";

/** The user whom a request comes from, or nothing when nobody is signed in. */
export async function getSession(request: { readonly headers: Headers }): Promise<Session | undefined> {
  const { value: settings } = readSignInSettings(process.env);
  return settings && openSession(settings.jar, request.headers);
}

/** What is wrong with the environment, for the page that says so. */
export function sessionProblems(environment: Environment): readonly string[] {
  return readSignInSettings(environment).problems ?? [];
}
