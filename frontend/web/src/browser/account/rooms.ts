/** At most so many rooms can be entered at once. */
const MOST = 8;

/** The rooms that an access token's claim lists, read as `signurl` reads them: a list, or text with spaces or commas between the names. */
export function claimedRooms(accessToken: string, claim: string): readonly string[] {
  const value = claims(accessToken)[claim];
  const names: unknown[] = Array.isArray(value) ? value : String(value ?? "").split(/[ ,]+/);
  const rooms = names.filter((name): name is string => typeof name === "string" && /^[a-z0-9_-]{1,32}$/.test(name));
  return [...new Set(rooms)].slice(0, MOST);
}

/** The claims of a token. Nothing is believed: whoever changes them here sees rooms that `signurl` refuses. */
function claims(token: string): Record<string, unknown> {
  try {
    const base64 = (token.split(".")[1] ?? "").replaceAll("-", "+").replaceAll("_", "/");
    const bytes = Uint8Array.from(atob(base64), (character) => character.charCodeAt(0));
    return (JSON.parse(new TextDecoder().decode(bytes)) as Record<string, unknown> | null) ?? {};
  } catch {
    return {};
  }
}
