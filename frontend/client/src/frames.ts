import type { HistoryFrame, Numbers, Said, SyncedFrame } from "./history.js";
import type { Here } from "./state.js";
import { isNumber, isSeq, isText, isUser } from "./values.js";

/** The last moment that a Date can hold, in Unix ms. A page that shows a later one breaks. */
const LATEST = 8.64e15;

/** The users who are connected to a room. */
export interface PresenceFrame extends Here {
  readonly type: "presence";
  readonly room: string;
  /** A frame with a higher number is newer. */
  readonly n: number;
}

/** A checked frame from the server. It may have members that this client does not know. */
export type Frame =
  | (Said & { readonly type: "message"; readonly room: string; readonly seq?: number })
  | {
      readonly type: "ack";
      readonly id: string;
      readonly clientId?: string;
      readonly seq?: number;
      /** The message was deleted since. */
      readonly deleted?: boolean;
    }
  /** The message with the number `of` was deleted. The note of that has a number of its own. */
  | { readonly type: "deleted"; readonly room: string; readonly seq: number; readonly of: number }
  | PresenceFrame
  | HistoryFrame
  | SyncedFrame
  | {
      readonly type: "error";
      readonly code: string;
      readonly clientId?: string;
      readonly retryAfterMs?: number;
    }
  | { readonly type: "bye"; readonly code: string }
  | { readonly type: "pong" }
  /** A frame of API Gateway itself: a frame of this client failed. It does not say which one. */
  | { readonly type: "gateway" };

/** The members that each type of frame needs. */
const NEEDED: ReadonlyMap<unknown, string> = new Map([
  ["message", "id from message sentAt room"],
  ["ack", "id"],
  ["deleted", "room seq of"],
  ["presence", "room n count"],
  ["history", "room head keepDays"],
  ["synced", "type"],
  ["error", "code"],
  ["bye", "code"],
  ["pong", "type"],
]);

/** Reads a frame. Undefined for a frame of an unknown kind, for example from a newer server. */
export function parseFrame(data: unknown): Frame | undefined {
  const frame = checked(parseJSON(data));
  const { type } = frame;
  if (type === undefined && frame.requestId) return { type: "gateway" };
  const isWhole = NEEDED.get(type)
    ?.split(" ")
    .every((name) => frame[name] !== undefined);
  if (!isWhole) return undefined;
  if (type === "history") return readHistory(frame);
  if (type === "synced") return { ...frame, type, heads: numbers(frame.heads), read: numbers(frame.read) };
  return frame as unknown as Frame;
}

/** Undefined when the data is no JSON, for example in a binary frame. */
function parseJSON(data: unknown): unknown {
  try {
    return JSON.parse(data as string);
  } catch {
    return undefined;
  }
}

/** An object without the members that are not what they have to be. */
function checked(value: unknown): Record<string, unknown> {
  return Object.fromEntries(Object.entries(value ?? {}).filter(([name, value]) => isRight(name, value)));
}

function isRight(name: string, value: unknown): boolean {
  if (/^(id|clientId|room|code|message|erased|requestId)$/.test(name)) return isText(value);
  if (/^(seq|of|n|count|head|after|before|last)$/.test(name)) return isSeq(value);
  if (/^(keepDays|retryAfterMs)$/.test(name)) return isNumber(value);
  if (name === "sentAt") return isNumber(value) && value <= LATEST;
  if (name === "users") return Array.isArray(value) && value.every(isUser);
  return name !== "from" || isUser(value);
}

/** Undefined when the answer breaks the rules, for example when there is a hole between two entries. */
function readHistory(frame: Record<string, unknown>): HistoryFrame | undefined {
  if (!Array.isArray(frame.entries)) return undefined;
  const entries = frame.entries.map(checked);
  const isWhole = entries.every(({ seq }, i) => isSeq(seq) && (i === 0 || seq === (entries[i - 1]!.seq as number) + 1));
  const wants = ["after", "before", "last"].filter((kind) => frame[kind] !== undefined);
  if (!isWhole || wants.length !== 1) return undefined;
  const read = isSeq(frame.read) ? frame.read : 0;
  return { ...frame, entries, complete: !!frame.complete, more: !!frame.more, read } as unknown as HistoryFrame;
}

function numbers(value: unknown): Numbers {
  return Object.fromEntries(Object.entries(value ?? {}).filter(([, number]) => isSeq(number)));
}
