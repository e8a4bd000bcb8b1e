import { claimsOf } from "./token";

/** The largest number of rooms that a user can enter at once. */
const MOST = 8;

/**
 * The rooms in a claim of an access token, read as `signurl` reads them (functions/signurl/testdata/roomsclaim.json).
 * The claim is a list of texts or one text. Each text is one room: it is not split. A text that is no name of a room
 * opens none.
 */
export function claimedRooms(accessToken: string, claim: string): readonly string[] {
  const value = claimsOf(accessToken)[claim];
  const names: unknown[] = Array.isArray(value) ? value : [value];
  if (!names.every((name) => typeof name === "string")) return [];
  return [...new Set(names.filter((name) => /^[a-z0-9_-]{1,32}$/.test(name)))].slice(0, MOST);
}
