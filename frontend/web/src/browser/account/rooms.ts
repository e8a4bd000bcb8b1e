import { claimsOf } from "./token";

/** At most so many rooms can be entered at once. */
const MOST = 8;

/**
 * The rooms that an access token's claim lists, read as `signurl` reads them
 * (functions/signurl/testdata/roomsclaim.json): a list of texts, or one text, each of which is a room as a whole.
 * Nothing is split, and what is no room's name opens none.
 */
export function claimedRooms(accessToken: string, claim: string): readonly string[] {
  const value = claimsOf(accessToken)[claim];
  const names: unknown[] = Array.isArray(value) ? value : [value];
  if (!names.every((name) => typeof name === "string")) return [];
  return [...new Set(names.filter((name) => /^[a-z0-9_-]{1,32}$/.test(name)))].slice(0, MOST);
}
