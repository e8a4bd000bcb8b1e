import type { ChatMessage } from "@signedsocket/client";
import { keyOf } from "./unread";

/** What stands in the list, from top to bottom. */
export type Item =
  /** Midnight has passed; `day` is a time on the new day. */
  | { readonly kind: "day"; readonly key: string; readonly day: number }
  | { readonly kind: "unread"; readonly key: string }
  /** `first` of those that one person wrote in a row, and so with the name. */
  | { readonly kind: "message"; readonly key: string; readonly message: ChatMessage; readonly first: boolean };

/** Messages that are further apart, in milliseconds, each have their name and time. */
const GAP = 5 * 60_000;

/** The list of a room's messages. `divider` is the key of the first one that was missed. */
export function timeline(messages: readonly ChatMessage[], divider: string | undefined): readonly Item[] {
  const items: Item[] = [];
  let previous: ChatMessage | undefined;
  for (const message of messages) {
    const key = keyOf(message);
    const newDay = message.sentAt !== undefined && dayOf(message.sentAt) !== dayOf(previous?.sentAt);
    if (newDay) items.push({ kind: "day", key: `day ${dayOf(message.sentAt)}`, day: message.sentAt });
    if (key === divider) items.push({ kind: "unread", key: "unread" });
    items.push({
      kind: "message",
      key,
      message,
      first: newDay || key === divider || !previous || !follows(message, previous),
    });
    previous = message;
  }
  return items;
}

function follows(message: ChatMessage, previous: ChatMessage): boolean {
  return (
    message.from.sub === previous.from.sub &&
    message.own === previous.own &&
    (message.sentAt ?? 0) - (previous.sentAt ?? 0) < GAP
  );
}

function dayOf(time: number | undefined): string | undefined {
  return time === undefined ? undefined : new Date(time).toDateString();
}

/** What a day is called: today, yesterday, or its date. */
export function dayName(
  day: number,
  now: number,
  language: string,
  words: { readonly today: string; readonly yesterday: string },
): string {
  if (dayOf(day) === dayOf(now)) return words.today;
  const yesterday = new Date(now);
  yesterday.setDate(yesterday.getDate() - 1);
  if (dayOf(day) === yesterday.toDateString()) return words.yesterday;
  return new Intl.DateTimeFormat(language, { dateStyle: "full" }).format(day);
}
