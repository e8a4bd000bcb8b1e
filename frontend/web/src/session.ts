/**
 * The signed-in user of a request, for the mode iam, in which this server asks for signed URLs for its users.
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
   * The issuer's `sub` of the user, unchanged: 1 to 255 bytes without control characters. The chat's user id comes from
   * it.
   */
  readonly sub: string;
  /** The issuer of `sub`, by default the OidcIssuer of the deployment. Two issuers may give one `sub` to two people. */
  readonly iss?: string | undefined;
  /** The name that others see: at most 128 bytes. By default a short form of `sub`. */
  readonly name?: string | undefined;
  /**
   * When the user last authenticated at the provider, for example with a password. A revocation ends sessions that
   * started before it.
   */
  readonly startedAt: number;
  readonly endsAt: number;
  /**
   * Names this sign-in: 22 characters of base64url, a hash of the session. Signing out ends the connections of this
   * sign-in. When undefined, signing out ends the session of this server only.
   */
  readonly signIn?: string | undefined;
  /** All rooms that the user may enter, by default the DefaultRooms of the deployment. */
  readonly rooms?: readonly string[] | undefined;
}

/**
 * The path that begins a sign-in (GET; after a revocation with `?prompt=login`, so that the provider asks for the
 * password), and the path that signs a user out (POST, answers with the next address as `{"location": …}`). A sign-out
 * of your own calls `endSignIn` of server/signout.ts, too.
 */
export const signInPath = "/api/signin";
export const signOutPath = "/api/signout";

/** The signed-in user of a request, or undefined. */
export async function getSession(request: { readonly headers: Headers }): Promise<Session | undefined> {
  const { value: settings } = readSignInSettings(process.env);
  return settings && openSession(settings.jar, request.headers);
}

/** The faults in the environment, for the page that lists them. */
export function sessionProblems(environment: Environment): readonly string[] {
  return readSignInSettings(environment).problems ?? [];
}
