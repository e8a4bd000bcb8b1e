import type { User } from "./state.js";

/** The last moment that a Date can hold, in Unix ms. A page that shows a later one breaks. */
const LATEST = 8.64e15;

/** A checked frame from the server. */
export type Frame =
  | {
      readonly type: "message";
      readonly id: string;
      readonly room: string;
      readonly from: User;
      readonly message: string;
      readonly sentAt: number;
    }
  | { readonly type: "ack"; readonly id: string; readonly clientId: string | undefined }
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
  const { type, id, room, from, message, sentAt, code } = frame;
  const clientId = isText(frame.clientId) ? frame.clientId : undefined;
  const retryAfterMs = isNumber(frame.retryAfterMs) ? frame.retryAfterMs : undefined;
  if (type === "pong") return { type };
  if (type === undefined && isText(frame.requestId)) return { type: "gateway" };
  if (isText(code)) {
    if (type === "error") return { type, code, clientId, retryAfterMs };
    if (type === "bye") return { type, code };
  }
  if (isText(id)) {
    if (type === "ack") return { type, id, clientId };
    if (type === "message" && isText(room) && isUser(from) && isText(message) && isNumber(sentAt) && sentAt <= LATEST)
      return { type, id, room, from: { sub: from.sub, name: from.name }, message, sentAt };
  }
  return undefined;
}

export function isText(value: unknown): value is string {
  return typeof value === "string";
}

/** A finite number, zero or more. */
export function isNumber(value: unknown): value is number {
  return Number.isFinite(value) && (value as number) >= 0;
}

export function isUser(value: unknown): value is User {
  const user = value as User | null | undefined;
  return isText(user?.sub) && isText(user.name);
}

/** Undefined when the data is no JSON object, for example in a binary frame. */
function parseJSON(data: unknown): Record<string, unknown> | null | undefined {
  try {
    return JSON.parse(data as string);
  } catch {
    return undefined;
  }
}
