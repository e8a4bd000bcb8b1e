// The code of a page, compiled against the package as it ships. It is never run.
import { type ChatState, createChatClient, SendError } from "@signedsocket/client";
import { dictionaryFor, reasonText } from "@signedsocket/client/messages";
import { useChat, useRoom } from "@signedsocket/client/react";

const chat = createChatClient({
  signUrl: ({ rooms, challenge, signal }) =>
    fetch("/api/signurl", { method: "POST", body: JSON.stringify({ rooms, challenge }), signal }),
  onAuthRequired: (code) => console.log(code satisfies string),
});

createChatClient({ signUrl: "/signurl", history: 100 });
createChatClient({ signUrl: "/signurl", history: false });
// @ts-expect-error: a number of messages, or none
createChatClient({ signUrl: "/signurl", history: true });
createChatClient({ signUrl: "/signurl", getToken: async () => undefined, environment: { random: () => 0, WebSocket } });
// @ts-expect-error: a client that cannot get a URL is no use
createChatClient({});
// @ts-expect-error: a challenge has to be passed on
createChatClient({ signUrl: (challenge: string) => fetch(challenge) });
// @ts-expect-error: a snapshot is not the page's to change
chat.getSnapshot().messages.push();

/** Every status is handled: a new one breaks the page's build, not the page. */
function describe(state: ChatState): string {
  switch (state.status) {
    case "idle":
    case "signing":
    case "connecting":
    case "open":
    case "rotating":
    case "checking":
    case "offline":
      return state.status;
    case "waiting":
      return `${state.reason} ${state.retryAt - performance.now()}`;
    case "auth-required":
    case "closed":
      return state.code;
  }
}

export function Page() {
  const { state, messages, user, rooms } = useChat(chat);
  const send = (text: string) => {
    try {
      chat.send(text, rooms[0]);
    } catch (error) {
      if (error instanceof SendError && error.code === "too_large") return;
      throw error;
    }
  };
  return (
    <section
      title={reasonText(state, dictionaryFor(navigator.languages))}
      onClick={() => send(user?.name ?? describe(state))}
    >
      {messages.map((message) => (
        <p key={message.clientId ?? message.id}>
          {message.from.name} {message.sentAt === undefined ? "" : new Date(message.sentAt).toISOString()}{" "}
          {message.text} {message.failure}
        </p>
      ))}
    </section>
  );
}

export function Room({ name }: { name: string }) {
  const { messages, status, more, gaps, keepDays, loadOlder, remove, markRead, ...room } = useRoom(chat, name);
  return (
    <ol aria-busy={status !== "live"} title={`${keepDays} days`}>
      {more && <button onClick={loadOlder}>older</button>}
      <button onClick={markRead}>{room.unread}</button>
      {messages.map((message) => (
        <li key={message.clientId ?? message.id} className={gaps.includes(message.id) ? "gap" : ""}>
          {message.deleted ? room.here?.users?.[0]?.name : message.seq}
          {!room.readOnly && <button onClick={() => remove(message.id)}>{message.removal ?? "delete"}</button>}
        </li>
      ))}
    </ol>
  );
}
