import { type ChatMessage, createChatClient } from "@signedsocket/client";
import { useChat } from "@signedsocket/client/react";
import { useCallback, useEffect, useMemo, useRef, useState } from "react";
import type { Account } from "../account/account";
import type { Leaving } from "../account/useleaving";
import { Trouble } from "../trouble";
import { useWords } from "../words";
import { Composer, focusBesideKeyboard, focusWithoutKeyboard } from "./composer";
import { ConnectionStatus } from "./connectionstatus";
import { Log } from "./log";
import { Masthead } from "./masthead";
import { tagsOf } from "./tags";
import { useActivity } from "./useactivity";
import { useReadings } from "./usereadings";
import { useRevocation, useSignInAgain } from "./usesigninagain";

interface Props {
  readonly account: Account;
  readonly leaving: Leaving;
  readonly rooms: readonly string[];
  readonly signUrl: string;
}

/** The chat of a user who is signed in, or of a guest. */
export function Chat({ account, leaving, rooms: asked, signUrl }: Props) {
  const { page } = useWords();
  const [client] = useState(() => {
    const { getToken, guest } = account;
    return createChatClient({ signUrl, rooms: asked, ...(getToken && { getToken }), ...(guest && { guest }) });
  });
  const { state, messages, gaps, heldUntil, user, rooms } = useChat(client);
  useActivity(client.userActed);
  const [chosen, setRoom] = useState<string>();
  const [atEnd, setAtEnd] = useState(true);
  const [drafts, setDrafts] = useState<Readonly<Record<string, string>>>({});
  const input = useRef<HTMLTextAreaElement>(null);
  const refocus = useCallback(() => focusBesideKeyboard(input.current), []);

  const room = rooms.find((room) => room === chosen) ?? rooms[0] ?? "";
  const byRoom = (name: string): readonly ChatMessage[] => messages.filter((message) => message.room === name);
  const readings = useReadings(rooms, byRoom, room, atEnd);
  const unread = Object.values(readings).reduce((sum, reading) => sum + reading.unread, 0);
  useTitle(`${unread > 0 ? `(${unread}) ` : ""}${room && `${room} – `}${page.title}`);
  const tags = useMemo(() => tagsOf([...messages.map(({ from }) => from), ...(user ? [user] : [])]), [messages, user]);
  const isSignedIn = state.status === "open" || state.status === "rotating";
  useRevocation(state, account);
  useSignInAgain(state, messages.length === 0, account, leaving.signIn);

  const choose = (name: string) => {
    setRoom(name);
    setAtEnd(true);
    focusWithoutKeyboard(input.current);
  };
  return (
    <div className="chat">
      <Masthead
        room={room}
        rooms={rooms}
        readings={readings}
        choose={choose}
        user={user}
        tag={user && tags.get(user.sub)}
        signOut={leaving.signOut}
      />
      <ConnectionStatus
        state={state}
        retryNow={() => (client.retryNow(), refocus())}
        signIn={leaving.signIn}
        refused={account.isRefused ?? false}
      />
      <Trouble
        problem={leaving.leaving || (isSignedIn && leaving.problem !== "signOut") ? undefined : leaving.problem}
      />
      <main className="conversation">
        <Log
          key={room}
          messages={byRoom(room)}
          gaps={gaps}
          state={state}
          heldUntil={heldUntil}
          reading={readings[room]}
          tags={tags}
          client={client}
          onScroll={setAtEnd}
          refocus={refocus}
        />
        <Composer
          room={room}
          draft={drafts[room] ?? ""}
          write={(text) => setDrafts((drafts) => ({ ...drafts, [room]: text }))}
          send={client.send}
          input={input}
        />
      </main>
    </div>
  );
}

function useTitle(title: string): void {
  useEffect(() => {
    document.title = title;
  }, [title]);
}
