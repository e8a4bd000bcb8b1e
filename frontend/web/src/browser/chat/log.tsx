import type { ChatClient, ChatMessage, ChatSnapshot, RoomState } from "@signedsocket/client";
import { keptText } from "@signedsocket/client/messages";
import { memo, useCallback, useMemo } from "react";
import { useWords } from "../words";
import { useAnnouncing } from "./announcing";
import { isConnected } from "./connectionstatus";
import { Message } from "./message";
import { Sight } from "./sight";
import { dayName, gapText, type Item, timeline } from "./timeline";
import type { Reading } from "./unread";
import { usePlace } from "./useplace";

interface Props {
  readonly room: string;
  readonly messages: readonly ChatMessage[];
  /** Everything that the client has. */
  readonly snapshot: ChatSnapshot;
  readonly reading: Reading | undefined;
  /** The tags of users who share their name with others, by user id. */
  readonly tags: ReadonlyMap<string, string>;
  readonly client: ChatClient;
  /** Called with whether the end of the list is visible. */
  readonly onScroll: (atEnd: boolean) => void;
  /** Focuses the field for the next message, when the focused button disappears. */
  readonly refocus: () => void;
}

/**
 * The messages of a room. The list follows its end while the end is visible, and does not move while the user reads
 * further up.
 */
export const Log = memo(function Log(props: Props) {
  const { room, messages, snapshot, reading, tags, client, onScroll, refocus } = props;
  const { state, gaps } = snapshot;
  const history = snapshot.roomStates[room];
  const { page, chat } = useWords();
  const { list, atEnd, toEnd, scrolled } = usePlace(messages, onScroll);
  const live = useAnnouncing(messages);
  const { divider, unread = 0 } = reading ?? {};
  const items = useMemo(
    () => timeline(messages, divider, gaps, history?.gaps, history?.closed),
    [messages, divider, gaps, history],
  );
  const loadOlder = useCallback(() => client.loadOlder(room), [client, room]);
  const connected = isConnected(state);
  const jump = () => {
    toEnd();
    refocus();
  };
  return (
    <div className="log-frame">
      <div
        className="log"
        role="log"
        aria-label={chat.labels.messages}
        aria-live={live}
        aria-relevant="additions"
        tabIndex={0}
        ref={list}
        onScroll={scrolled}
      >
        {messages.length === 0 && <Empty connected={connected} history={history} />}
        {history?.more && <Sight of={messages} seen={loadOlder} />}
        <ol>
          {messages.length > 0 && <Beginning history={history} />}
          {items.map((item) => {
            if (item.kind === "message") {
              return <Line key={item.key} item={item} {...{ snapshot, tags, client, refocus }} />;
            }
            return <Rule key={item.key} item={item} loadOlder={loadOlder} messages={messages} />;
          })}
        </ol>
      </div>
      {connected && history && history.status !== "live" && (
        <p className="loading" role="status">
          {chat.labels.loading}
        </p>
      )}
      {!atEnd && (
        <button className="to-end" onClick={jump} aria-label={unread > 0 ? undefined : page.toEnd}>
          {unread > 0 ? page.newMessages(unread) : "↓"}
        </button>
      )}
    </div>
  );
});

type LineProps = Pick<Props, "snapshot" | "tags" | "client" | "refocus"> & {
  readonly item: Extract<Item, { kind: "message" }>;
};

/** One message of the list. */
function Line({ item, snapshot, tags, client, refocus }: LineProps) {
  const { message, first } = item;
  const connected = isConnected(snapshot.state);
  const waits = message.status === "pending";
  const held = snapshot.heldUntil > performance.now();
  return (
    <Message
      message={message}
      first={first}
      tag={tags.get(message.from.sub)}
      client={client}
      removable={isRemovable(message, snapshot)}
      offline={waits && !connected}
      heldUntil={waits && connected && held ? snapshot.heldUntil : undefined}
      refocus={refocus}
    />
  );
}

/** Whether the user may delete a message: an own one, or as a moderator any. */
function isRemovable({ room, seq, own, deleted, removal }: ChatMessage, snapshot: ChatSnapshot): boolean {
  const state = snapshot.roomStates[room];
  const mayWrite = state !== undefined && !state.readOnly;
  return mayWrite && (own || snapshot.moderator) && seq !== undefined && !deleted && removal !== "pending";
}

/** The line above the oldest message that the server has. */
function Beginning({ history }: { history: RoomState | undefined }) {
  const { chat } = useWords();
  if (!history || history.more || history.status === "opening" || history.keepDays === 0) return null;
  return (
    <li className="rule end">
      <span>{keptText(history.keepDays, chat)}</span>
    </li>
  );
}

interface RuleProps {
  readonly item: Exclude<Item, { kind: "message" }>;
  readonly messages: readonly ChatMessage[];
  readonly loadOlder: () => void;
}

/**
 * A line between messages: a new day, the beginning of the unread messages, or a gap. Missing messages that the server
 * may have are read when their line comes into sight.
 */
function Rule({ item, messages, loadOlder }: RuleProps) {
  const { page, chat, formats, locale } = useWords();
  const label = () => {
    if (item.kind === "day") return dayName(item.day, Date.now(), locale, page);
    if (item.kind === "unread") return chat.labels.unread;
    return item.kind === "missing" ? chat.labels.missing : gapText(item, formats, chat);
  };
  return (
    <li className={`rule ${item.kind}`}>
      <span>{label()}</span>
      {item.kind === "missing" && item.open && <Sight of={messages} seen={loadOlder} />}
    </li>
  );
}

/** Says why the list is empty. */
function Empty({ connected, history }: { connected: boolean; history: RoomState | undefined }) {
  const { page, chat } = useWords();
  if (history?.status === "opening") return null;
  const keeps = history !== undefined && history.keepDays > 0;
  return (
    <div className="empty">
      <p>{keeps ? page.emptyRoom : connected ? page.empty : page.emptyOffline}</p>
      <p>{keeps ? keptText(history.keepDays, chat) : page.emptyHint}</p>
    </div>
  );
}
