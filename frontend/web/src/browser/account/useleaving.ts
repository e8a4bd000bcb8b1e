import { useEffect, useMemo, useState } from "react";
import type { Account } from "./account";
import { type Problem, signInProblem } from "./problem";

/** If the page is still here after so long, in ms, the user has stopped the navigation. */
const PATIENCE = 10_000;

/** Signing in and out, both of which leave the page. */
export interface Leaving {
  /** Whether the page is about to leave. */
  readonly leaving: boolean;
  /** Why the page did not leave. */
  readonly problem: Problem | undefined;
  /** Absent for guests. */
  readonly signIn: (() => void) | undefined;
  readonly signOut: (() => void) | undefined;
}

/** Signs in and out, and reports problems. `announce` tells the other tabs of a sign-out. */
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
    // A browser may keep the page as the user left it, and show it again.
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
