import type { ChatClient, ChatMessage, ChatState, Gap } from "@signedsocket/client";
import { useLayoutEffect, useRef, useState } from "react";
import { useWords } from "../words";
import { isConnected } from "./connectionstatus";
import { Message } from "./message";
import { dayName, gapText, type Item, timeline } from "./timeline";
import { keyOf, type Reading } from "./unread";

/** The list counts as at its end within so many pixels. */
const NEAR = 48;

interface Props {
  readonly messages: readonly ChatMessage[];
  /** Times without a connection, in which messages of any room may be missing. */
  readonly gaps: readonly Gap[];
  readonly state: ChatState;
  /** Until then the rate limit holds messages back, on the clock of `performance.now()`. */
  readonly heldUntil: number;
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
export function Log({ messages, gaps, state, heldUntil, reading, tags, client, onScroll, refocus }: Props) {
  const { page, chat } = useWords();
  const { list, atEnd, toEnd, scrolled } = useFollowing(messages, onScroll);
  const items = timeline(messages, reading?.divider, gaps);
  const unread = reading?.unread ?? 0;
  const connected = isConnected(state);
  const held = heldUntil > performance.now() ? heldUntil : undefined;
  const jump = () => {
    toEnd();
    refocus();
  };
  return (
    <div className="log-frame">
      <div className="log" role="log" aria-label={chat.labels.messages} tabIndex={0} ref={list} onScroll={scrolled}>
        {messages.length === 0 && <Empty connected={connected} />}
        <ol>
          {items.map((item) => {
            if (item.kind === "message") {
              const { key, message, first } = item;
              const waits = message.status === "pending";
              return (
                <Message
                  key={key}
                  message={message}
                  first={first}
                  tag={tags.get(message.from.sub)}
                  client={client}
                  offline={waits && !connected}
                  heldUntil={waits && connected ? held : undefined}
                  refocus={refocus}
                />
              );
            }
            return <Rule key={item.key} item={item} />;
          })}
        </ol>
      </div>
      {!atEnd && (
        <button className="to-end" onClick={jump} aria-label={unread > 0 ? undefined : page.toEnd}>
          {unread > 0 ? page.newMessages(unread) : "↓"}
        </button>
      )}
    </div>
  );
}

/** A line between messages: a new day, the beginning of the unread messages, or a gap. */
function Rule({ item }: { item: Exclude<Item, { kind: "message" }> }) {
  const { page, chat, formats, locale } = useWords();
  const label = () => {
    if (item.kind === "day") return dayName(item.day, Date.now(), locale, page);
    if (item.kind === "unread") return chat.labels.unread;
    return gapText(item, formats, chat);
  };
  return (
    <li className={`rule ${item.kind}`}>
      <span>{label()}</span>
    </li>
  );
}

/** Says why the list is empty: the chat keeps no messages for users who come later. */
function Empty({ connected }: { connected: boolean }) {
  const { page } = useWords();
  return (
    <div className="empty">
      <p>{connected ? page.empty : page.emptyOffline}</p>
      <p>{page.emptyHint}</p>
    </div>
  );
}

/** Keeps the end of the list visible until the user scrolls up. A user who writes goes to the end. */
function useFollowing(messages: readonly ChatMessage[], onScroll: (atEnd: boolean) => void) {
  const list = useRef<HTMLDivElement>(null);
  const [atEnd, setAtEnd] = useState(true);
  const last = messages.at(-1);
  const written = last?.own ? keyOf(last) : undefined;
  const seen = useRef(written);

  const toEnd = () => list.current?.scrollTo({ top: list.current.scrollHeight });
  const scrolled = () => {
    const { scrollHeight, scrollTop, clientHeight } = list.current!;
    const now = scrollHeight - scrollTop - clientHeight < NEAR;
    setAtEnd(now);
    onScroll(now);
  };
  useLayoutEffect(() => {
    if (atEnd || written !== seen.current) toEnd();
    seen.current = written;
  }, [messages, atEnd, written]);
  useLayoutEffect(() => {
    if (!atEnd || !list.current) return;
    const observer = new ResizeObserver(toEnd); // a keyboard or a growing message makes the list smaller
    observer.observe(list.current);
    return () => observer.disconnect();
  }, [atEnd]);
  return { list, atEnd, toEnd, scrolled };
}
