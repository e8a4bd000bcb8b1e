/** A part of a text: plain, or a link to `href`. */
export interface Part {
  readonly text: string;
  readonly href?: string;
  /** The host that a link opens, when the text shows a different one. */
  readonly host?: string;
}

// Letters and punctuation of Chinese, Japanese and Korean. In these languages a sentence continues after an address
// without a space, so an address ends there.
const CJK =
  "\\u1100-\\u11ff\\u2e80-\\u9fff\\ua960-\\ua97f\\uac00-\\ud7ff\\uf900-\\ufaff\\ufe30-\\ufe4f" +
  "\\uff01-\\uff60\\uff62-\\uffef\\u{20000}-\\u{3ffff}";
// An address also ends at white space, and at characters that enclose or quote it.
const PLAIN = `[^\\s<>"'\`{}|\\\\^${CJK}]`;
// A host may have labels of any script, if it ends in Latin letters.
const HOST = "(?:(?:[\\p{L}\\p{N}-]+\\.)+[a-z]{2,})?";
// Inside brackets, where the end is clear, the path may have Chinese or Japanese parts.
const PART = "(?<=/)[\\p{sc=Han}\\p{sc=Kana}][^/\\s（）「」『』【】〈〉《》、。]*/?";
const ENCLOSED = `(?<=[（「『【〈《])https?://${HOST}${PLAIN}*(?:${PART})+(?=[）」』】〉》])`;
const ADDRESS = new RegExp(`${ENCLOSED}|\\bhttps?://${HOST}${PLAIN}*`, "giu");

/** The parts of a text. Addresses of the web become links, and nothing else does. */
export function parts(text: string): readonly Part[] {
  const found: Part[] = [];
  let end = 0;
  for (const match of text.matchAll(ADDRESS)) {
    const address = withoutPunctuation(match[0]);
    const url = webAddress(address);
    if (!url) continue;
    if (match.index > end) found.push({ text: text.slice(end, match.index) });
    found.push({ text: address, href: url.href, ...(!names(address, url.hostname) && { host: url.hostname }) });
    end = match.index + address.length;
  }
  if (end < text.length) found.push({ text: text.slice(end) });
  return found;
}

/** The address without the punctuation of its sentence. A closing bracket stays if the address has the opening one. */
function withoutPunctuation(address: string): string {
  let rest = address.replace(/[.,:;!?\uff61]+$/, "");
  while (rest.endsWith(")") && rest.split(")").length > rest.split("(").length)
    rest = rest.slice(0, -1).replace(/[.,:;!?]+$/, "");
  return rest;
}

function webAddress(address: string): URL | undefined {
  try {
    const url = new URL(address);
    // A user name before the host, also an empty one, makes an address look like one of another site.
    return /^https?:$/.test(url.protocol) && !/^[^/?#]*\/\/[^/?#]*@/.test(address) ? url : undefined;
  } catch {
    return undefined;
  }
}

/**
 * Whether an address shows, letter by letter, the host that a browser opens. Browsers change hosts before they open
 * them: letters of other scripts become xn--…, escapes and invisible characters disappear, numbers become addresses.
 */
function names(address: string, hostname: string): boolean {
  const [, host = ""] = /^https?:\/\/([^/?#]*)/i.exec(address) ?? [];
  return host.replace(/:\d*$/, "").toLowerCase() === hostname;
}
