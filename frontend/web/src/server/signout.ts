import type { Session } from "./session";
import { log, post, type Service } from "./service";

/**
 * The number of attempts and the time of each, in ms. All of it has to end before the function of the page does, which
 * removes the cookie.
 */
const TRIES = 2;
const PATIENCE = 6_000;

/**
 * Ends the connections of a sign-in, and lets it open no others, so that a copied cookie is useless. Returns whether
 * that worked. The log has the reason of a failure. The session of this server ends in any case.
 */
export async function endSignIn({ sub, iss, endsAt, signIn }: Session, service: Service): Promise<boolean> {
  if (signIn === undefined) return false;
  const body = JSON.stringify({ user: { sub, iss, sessionEndsAt: endsAt }, signIn });
  let problem = "";
  for (let tries = 0; tries < TRIES; tries++) {
    problem = await post(new URL("signout", service.signUrl), body, service, AbortSignal.timeout(PATIENCE)).then(
      ({ ok, status }) => (ok ? "" : `status ${status}`),
      String,
    );
    if (problem === "") return true;
  }
  log("a sign-out did not reach the chat", problem);
  return false;
}
