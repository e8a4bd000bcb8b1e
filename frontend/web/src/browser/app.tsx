"use client";

import { useEffect, useEffectEvent, useRef, useState } from "react";
import type { Language } from "../text";
import { type Account, createAccount } from "./account/account";
import { SignOuts } from "./account/signouts";
import { Chat } from "./chat/chat";
import { ErrorBoundary } from "./errorboundary";
import { LanguageButton } from "./languagebutton";
import { Notice } from "./notice";
import type { PageSettings } from "./settings";
import { Welcome } from "./welcome";
import { useWords, WordsProvider } from "./words";

/** The page: a welcome for those who have to sign in first, and the chat for the others. */
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
  const signOut = useSignOut(account, () => setState({ status: "signed-out", failed: false }));
  if (state.status === "loading") return <Waiting />;
  if (state.status === "signed-out") return <Welcome failed={state.failed} signIn={account.signIn} />;
  if (state.rooms.length === 0) return <NoRooms signOut={signOut} />;
  return <Chat account={account} signOut={signOut} rooms={state.rooms} signUrl={settings.signUrl} />;
}

/**
 * Signs out in all tabs of the browser; undefined where nobody signs in. `elsewhere` is called when another tab has
 * done so.
 */
function useSignOut(account: Account, elsewhere: () => void): (() => Promise<void>) | undefined {
  const signOuts = useRef<SignOuts>(undefined);
  const heard = useEffectEvent(() => {
    void account.forget?.().catch(() => {}); // the tokens are this tab's own, and end by themselves
    elsewhere();
  });
  const { signOut } = account;
  useEffect(() => {
    if (!signOut) return;
    const channel = (signOuts.current = new SignOuts(() => heard()));
    return () => channel.close();
  }, [signOut]);
  return signOut && (() => signOut(() => signOuts.current?.announce()));
}

/** For somebody who is known here, but may not go anywhere. */
function NoRooms({ signOut }: { signOut: (() => Promise<void>) | undefined }) {
  const { page, chat } = useWords();
  return (
    <Notice title={page.noRooms} aside={<LanguageButton />}>
      {signOut && (
        <button className="primary" onClick={() => void signOut()}>
          {chat.actions.signOut}
        </button>
      )}
    </Notice>
  );
}

/** Shown for the moment that it takes to find out who is signed in; when it takes longer, it says so. */
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
