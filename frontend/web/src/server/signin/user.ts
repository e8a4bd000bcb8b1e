import { createHash } from "node:crypto";

/** The user id that the chat has for the user whom an issuer calls `sub`: the same as with the user's own token, in mode jwt. */
export function userId(issuer: string, sub: string): string {
  if (/^[A-Za-z0-9_-]{1,64}$/.test(sub) && !sub.startsWith("guest-")) return sub;
  return createHash("sha256").update(issuer).update(sub).digest("base64url").slice(0, 32);
}

// Control characters, and those that change the direction of the text after them.
const FORBIDDEN = /[\0-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069\p{Cs}]/u;

/** A display name as the chat takes it: one clean line of at most 64 bytes. Undefined lets the chat show a short form of the user id. */
export function displayName(name: unknown): string | undefined {
  if (typeof name !== "string") return undefined;
  const clean = name.trim().normalize("NFC");
  return clean !== "" && !FORBIDDEN.test(clean) && Buffer.byteLength(clean) <= 64 ? clean : undefined;
}
