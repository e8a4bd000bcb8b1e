import type { User } from "./state.js";

/** The last moment that a Date can hold, in Unix ms. A page that shows a later one breaks. */
const LATEST = 8.64e15;

/** A frame from the server, checked. */
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
  /** API Gateway's own: it could not serve the frame that it answers, and does not say which. */
  | { readonly type: "gateway" };

/** Reads a frame. Undefined when it is none that this client knows, as a newer server may send. */
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

/** A number that can be counted with: zero or more. */
export function isNumber(value: unknown): value is number {
  return Number.isFinite(value) && (value as number) >= 0;
}

export function isUser(value: unknown): value is User {
  const user = value as User | null | undefined;
  return isText(user?.sub) && isText(user.name);
}

/** Undefined when it is none, as with binary frames. */
function parseJSON(data: unknown): Record<string, unknown> | null | undefined {
  try {
    return JSON.parse(data as string);
  } catch {
    return undefined;
  }
}
