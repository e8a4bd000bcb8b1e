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

/** A secret: 32 random bytes in base64url. */
export function newSecret(): string {
  return random(32);
}

/** Random bytes in base64url: a name that nothing else has. */
export function random(bytes: number): string {
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

function base64url(bytes: Uint8Array): string {
  return btoa(String.fromCharCode(...bytes)).replace(/\W/g, (sign) => ({ "+": "-", "/": "_" })[sign] ?? "");
}
