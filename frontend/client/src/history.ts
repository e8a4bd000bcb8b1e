import type { User } from "./state.js";
import { isNumber, isSeq, isText, isUser } from "./values.js";

/** The last moment that a Date can hold, in Unix ms. A page that shows a later one breaks. */
const LATEST = 8.64e15;

/** The wanted part of the log of a room: exactly one of `after`, `before` and `last`. */
export interface Want {
  readonly after?: number;
  readonly before?: number;
  readonly last?: number;
  /** With `before`: the number of entries. */
  readonly limit?: number;
}

/** A message of a user. Nothing but its id is known of a deleted one. */
export interface Said {
  readonly id: string;
  readonly from: User;
  readonly message: string;
  readonly sentAt: number;
}

/** An entry of a log. Entries of kinds that this client does not know have a number and nothing else. */
export interface LogEntry {
  readonly seq: number;
  readonly id?: string | undefined;
  readonly said?: Said | undefined;
  /** The message was deleted. */
  readonly deleted?: boolean;
  /** The number of a message that was deleted. */
  readonly of?: number | undefined;
  /** The hash of a user whose messages, up to here, were erased. */
  readonly erased?: string | undefined;
}

/** A part of the log of a room without a hole. It repeats the want that it answers. */
export interface HistoryFrame extends Want {
  readonly type: "history";
  readonly clientId: string | undefined;
  readonly room: string;
  readonly entries: readonly LogEntry[];
  /** The newest number in the log, 0 for an empty one. */
  readonly head: number;
  /** With `after`: nothing is missing directly behind it. */
  readonly complete: boolean;
  /** The log has more entries in the wanted direction. */
  readonly more: boolean;
  /** For how many days messages are kept; 0 when they are not kept at all. */
  readonly keepDays: number;
  /** The number up to which the user has read, on any device; 0 when the server does not know. */
  readonly read: number;
}

/** Answers the wants with `after` for which there is nothing new. */
export interface SyncedFrame {
  readonly type: "synced";
  readonly clientId: string | undefined;
  readonly heads: Numbers;
  /** As in a history frame, by room. */
  readonly read: Numbers;
}

/** Numbers in the logs of rooms, by room. */
export type Numbers = Readonly<Record<string, number>>;

/** A request, of 8 rooms at most. Members that are undefined are left out. */
export interface Request {
  readonly want: readonly (Want & { readonly room: string })[] | undefined;
  /** The rooms whose users are wanted. */
  readonly here: readonly string[] | undefined;
  /** The numbers up to which the user has read. */
  readonly read: Numbers | undefined;
}

/** The frame of a request. */
export function historyFrame(id: string, request: Request): string {
  return JSON.stringify({ action: "history", id, ...request });
}

/** The message of an entry, or undefined for an entry of another kind. */
export function readSaid({ id, from, message, sentAt }: Record<string, unknown>): Said | undefined {
  return isText(id) && isUser(from) && isText(message) && isNumber(sentAt) && sentAt <= LATEST
    ? { id, from: { sub: from.sub, name: from.name }, message, sentAt }
    : undefined;
}

/** Reads an answer. Undefined when it breaks the rules, for example when there is a hole between two entries. */
export function readHistory(frame: Record<string, unknown>, clientId: string | undefined): HistoryFrame | undefined {
  const { room, entries, head, complete, more, keepDays, read } = frame;
  if (!isText(room) || !Array.isArray(entries) || !isSeq(head) || !isNumber(keepDays)) return undefined;
  const whole = entries.every((entry, i) => isSeq(entry?.seq) && (i === 0 || entry.seq === entries[i - 1].seq + 1));
  const wants = (["after", "before", "last"] as const).filter((kind) => isSeq(frame[kind]));
  if (!whole || wants.length !== 1) return undefined;
  return {
    type: "history",
    clientId,
    room,
    [wants[0]!]: frame[wants[0]!],
    entries: entries.map((entry): LogEntry => ({
      seq: entry.seq,
      id: isText(entry.id) ? entry.id : undefined,
      said: readSaid(entry),
      deleted: entry.deleted === true,
      of: isSeq(entry.of) ? entry.of : undefined,
      erased: isText(entry.erased) ? entry.erased : undefined,
    })),
    head,
    complete: complete === true,
    more: more === true,
    keepDays,
    read: isSeq(read) ? read : 0,
  };
}

/** Reads an answer that has nothing new. */
export function readSynced({ heads, read }: Record<string, unknown>, clientId: string | undefined): SyncedFrame {
  return { type: "synced", clientId, heads: readNumbers(heads), read: readNumbers(read) };
}

function readNumbers(value: unknown): Numbers {
  return Object.fromEntries(Object.entries(value ?? {}).filter(([, number]) => isSeq(number)));
}
