import type { ChatState } from "@signedsocket/client";
import { useEffect } from "react";
import type { Account } from "../account/account";
import { revocation } from "../account/revocation";

/**
 * Refusals that another sign-in can help against. The page itself may begin a sign-in only after the first one: a
 * person or the server decided the others.
 */
const MENDABLE = ["unauthorized", "revoked", "signed_out"];
const MARK = "signed-in-again";
const PAUSE = 60_000;

/** Whether signing in again can help in a state. */
export function canSignInAgain(state: ChatState): state is Extract<ChatState, { status: "auth-required" }> {
  return state.status === "auth-required" && MENDABLE.includes(state.code);
}

/**
 * Remembers a revocation until the server lets a user in again. It also removes the tokens, so that a person has to
 * sign in.
 */
export function useRevocation(state: ChatState, account: Account): void {
  const { status } = state;
  const code = state.status === "auth-required" ? state.code : undefined;
  useEffect(() => {
    if (status === "open") revocation.end(account.user);
    if (code === "revoked") revocation.begin(account.user);
    // this fails only without a network, where the tokens are useless
    if (code === "revoked" || code === "signed_out") void account.forget?.().catch(() => {});
  }, [status, code, account]);
}

/**
 * Leaves to sign in when the session has ended and the page has nothing that would be lost. Not twice within a minute:
 * a server that refuses every user must not send the visitor in circles. Never after a revocation: the open session at
 * the provider would let the user in again.
 */
export function useSignInAgain(
  state: ChatState,
  nothingToLose: boolean,
  { user }: Account,
  signIn: (() => void) | undefined,
): void {
  const leave =
    state.status === "auth-required" && state.code === "unauthorized" && nothingToLose && signIn !== undefined;
  useEffect(() => {
    if (!leave || revocation.isActive(user)) return;
    if (!mayLeave(Date.now())) return;
    signIn();
  }, [leave, user, signIn]);
}

/**
 * Whether the page did not leave in the last minute. If it cannot remember that, for example with a full storage, it
 * stays.
 */
export function mayLeave(now: number): boolean {
  try {
    const last = Number(sessionStorage.getItem(MARK) ?? -PAUSE);
    if (Math.abs(now - last) < PAUSE) return false;
    sessionStorage.setItem(MARK, String(now));
    return true;
  } catch {
    return false;
  }
}
