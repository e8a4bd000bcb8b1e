import { useEffect, useState } from "react";
import { type Countable, keyOf } from "./unread";

/** The time in ms in which the accessibility tree of a browser takes a change of the list in. */
const SETTLED = 1_000;

/** The members of a message that matter here. */
interface Announced extends Countable {
  readonly status: string;
}

/**
 * Whether a change of the list is news for a screen reader: messages came to its end. Older messages, the first page of
 * a room, messages in between, and deletions are not.
 */
export function isNews(before: readonly Announced[], messages: readonly Announced[]): boolean {
  const known = before.filter(({ status }) => status === "delivered");
  if (known.length === 0 && messages.length > 1) return false;
  return known.every((message, i) => {
    const now = messages[i];
    return now !== undefined && keyOf(now) === keyOf(message) && now.deleted === message.deleted;
  });
}

/**
 * The `aria-live` of the list. It is off in the same change that brings what is not news, and a moment longer, so that
 * no screen reader reads old messages aloud.
 */
export function useAnnouncing(messages: readonly Announced[]): "polite" | "off" {
  const [seen, setSeen] = useState(messages);
  const [quiet, setQuiet] = useState(1); // counts changes that are not news; 0 when they have settled
  if (seen !== messages) {
    setSeen(messages);
    if (!isNews(seen, messages)) setQuiet(quiet + 1);
  }
  useEffect(() => {
    if (quiet === 0) return;
    const timer = setTimeout(() => setQuiet(0), SETTLED);
    return () => clearTimeout(timer);
  }, [quiet]);
  return quiet > 0 ? "off" : "polite";
}
