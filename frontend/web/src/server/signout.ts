import type { Session } from "./session";
import { log, post, type Service } from "./service";

/**
 * How often it is tried, and for how long each time, in ms: all of it has to end before the page's function does, which
 * takes the cookie back.
 */
const TRIES = 2;
const PATIENCE = 6_000;

/**
 * Ends the connections that were opened with a sign-in, and lets it open no other: a cookie that somebody has copied is
 * of no use any more. Returns whether that is done. What went wrong is in the log; the session here ends anyway.
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
