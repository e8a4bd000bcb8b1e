import {
  type ChatClient,
  type ChatMessage,
  type ChatSnapshot,
  createChatClient,
  type Here,
} from "@signedsocket/client";
import { useChat } from "@signedsocket/client/react";
import { useCallback, useEffect, useMemo, useRef, useState } from "react";
import type { Account } from "../account/account";
import type { Leaving } from "../account/useleaving";
import { Trouble } from "../trouble";
import { useWords } from "../words";
import { Composer, focusBesideKeyboard, focusWithoutKeyboard } from "./composer";
import { ConnectionStatus, isConnected } from "./connectionstatus";
import { Log } from "./log";
import { Masthead } from "./masthead";
import { Roster } from "./roster";
import { tagsOf } from "./tags";
import { useActivity } from "./useactivity";
import { type Readings, useReadings, useVisible } from "./usereadings";
import { useRevocation, useSignInAgain } from "./usesigninagain";

interface Props {
  readonly account: Account;
  readonly leaving: Leaving;
  readonly rooms: readonly string[];
  readonly signUrl: string;
}

/** The chat of a user who is signed in, or of a guest. */
export function Chat({ account, leaving, rooms: asked, signUrl }: Props) {
  const client = useClient(account, asked, signUrl);
  const snapshot = useChat(client);
  const { state, messages, user, rooms } = snapshot;
  const [drafts, setDrafts] = useState<Readonly<Record<string, string>>>({});
  const input = useRef<HTMLTextAreaElement>(null);
  const refocus = useCallback(() => focusBesideKeyboard(input.current), []);
  const { room, choose, setAtEnd, byRoom, readings } = useRooms(snapshot, client);
  const { here, readOnly } = snapshot.roomStates[room] ?? {};
  const tags = useTags(snapshot, here);
  const isSignedIn = state.status === "open" || state.status === "rotating";
  useRevocation(state, account);
  useSignInAgain(state, messages.length === 0, account, leaving.signIn);

  return (
    <div className="chat">
      <Masthead
        room={room}
        rooms={rooms}
        readings={readings}
        choose={(name) => (choose(name), focusWithoutKeyboard(input.current))}
        user={user}
        tag={user && tags.get(user.sub)}
        signOut={leaving.signOut}
      />
      <ConnectionStatus
        state={state}
        retryNow={() => (client.retryNow(), refocus())}
        signIn={leaving.signIn}
        refused={account.isRefused ?? false}
      >
        <Roster here={isConnected(state) ? here : undefined} tags={tags} />
      </ConnectionStatus>
      <Trouble
        problem={leaving.leaving || (isSignedIn && leaving.problem !== "signOut") ? undefined : leaving.problem}
      />
      <main className="conversation">
        <Log
          key={room}
          room={room}
          messages={byRoom(room)}
          snapshot={snapshot}
          reading={readings[room]}
          tags={tags}
          client={client}
          onScroll={setAtEnd}
          refocus={refocus}
        />
        <Composer
          room={room}
          readOnly={readOnly ?? false}
          draft={drafts[room] ?? ""}
          write={(text) => setDrafts((drafts) => ({ ...drafts, [room]: text }))}
          send={client.send}
          input={input}
        />
      </main>
    </div>
  );
}

/** The client of an account. It stays the same while the chat is on screen. */
function useClient({ getToken, guest }: Account, rooms: readonly string[], signUrl: string): ChatClient {
  const [client] = useState(() =>
    createChatClient({ signUrl, rooms, ...(getToken && { getToken }), ...(guest && { guest }) }),
  );
  useActivity(client.userActed);
  return client;
}

/** The tags of the authors and of the users in the room. */
function useTags({ messages, user }: ChatSnapshot, here: Here | undefined): ReadonlyMap<string, string> {
  return useMemo(
    () => tagsOf([...messages.map(({ from }) => from), ...(here?.users ?? []), ...(user ? [user] : [])]),
    [messages, user, here],
  );
}

/** The room on screen, the messages of each room, and how far the user has read in each. */
function useRooms({ rooms, messages, roomStates }: ChatSnapshot, client: ChatClient) {
  const [chosen, setChosen] = useState<string>();
  const [atEnd, setAtEnd] = useState(true);
  const room = rooms.find((room) => room === chosen) ?? rooms[0] ?? "";
  const lists = useMemo(() => listsOf(messages), [messages]);
  const byRoom = (name: string): readonly ChatMessage[] => lists.get(name) ?? NONE;
  const reads = useVisible() && atEnd;
  const readings = useReadings(rooms, roomStates, byRoom, reads ? room : undefined);
  useEffect(() => {
    if (reads) client.markRead(room);
  }, [client, room, reads, messages]);
  useTitle(room, readings);
  const choose = (name: string) => {
    setChosen(name);
    setAtEnd(true);
  };
  return { room, choose, setAtEnd, byRoom, readings };
}

const NONE: readonly ChatMessage[] = [];

/** The messages of each room. */
function listsOf(messages: readonly ChatMessage[]): ReadonlyMap<string, readonly ChatMessage[]> {
  const lists = new Map<string, ChatMessage[]>();
  for (const message of messages) {
    const list = lists.get(message.room);
    if (list) list.push(message);
    else lists.set(message.room, [message]);
  }
  return lists;
}

/** Names the room and the number of unread messages in the title of the document. */
function useTitle(room: string, readings: Readings): void {
  const { page } = useWords();
  const unread = Object.values(readings).reduce((sum, reading) => sum + reading.unread, 0);
  const title = `${unread > 0 ? `(${unread}) ` : ""}${room && `${room} – `}${page.title}`;
  useEffect(() => {
    document.title = title;
  }, [title]);
}
