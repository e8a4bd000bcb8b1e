import type { ChatState } from "@signedsocket/client";
import { useEffect } from "react";
import type { Account } from "../account/account";
import { revocation } from "../account/revocation";

/**
 * Refusals that another sign-in can mend. Only after the first one the page may begin it by itself: the others are
 * somebody's will.
 */
const MENDABLE = ["unauthorized", "revoked", "signed_out"];
const MARK = "signed-in-again";
const PAUSE = 60_000;

/** Whether signing in again can help in a state. */
export function canSignInAgain(state: ChatState): state is Extract<ChatState, { status: "auth-required" }> {
  return state.status === "auth-required" && MENDABLE.includes(state.code);
}

/** Remembers a revocation until the server lets somebody in again, and forgets whose it is: a person has to sign in. */
export function useRevocation(state: ChatState, account: Account): void {
  const { status } = state;
  const code = state.status === "auth-required" ? state.code : undefined;
  useEffect(() => {
    if (status === "open") revocation.end(account.user);
    if (code === "revoked") revocation.begin(account.user);
    // without the network there is nothing to use it for
    if (code === "revoked" || code === "signed_out") void account.forget?.().catch(() => {});
  }, [status, code, account]);
}

/**
 * Leaves to sign in when the session has ended and there is nothing on the page that would be lost. Not twice within a
 * minute: a server that refuses everybody must not send the visitor round and round. Never after a revocation: the
 * provider's open session would let the user in again.
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
 * Whether the page did not leave in the last minute, which it remembers. Where it cannot, as when the storage is full,
 * it stays.
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
