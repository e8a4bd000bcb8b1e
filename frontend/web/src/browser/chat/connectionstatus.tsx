import type { ChatState } from "@signedsocket/client";
import { reasonText } from "@signedsocket/client/messages";
import type { ReactNode } from "react";
import { useWords } from "../words";
import { Countdown } from "./countdown";
import { canSignInAgain } from "./usesigninagain";

/** Whether frames can be sent and received, as far as the client knows. */
export function isConnected({ status }: ChatState): boolean {
  return status === "open" || status === "rotating" || status === "checking";
}

interface Props {
  readonly state: ChatState;
  readonly retryNow: () => void;
  readonly signIn: (() => void) | undefined;
  /** Whether the server has refused the token of a signed-in user. */
  readonly refused: boolean;
  /** What stands at the end of the line. */
  readonly children: ReactNode;
}

/** Shows whether the chat is connected. If not, it shows why, and what the user can do. */
export function ConnectionStatus({ state, retryNow, signIn, refused, children }: Props) {
  const { page, chat } = useWords();
  const signInHelps = signIn !== undefined && canSignInAgain(state);
  // Do not ask for a sign-in that cannot help.
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
      {state.status === "waiting" && (
        <Countdown className="countdown" until={state.retryAt} text={chat.labels.seconds} />
      )}
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
      {children}
    </div>
  );
}

function canRetry({ status }: ChatState): boolean {
  return status === "waiting" || status === "closed" || status === "auth-required" || status === "offline";
}
