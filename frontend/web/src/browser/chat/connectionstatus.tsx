import type { ChatState } from "@signedsocket/client";
import { reasonText } from "@signedsocket/client/messages";
import { useEffect, useState } from "react";
import { useWords } from "../words";
import { canSignInAgain } from "./usesigninagain";

interface Props {
  readonly state: ChatState;
  readonly retryNow: () => void;
  readonly signIn: (() => void) | undefined;
  /** Whether the server has refused the token of somebody who is signed in. */
  readonly refused: boolean;
}

/** Says whether the chat is connected, and if not why, and what can be done. */
export function ConnectionStatus({ state, retryNow, signIn, refused }: Props) {
  const { page, chat } = useWords();
  const signInHelps = signIn !== undefined && canSignInAgain(state);
  // Asking to sign in where that does not help would be a bad joke.
  const status = chat.status[state.status === "auth-required" && !signInHelps ? "closed" : state.status];
  const reason = refused && signInHelps && state.code === "unauthorized" ? page.refused : reasonText(state, chat);
  const reasons = [reason, signInHelps ? page.signInAgain : undefined].filter((reason) => reason !== undefined);
  return (
    <div className="connection" data-status={state.status}>
      <p role="status">
        <span className="light" aria-hidden="true" />
        {reasons.length > 0 ? page.ended(status) : status}
        {reasons.length > 0 && <span className="reason">{reasons.join(" ")}</span>}
      </p>
      {state.status === "waiting" && <Countdown until={state.retryAt} />}
      {canRetry(state) && !signInHelps && (
        <button className="small" onClick={retryNow}>
          {chat.actions.retryNow}
        </button>
      )}
      {signInHelps && (
        <button className="small" onClick={signIn}>
          {chat.actions.signIn}
        </button>
      )}
    </div>
  );
}

function canRetry({ status }: ChatState): boolean {
  return status === "waiting" || status === "closed" || status === "auth-required" || status === "offline";
}

/** Counts down the seconds. Not read out: the status has said what matters. */
function Countdown({ until }: { until: number }) {
  const { chat } = useWords();
  const [now, setNow] = useState(() => performance.now());
  useEffect(() => {
    const timer = setInterval(() => setNow(performance.now()), 500);
    return () => clearInterval(timer);
  }, []);
  const seconds = Math.max(0, Math.ceil((until - now) / 1000));
  return (
    <span className="countdown" aria-hidden="true">
      {chat.labels.seconds.replace("{n}", String(seconds))}
    </span>
  );
}
