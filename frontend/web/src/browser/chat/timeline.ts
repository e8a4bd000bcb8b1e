import type { ChatMessage, Gap } from "@signedsocket/client";
import type { Dictionary } from "@signedsocket/client/messages";
import type { Words } from "../words";
import { keyOf } from "./unread";

/** The entries of the list, from top to bottom. */
export type Item =
  /** Midnight has passed; `day` is a time on the new day. */
  | { readonly kind: "day"; readonly key: string; readonly day: number }
  | { readonly kind: "unread"; readonly key: string }
  /** Messages may be missing here. */
  | { readonly kind: "gap"; readonly key: string; readonly from: number; readonly to: number }
  /** Messages are missing here. `open` is true when the server may have them. */
  | { readonly kind: "missing"; readonly key: string; readonly open: boolean }
  /** `first` is true for the first message of several that one person wrote in a row. It shows the name. */
  | { readonly kind: "message"; readonly key: string; readonly message: ChatMessage; readonly first: boolean };

/** Messages that are further apart than this, in milliseconds, each have their name and time. */
const APART = 5 * 60_000;
/** Gaps that are nearer than this, with no message in between, count as one. */
const NEAR = 60_000;

/**
 * The entries for the messages of a room. `divider` is the key of the first missed message. `gaps` are those of all
 * rooms. `missing` are the ids of the messages above which some are missing, and `closed` those of them above which the
 * server has none.
 */
export function timeline(
  messages: readonly ChatMessage[],
  divider: string | undefined,
  gaps: readonly Gap[] = [],
  missing: readonly string[] = [],
  closed: readonly string[] = [],
): readonly Item[] {
  const items: Item[] = [];
  let previous: ChatMessage | undefined;
  let latest: number | undefined; // a log is in the order of its numbers: a time may be before the one above it
  let next = 0;
  for (const message of messages) {
    const key = keyOf(message);
    const missed = next;
    while (next < gaps.length && (message.sentAt ?? Infinity) > gaps[next]!.after) next++;
    if (next > missed) {
      items.push(...lines(gaps.slice(missed, next)));
      previous = undefined;
    }
    if (missing.includes(message.id)) {
      items.push({ kind: "missing", key: `missing ${message.id}`, open: !closed.includes(message.id) });
      previous = undefined;
    }
    const { sentAt } = message;
    const later = sentAt !== undefined && !(sentAt <= latest!) ? sentAt : undefined;
    const newDay = later !== undefined && dayOf(later) !== dayOf(latest);
    if (newDay) items.push({ kind: "day", key: `day ${dayOf(later)}`, day: later });
    if (key === divider) items.push({ kind: "unread", key: "unread" });
    items.push({
      kind: "message",
      key,
      message,
      first: newDay || key === divider || !previous || !follows(message, previous),
    });
    previous = message;
    latest = later ?? latest;
  }
  return [...items, ...lines(gaps.slice(next))];
}

function lines(gaps: readonly Gap[]): readonly Item[] {
  const told: { from: number; to: number }[] = [];
  for (const { from, to } of gaps) {
    const last = told.at(-1);
    if (last && from - last.to < NEAR) last.to = to;
    else told.push({ from, to });
  }
  return told.map(({ from, to }) => ({ kind: "gap", key: `gap ${from}`, from, to }));
}

function follows(message: ChatMessage, previous: ChatMessage): boolean {
  return (
    message.from.sub === previous.from.sub &&
    message.own === previous.own &&
    (message.sentAt ?? 0) - (previous.sentAt ?? 0) < APART
  );
}

function dayOf(time: number | undefined): string | undefined {
  return time === undefined ? undefined : new Date(time).toDateString();
}

/** The text of a gap, with the dates if it covers more than one day. */
export function gapText(
  { from, to }: { readonly from: number; readonly to: number },
  formats: Words["formats"],
  { labels }: Dictionary,
): string {
  const format = dayOf(from) === dayOf(to) ? formats.time : formats.short;
  const [begin, end] = [format.format(from), format.format(to)];
  return (begin === end ? labels.shortGap : labels.gap).replace("{from}", begin).replace("{to}", end);
}

/** The name of a day: today, yesterday, or its date. */
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
