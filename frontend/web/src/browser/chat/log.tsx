import type { ChatClient, ChatMessage } from "@signedsocket/client";
import { useLayoutEffect, useRef, useState } from "react";
import { useWords } from "../words";
import { Message } from "./message";
import { dayName, timeline } from "./timeline";
import { keyOf, type Reading } from "./unread";

/** As near to its end, in pixels, the list counts as being there. */
const NEAR = 48;

interface Props {
  readonly messages: readonly ChatMessage[];
  readonly reading: Reading | undefined;
  /** Of users whose name others have, too, by user id. */
  readonly tags: ReadonlyMap<string, string>;
  readonly client: ChatClient;
  /** Told whether the end of the list is in sight. */
  readonly onScroll: (atEnd: boolean) => void;
}

/**
 * The messages of a room. The list follows its end while that is in sight, and stays where it is while somebody reads
 * further up.
 */
export function Log({ messages, reading, tags, client, onScroll }: Props) {
  const { page, chat, language } = useWords();
  const { list, atEnd, toEnd, scrolled } = useFollowing(messages, onScroll);
  const items = timeline(messages, reading?.divider);
  const unread = reading?.unread ?? 0;
  return (
    <div className="log-frame">
      <div className="log" role="log" aria-label={chat.labels.messages} tabIndex={0} ref={list} onScroll={scrolled}>
        {messages.length === 0 && <Empty />}
        <ol>
          {items.map((item) => {
            if (item.kind === "message") {
              const { key, message, first } = item;
              return (
                <Message key={key} message={message} first={first} tag={tags.get(message.from.sub)} client={client} />
              );
            }
            const label = item.kind === "day" ? dayName(item.day, Date.now(), language, page) : chat.labels.unread;
            return (
              <li key={item.key} className={`rule ${item.kind}`}>
                <span>{label}</span>
              </li>
            );
          })}
        </ol>
      </div>
      {!atEnd && (
        <button className="to-end" onClick={toEnd}>
          {unread > 0 ? page.newMessages(unread) : "↓"}
        </button>
      )}
    </div>
  );
}

function Empty() {
  const { page } = useWords();
  return (
    <div className="empty">
      <p>{page.empty}</p>
      <p>{page.emptyHint}</p>
    </div>
  );
}

/** Keeps the end of the list in sight, until somebody scrolls up; who writes something goes to the end. */
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
    const observer = new ResizeObserver(toEnd); // a keyboard or a growing message takes its room from the list
    observer.observe(list.current);
    return () => observer.disconnect();
  }, [atEnd]);
  return { list, atEnd, toEnd, scrolled };
}
