import type { ChatMessage } from "@signedsocket/client";
import { useLayoutEffect, useRef, useState } from "react";
import { keyOf } from "./unread";

/** The list counts as at its end within so many pixels. */
const NEAR = 48;

/**
 * Keeps the place of the user in the list. At the end the list follows its end, and a user who writes goes there.
 * Further up the message at the top of the window stays where it is when others are put above it.
 */
export function usePlace(messages: readonly ChatMessage[], onScroll: (atEnd: boolean) => void) {
  const list = useRef<HTMLDivElement>(null);
  const [atEnd, setAtEnd] = useState(true);
  const last = messages.at(-1);
  const written = last?.own ? keyOf(last) : undefined;
  const seen = useRef(written);
  const anchor = useRef<Anchor>(undefined);

  const toEnd = () => list.current?.scrollTo({ top: list.current.scrollHeight });
  const scrolled = () => {
    const { scrollHeight, scrollTop, clientHeight } = list.current!;
    const now = scrollHeight - scrollTop - clientHeight < NEAR;
    anchor.current = anchorOf(list.current!);
    setAtEnd(now);
    onScroll(now);
  };
  useLayoutEffect(() => {
    if (atEnd || written !== seen.current) toEnd();
    else if (anchor.current) restore(list.current!, anchor.current);
    seen.current = written;
    anchor.current = anchorOf(list.current!);
  }, [messages, atEnd, written]);
  useLayoutEffect(() => {
    if (!atEnd || !list.current) return;
    const observer = new ResizeObserver(toEnd); // a keyboard or a growing message makes the list smaller
    observer.observe(list.current);
    return () => observer.disconnect();
  }, [atEnd]);
  return { list, atEnd, toEnd, scrolled };
}

/** The first message in sight, and how far it is from the top of the window. */
interface Anchor {
  readonly element: HTMLElement;
  readonly distance: number;
}

function anchorOf(list: HTMLElement): Anchor | undefined {
  const { scrollTop } = list;
  const messages = list.querySelectorAll<HTMLElement>(".message");
  let [low, high] = [0, messages.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    const { offsetTop, offsetHeight } = messages[middle]!;
    if (offsetTop + offsetHeight > scrollTop) high = middle;
    else low = middle + 1;
  }
  const element = messages[low];
  return element && { element, distance: element.offsetTop - scrollTop };
}

/** Browsers do so themselves, but not at the very top, and Safari does not at all. */
function restore(list: HTMLElement, { element, distance }: Anchor): void {
  if (element.isConnected) list.scrollTop = element.offsetTop - distance;
}
