const BASE32 = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";

/** A secret that stays in this page, and its hash, which goes into the signed URL. */
export interface Proof {
  readonly verifier: string;
  readonly challenge: string;
}

/** A fresh proof of possession: 32 random bytes in base64url, and base64url of the SHA-256 of that text. */
export async function newProof(sha256: (text: string) => Promise<Uint8Array>): Promise<Proof> {
  const verifier = newSecret();
  return { verifier, challenge: base64url(await sha256(verifier)) };
}

/**
 * The name of one client object, by which the server knows a connection's predecessor: 16 random bytes in base64url.
 */
export function newInstance(): string {
  return random(16);
}

/** A secret that nobody can guess: 32 random bytes in base64url. */
export function newSecret(): string {
  return random(32);
}

function random(bytes: number): string {
  return base64url(crypto.getRandomValues(new Uint8Array(bytes)));
}

/**
 * The id that the server derives for a message of `sub` in a room under the client's own id: base32 of SHA-256, 26
 * letters.
 */
export async function messageId(
  sha256: (text: string) => Promise<Uint8Array>,
  sub: string,
  room = "",
  clientId: string,
): Promise<string> {
  const digest = await sha256(`${sub}\0${room}\0${clientId}`);
  let id = "";
  let bits = 0;
  let buffer = 0;
  for (const byte of digest) {
    buffer = ((buffer << 8) | byte) & 0xfff;
    for (bits += 8; bits >= 5 && id.length < 26; bits -= 5) id += BASE32[(buffer >> (bits - 5)) & 31];
  }
  return id;
}

/** A UUID of version 7 (RFC 9562): it sorts by the time it was made. */
export function uuidv7(unixMs: number): string {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  for (let i = 0; i < 6; i++) bytes[i] = Math.floor(unixMs / 2 ** (40 - 8 * i));
  bytes[6] = (bytes[6]! & 0x0f) | 0x70;
  bytes[8] = (bytes[8]! & 0x3f) | 0x80;
  const hex = Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
  return hex.replace(/^(.{8})(.{4})(.{4})(.{4})/, "$1-$2-$3-$4-");
}

function base64url(bytes: Uint8Array): string {
  return btoa(String.fromCharCode(...bytes))
    .replaceAll("+", "-")
    .replaceAll("/", "_")
    .replaceAll("=", "");
}
