"use client";

import { useCallback, useEffect, useEffectEvent, useRef, useState } from "react";
import type { Language } from "../text";
import type { Account } from "./account/account";
import { createAccount } from "./account/create";
import { SignOuts } from "./account/signouts";
import { type Leaving, useLeaving } from "./account/useleaving";
import { Chat } from "./chat/chat";
import { ErrorBoundary } from "./errorboundary";
import { LanguageButton } from "./languagebutton";
import { Notice } from "./notice";
import type { PageSettings } from "./settings";
import { Trouble } from "./trouble";
import { Welcome } from "./welcome";
import { useWords, WordsProvider } from "./words";

/** The page: a welcome for users who have to sign in first, or else the chat. */
export function App({ settings, language }: { settings: PageSettings; language: Language }) {
  return (
    <WordsProvider initial={language}>
      <ErrorBoundary>
        <Entrance settings={settings} />
      </ErrorBoundary>
    </WordsProvider>
  );
}

function Entrance({ settings }: { settings: PageSettings }) {
  const [account] = useState(() => createAccount(settings));
  const [state, setState] = useState(account.initial);
  useEffect(() => {
    let mounted = true;
    void account.load().then((loaded) => mounted && setState(loaded));
    return () => {
      mounted = false;
    };
  }, [account]);
  const announce = useSignOuts(account, () => setState({ status: "signed-out" }));
  const begun = useLeaving(account, announce);
  if (state.status === "loading") return <Waiting />;
  const leaving = { ...begun, problem: begun.problem ?? state.problem };
  if (state.status === "signed-out") return <Welcome {...leaving} />;
  if (state.rooms.length === 0) return <NoRooms {...leaving} />;
  return <Chat account={account} leaving={leaving} rooms={state.rooms} signUrl={settings.signUrl} />;
}

/**
 * Returns the function that tells the other tabs of a sign-out. `elsewhere` is called when another tab has signed out.
 */
function useSignOuts(account: Account, elsewhere: () => void): () => void {
  const signOuts = useRef<SignOuts>(undefined);
  const heard = useEffectEvent(() => {
    void account.forget?.().catch(() => {}); // an error is harmless: the tokens of this tab expire
    elsewhere();
  });
  const { signOut } = account;
  useEffect(() => {
    if (!signOut) return;
    const channel = (signOuts.current = new SignOuts(() => heard()));
    return () => channel.close();
  }, [signOut]);
  return useCallback(() => signOuts.current?.announce(), []);
}

/** For a signed-in user who may not enter any room. */
function NoRooms({ signOut, problem }: Leaving) {
  const { page, chat } = useWords();
  return (
    <Notice title={page.noRooms} aside={<LanguageButton />}>
      <Trouble problem={problem} />
      {signOut && (
        <button className="primary" onClick={signOut}>
          {chat.actions.signOut}
        </button>
      )}
    </Notice>
  );
}

/** Shown until the signed-in user is known. After a moment it says that this takes time. */
function Waiting() {
  const { page } = useWords();
  return (
    <main className="notice">
      <p role="status" className="waiting">
        {page.loading}
      </p>
    </main>
  );
}
