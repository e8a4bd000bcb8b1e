import { cleanName } from "@signedsocket/client";

// Control characters.
const CONTROL = /[\0-\x1f\x7f-\x9f\p{Cs}]/u;

/**
 * Whether the chat takes the sub of an issuer unchanged: 1 to 255 bytes without control characters. The chat makes user
 * ids from the sub only.
 */
export function validSubject(sub: string): boolean {
  return sub !== "" && Buffer.byteLength(sub) <= 255 && !CONTROL.test(sub);
}

/** Whether the value of a claim makes its user a moderator: `true` or `"true"`, as for `signurl`. */
export function isModerator(claim: unknown): boolean {
  return claim === true || claim === "true";
}

/**
 * A display name in the form that the chat takes: repaired, and cut to 128 bytes. Undefined lets the chat show a short
 * form of the user id.
 */
export function displayName(name: unknown): string | undefined {
  return typeof name === "string" ? cleanName(name) : undefined;
}
