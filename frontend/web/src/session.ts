/**
 * Who is signed in, for the mode iam, in which this server asks for signed URLs on behalf of its users.
 *
 * Replace this file to use the sign-in that you have: the rest of the page knows only what is exported here. The one that ships
 * signs in at an OpenID Connect provider and keeps the session in a signed cookie (server/signin), so that the server stores nothing.
 */
import type { Environment } from "./server/environment";
import { readSignInSettings, sessionCookie } from "./server/signin/settings";

/** A user who is signed in. Times are Unix seconds. */
export interface Session {
  /** 1 to 64 of A-Z a-z 0-9 _ -, not beginning with `guest-`, and never another person's. */
  readonly sub: string;
  /** What others see: at most 64 bytes. A short form of `sub` when undefined. */
  readonly name?: string | undefined;
  /** When the user signed in. Revocation compares it: who is shut out has to sign in again. */
  readonly startedAt: number;
  readonly endsAt: number;
  /** All rooms that the user may enter; the deployment's DefaultRooms when undefined. */
  readonly rooms?: readonly string[] | undefined;
}

/** Where the page sends somebody to sign in (GET), and where it signs somebody out (POST, answers `{"location":"…"}`: where to go). */
export const signInPath = "/api/signin";
export const signOutPath = "/api/signout";

/** The user whom a request comes from, or nothing when nobody is signed in. */
export async function getSession(request: { readonly headers: Headers }): Promise<Session | undefined> {
  const { value: settings } = readSignInSettings(process.env);
  return settings?.jar.open<Session>(sessionCookie, request.headers);
}

/** What is wrong with the environment, for the page that says so. */
export function sessionProblems(environment: Environment): readonly string[] {
  return readSignInSettings(environment).problems ?? [];
}
