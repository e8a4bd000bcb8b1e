import type { ChatState } from "@signedsocket/client";
import { useEffect } from "react";

/** Refusals that another sign-in can mend. */
const MENDABLE = ["unauthorized", "revoked"];
const MARK = "signed-in-again";
const PAUSE = 60_000;

/** Whether signing in again can help in a state. */
export function canSignInAgain(state: ChatState): boolean {
  return state.status === "auth-required" && MENDABLE.includes(state.code);
}

/**
 * Leaves to sign in when the session has ended and there is nothing on the page that would be lost. Not twice within a minute: a server that
 * refuses everybody must not send the visitor round and round.
 */
export function useSignInAgain(state: ChatState, nothingToLose: boolean, signIn: (() => Promise<void>) | undefined): void {
  const leave = canSignInAgain(state) && nothingToLose && signIn !== undefined;
  useEffect(() => {
    if (!leave) return;
    const last = Number(sessionStorage.getItem(MARK) ?? -PAUSE);
    const now = Date.now();
    if (Math.abs(now - last) < PAUSE) return;
    sessionStorage.setItem(MARK, String(now));
    void signIn().catch(() => {}); // the status line offers it, too
  }, [leave, signIn]);
}
