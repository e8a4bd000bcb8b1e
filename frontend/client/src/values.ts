import type { User } from "./state.js";

export function isText(value: unknown): value is string {
  return typeof value === "string";
}

/** A finite number, zero or more. */
export function isNumber(value: unknown): value is number {
  return Number.isFinite(value) && (value as number) >= 0;
}

/** The number of an entry in the log of a room, or 0. */
export function isSeq(value: unknown): value is number {
  return Number.isSafeInteger(value) && isNumber(value);
}

export function isUser(value: unknown): value is User {
  const user = value as User | null | undefined;
  return isText(user?.sub) && isText(user.name);
}
