import { useEffect, useMemo, useState } from "react";
import type { Account } from "./account";
import { type Problem, signInProblem } from "./problem";

/** A page that is still here after so long, in ms, was not left: somebody has stopped that. */
const PATIENCE = 10_000;

/** Signing in and out, both of which leave the page. */
export interface Leaving {
  /** Whether the page is about to be left. */
  readonly leaving: boolean;
  /** Why it was not left. */
  readonly problem: Problem | undefined;
  /** Absent for guests. */
  readonly signIn: (() => void) | undefined;
  readonly signOut: (() => void) | undefined;
}

/** Signs in and out, and says what came of it. `announce` tells the other tabs of a sign-out. */
export function useLeaving(account: Account, announce: () => void): Leaving {
  const [state, setState] = useState<{ readonly leaving: boolean; readonly problem?: Problem }>({ leaving: false });
  const actions = useMemo(() => {
    const leave = (go: () => Promise<void>, problemOf: (error: unknown) => Problem) => {
      setState({ leaving: true });
      go().catch((error: unknown) => {
        const problem = problemOf(error);
        console.error(`${problem === "signOut" ? "sign-out" : "sign-in"} failed:`, error);
        setState({ leaving: false, problem });
      });
    };
    const { signIn, signOut } = account;
    return {
      signIn: signIn && (() => leave(signIn, signInProblem)),
      signOut:
        signOut &&
        (() =>
          leave(
            () => signOut(announce),
            () => "signOut",
          )),
    };
  }, [account, announce]);
  const { leaving } = state;
  useEffect(() => {
    if (!leaving) return;
    const stay = () => setState({ leaving: false });
    // Browsers keep a page as it was left, and show it again to a user who comes back.
    const shown = ({ persisted }: PageTransitionEvent) => persisted && stay();
    const timer = setTimeout(stay, PATIENCE);
    addEventListener("pageshow", shown);
    return () => {
      clearTimeout(timer);
      removeEventListener("pageshow", shown);
    };
  }, [leaving]);
  return { leaving, problem: state.problem, ...actions };
}
