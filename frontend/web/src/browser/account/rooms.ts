import { claimsOf } from "./token";

/** The largest number of rooms that a user can enter at once. */
const MOST = 8;

/**
 * The names of the rooms in a claim of an access token, read as `signurl` reads them
 * (functions/signurl/testdata/roomsclaim.json). The claim is a list of texts or one text. Each text is one right as a
 * whole, `room` or `room:r` for a room to read: it is not split at spaces or commas. A text that is no right opens no
 * room.
 */
export function claimedRooms(accessToken: string, claim: string): readonly string[] {
  const value = claimsOf(accessToken)[claim];
  const names: unknown[] = Array.isArray(value) ? value : [value];
  if (!names.every((name) => typeof name === "string")) return [];
  const rights = names.filter((name) => /^[a-z0-9_-]{1,32}(:r)?$/.test(name));
  return [...new Set(rights.map((right) => right.replace(":r", "")))].slice(0, MOST);
}
