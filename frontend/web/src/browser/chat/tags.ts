import type { User } from "@signedsocket/client";

/** The shortest length of a tag. */
const SHORTEST = 4;

// Letters of other scripts that look like a Latin one, by that letter in lower case.
const LOOKALIKES: Readonly<Record<string, string>> = Object.fromEntries(
  [
    "аa",
    "вb",
    "сc",
    "еe",
    "нh",
    "іi",
    "ӏl",
    "јj",
    "кk",
    "мm",
    "оo",
    "рp",
    "ԛq",
    "ѕs",
    "тt",
    "уy",
    "хx",
    "ԝw",
    "αa",
    "βb",
    "εe",
    "ιi",
    "κk",
    "νv",
    "οo",
    "ρp",
    "τt",
    "υu",
    "χx",
    "ıi",
    "0o",
    "1l",
  ].map(([from = "", to = ""]) => [from, to]),
);

/** Short tags of users whose name equals, or looks like, the name of another user; by their ids. */
export function tagsOf(users: Iterable<User>): ReadonlyMap<string, string> {
  const byName = new Map<string, Set<string>>();
  for (const { sub, name } of users) {
    const look = lookOf(name);
    byName.set(look, (byName.get(look) ?? new Set()).add(sub));
  }
  const tags = new Map<string, string>();
  for (const subs of byName.values()) {
    if (subs.size > 1) for (const [sub, tag] of distinct([...subs])) tags.set(sub, tag);
  }
  return tags;
}

/** The look of a name: without invisible characters, accents, and the difference between letters that look alike. */
function lookOf(name: string): string {
  const plain = name
    .normalize("NFKD")
    .toLowerCase()
    .replace(/[\p{M}\p{Cf}\p{DI}\p{White_Space}]/gu, "");
  return Array.from(plain, (letter) => LOOKALIKES[letter] ?? letter).join("");
}

/**
 * A tag for each id. All tags have the length that tells them apart. Ids that no tag tells apart are their own tags.
 */
function distinct(subs: readonly string[]): readonly (readonly [string, string])[] {
  const hashes = subs.map(hashOf);
  for (let length = SHORTEST; length <= 10; length++) {
    const tags = hashes.map((hash) => hash.slice(0, length));
    if (new Set(tags).size === subs.length) return subs.map((sub, i) => [sub, `#${tags[i]}`]);
  }
  return subs.map((sub) => [sub, `#${sub}`]);
}

/** Ten letters and digits of an id. They are no secret and no protection: an attacker finds an id with a given hash. */
function hashOf(sub: string): string {
  let [high, low] = [0xdeadbeef, 0x41c6ce57];
  for (const character of sub) {
    const code = character.codePointAt(0)!;
    high = Math.imul(high ^ code, 2654435761);
    low = Math.imul(low ^ code, 1597334677);
  }
  high = Math.imul(high ^ (high >>> 16), 2246822507) ^ Math.imul(low ^ (low >>> 13), 3266489909);
  low = Math.imul(low ^ (low >>> 16), 2246822507) ^ Math.imul(high ^ (high >>> 13), 3266489909);
  return (4294967296 * (2097151 & low) + (high >>> 0)).toString(36).padStart(11, "0").slice(-10);
}
