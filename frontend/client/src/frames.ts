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
  const frame = parseObject(data);
  switch (frame?.type) {
    case "message": {
      const { id, room, from, message, sentAt } = frame;
      if (!isText(id) || !isText(room) || !isUser(from) || !isText(message) || !isNumber(sentAt) || sentAt > LATEST)
        return undefined;
      return { type: "message", id, room, from: { sub: from.sub, name: from.name }, message, sentAt };
    }
    case "ack":
      if (!isText(frame.id)) return undefined;
      return { type: "ack", id: frame.id, clientId: isText(frame.clientId) ? frame.clientId : undefined };
    case "error": {
      const { code, clientId, retryAfterMs } = frame;
      if (!isText(code)) return undefined;
      return {
        type: "error",
        code,
        clientId: isText(clientId) ? clientId : undefined,
        retryAfterMs: isNumber(retryAfterMs) ? retryAfterMs : undefined,
      };
    }
    case "bye":
      return isText(frame.code) ? { type: "bye", code: frame.code } : undefined;
    case "pong":
      return { type: "pong" };
    case undefined:
      return frame && isText(frame.requestId) ? { type: "gateway" } : undefined;
    default:
      return undefined;
  }
}

export function isText(value: unknown): value is string {
  return typeof value === "string";
}

/** A number that can be counted with: zero or more. */
export function isNumber(value: unknown): value is number {
  return typeof value === "number" && value >= 0 && value < Infinity;
}

export function isUser(value: unknown): value is User {
  const user = value as User | null;
  return typeof user === "object" && user !== null && isText(user.sub) && isText(user.name);
}

function parseObject(data: unknown): Record<string, unknown> | undefined {
  if (!isText(data)) return undefined;
  try {
    const value: unknown = JSON.parse(data);
    return typeof value === "object" && value !== null ? (value as Record<string, unknown>) : undefined;
  } catch {
    return undefined;
  }
}
