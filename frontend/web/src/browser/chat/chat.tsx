import { type ChatMessage, createChatClient } from "@signedsocket/client";
import { useChat } from "@signedsocket/client/react";
import { useEffect, useRef, useState } from "react";
import type { Account } from "../account/account";
import { useWords } from "../words";
import { Composer, focusWithoutKeyboard } from "./composer";
import { ConnectionStatus } from "./connectionstatus";
import { Log } from "./log";
import { Masthead } from "./masthead";
import { useReadings } from "./usereadings";
import { useSignInAgain } from "./usesigninagain";

interface Props {
  readonly account: Account;
  readonly rooms: readonly string[];
  readonly signUrl: string;
}

/** The chat of somebody who is in. */
export function Chat({ account, rooms: asked, signUrl }: Props) {
  const { page } = useWords();
  const [client] = useState(() => createChatClient({ signUrl, rooms: asked, ...(account.getToken && { getToken: account.getToken }) }));
  const { state, messages, user, rooms } = useChat(client);
  const [chosen, setRoom] = useState<string>();
  const [atEnd, setAtEnd] = useState(true);
  const [drafts, setDrafts] = useState<Readonly<Record<string, string>>>({});
  const input = useRef<HTMLTextAreaElement>(null);

  const room = rooms.find((room) => room === chosen) ?? rooms[0] ?? "";
  const byRoom = (name: string): readonly ChatMessage[] => messages.filter((message) => message.room === name);
  const readings = useReadings(rooms, byRoom, room, atEnd);
  const unread = Object.values(readings).reduce((sum, reading) => sum + reading.unread, 0);
  useTitle(`${unread > 0 ? `(${unread}) ` : ""}${room && `${room} – `}${page.title}`);
  useSignInAgain(state, messages.length === 0, account.signIn);

  const choose = (name: string) => {
    setRoom(name);
    setAtEnd(true);
    focusWithoutKeyboard(input.current);
  };
  return (
    <div className="chat">
      <Masthead room={room} rooms={rooms} readings={readings} choose={choose} user={user} signOut={account.signOut} />
      <ConnectionStatus state={state} retryNow={client.retryNow} signIn={account.signIn} />
      <main className="conversation">
        <Log key={room} messages={byRoom(room)} reading={readings[room]} client={client} onScroll={setAtEnd} />
        <Composer room={room} draft={drafts[room] ?? ""} write={(text) => setDrafts((drafts) => ({ ...drafts, [room]: text }))} send={client.send} input={input} />
      </main>
    </div>
  );
}

function useTitle(title: string): void {
  useEffect(() => {
    document.title = title;
  }, [title]);
}
