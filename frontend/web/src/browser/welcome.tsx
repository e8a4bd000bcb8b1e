import { useState } from "react";
import { LanguageButton } from "./languagebutton";
import { Notice } from "./notice";
import { useWords } from "./words";

interface Props {
  /** Whether a sign-in has just failed. */
  readonly failed: boolean;
  readonly signIn: (() => Promise<void>) | undefined;
}

/** Asks to sign in. */
export function Welcome({ failed, signIn }: Props) {
  const { page, chat } = useWords();
  const [attempt, setAttempt] = useState(failed ? "failed" : "none");
  const begin = () => {
    setAttempt("leaving");
    signIn?.().catch(() => setAttempt("failed"));
  };
  return (
    <Notice title={page.welcome} aside={<LanguageButton />}>
      <p>{page.welcomeLead}</p>
      <p role="alert" className="problem">
        {attempt === "failed" && page.signInFailed}
      </p>
      <button className="primary" onClick={begin} disabled={attempt === "leaving"}>
        {attempt === "leaving" ? page.loading : chat.actions.signIn}
      </button>
    </Notice>
  );
}
