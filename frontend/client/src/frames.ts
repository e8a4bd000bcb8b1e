import { type HistoryFrame, readHistory, readSaid, readSynced, type Said, type SyncedFrame } from "./history.js";
import type { Here } from "./state.js";
import { isNumber, isSeq, isText, isUser } from "./values.js";

/** The users who are connected to a room. */
export interface PresenceFrame extends Here {
  readonly type: "presence";
  readonly room: string;
  /** A frame with a higher number is newer. */
  readonly n: number;
}

/** A checked frame from the server. */
export type Frame =
  | (Said & { readonly type: "message"; readonly room: string; readonly seq: number | undefined })
  | {
      readonly type: "ack";
      readonly id: string;
      readonly clientId: string | undefined;
      readonly seq: number | undefined;
      /** The message was deleted since. */
      readonly deleted: unknown;
    }
  /** The message with the number `of` was deleted. The note of that has a number of its own. */
  | { readonly type: "deleted"; readonly room: string; readonly seq: number; readonly of: number }
  | PresenceFrame
  | HistoryFrame
  | SyncedFrame
  | {
      readonly type: "error";
      readonly code: string;
      readonly clientId: string | undefined;
      readonly retryAfterMs: number | undefined;
    }
  | { readonly type: "bye"; readonly code: string }
  | { readonly type: "pong" }
  /** A frame of API Gateway itself: a frame of this client failed. It does not say which one. */
  | { readonly type: "gateway" };

/** Reads a frame. Undefined for a frame of an unknown kind, for example from a newer server. */
export function parseFrame(data: unknown): Frame | undefined {
  const frame = parseJSON(data) ?? {};
  const { type, id, room, code, of, n, count, users, deleted } = frame;
  const clientId = isText(frame.clientId) ? frame.clientId : undefined;
  const seq = isSeq(frame.seq) ? frame.seq : undefined;
  const retryAfterMs = isNumber(frame.retryAfterMs) ? frame.retryAfterMs : undefined;
  if (type === "pong") return { type };
  if (type === undefined && isText(frame.requestId)) return { type: "gateway" };
  if (isText(code)) {
    if (type === "error") return { type, code, clientId, retryAfterMs };
    if (type === "bye") return { type, code };
  }
  if (type === "ack" && isText(id)) return { type, id, clientId, seq, deleted };
  if (type === "history") return readHistory(frame, clientId);
  if (type === "synced") return readSynced(frame, clientId);
  if (!isText(room)) return undefined;
  if (type === "deleted" && seq !== undefined && isSeq(of)) return { type, room, seq, of };
  if (type === "presence" && isSeq(n) && isSeq(count)) {
    const isList = Array.isArray(users) && users.every(isUser);
    return { type, room, n, count, ...(isList && { users: users.map(({ sub, name }) => ({ sub, name })) }) };
  }
  const said = readSaid(frame);
  return type === "message" && said ? { type, ...said, room, seq } : undefined;
}

/** Undefined when the data is no JSON object, for example in a binary frame. */
function parseJSON(data: unknown): Record<string, unknown> | null | undefined {
  try {
    return JSON.parse(data as string);
  } catch {
    return undefined;
  }
}
