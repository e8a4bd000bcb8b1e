const BASE32 = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";

/** A secret that stays in this page, and its hash, which goes into the signed URL. */
export interface Proof {
  readonly verifier: string;
  readonly challenge: string;
}

/** A new proof of possession: 32 random bytes in base64url, and base64url of the SHA-256 of that text. */
export async function newProof(sha256: (text: string) => Promise<Uint8Array>): Promise<Proof> {
  const verifier = newSecret();
  return { verifier, challenge: base64url(await sha256(verifier)) };
}

/**
 * The name of one client object: 16 random bytes in base64url. By this name the server finds the predecessor of a
 * connection.
 */
export function newInstance(): string {
  return random(16);
}

/** A secret: 32 random bytes in base64url. */
export function newSecret(): string {
  return random(32);
}

function random(bytes: number): string {
  return base64url(crypto.getRandomValues(new Uint8Array(bytes)));
}

/**
 * The first 26 letters of base32 of SHA-256 of some texts, each behind a zero byte. Of `sub`, room and the client's own
 * id of a message this is the server's id of the message. In small letters, that of a room and `sub` names a user.
 */
export async function idOf(
  sha256: (text: string) => Promise<Uint8Array>,
  ...texts: readonly (string | undefined)[]
): Promise<string> {
  const digest = await sha256(texts.join("\0"));
  let id = "";
  for (let bit = 0; bit < 130; bit += 5) {
    const at = bit >> 3;
    id += BASE32[(((digest[at]! << 8) | digest[at + 1]!) >> (11 - (bit & 7))) & 31];
  }
  return id;
}

/** A UUID of version 7 (RFC 9562): it sorts by the time it was made. */
export function uuidv7(unixMs: number): string {
  const bytes = crypto.getRandomValues(new Uint8Array(10));
  const hex = Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
  const time = unixMs.toString(16).padStart(12, "0");
  return `${time}7${hex.slice(1, 4)}8${hex.slice(5)}`.replace(/^(.{8})(.{4})(.{4})(.{4})/, "$1-$2-$3-$4-");
}

function base64url(bytes: Uint8Array): string {
  return btoa(String.fromCharCode(...bytes)).replace(/\W/g, (sign) => ({ "+": "-", "/": "_" })[sign] ?? "");
}
