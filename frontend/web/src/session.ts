/**
 * The signed-in user of a request, for the mode iam, in which this server asks for signed URLs for its users.
 *
 * Replace this file to use the sign-in that you have: the rest of the page knows its exports and the `Session` of
 * server/session.ts. The one that ships signs in at an OpenID Connect provider. It keeps the session in a signed cookie
 * (server/signin), so that the server stores nothing.
 */
import type { Environment } from "./server/environment";
import type { Session } from "./server/session";
import { openSession, readSignInSettings } from "./server/signin/settings";

/**
 * The path that begins a sign-in (GET; after a revocation with `?prompt=login`, so that the provider asks for the
 * password), and the path that signs a user out (POST, answers with the next address as `{"location": …}`). A
 * sign-out of your own calls `endSignIn` of server/signout.ts, too.
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
