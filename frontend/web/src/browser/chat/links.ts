/** A part of a text: plain, or a link to `href`. */
export interface Part {
  readonly text: string;
  readonly href?: string;
  /** The host that a link opens, when the text writes it otherwise. */
  readonly host?: string;
}

// Ends at white space, at what encloses or quotes an address, and at Japanese punctuation, which no address in a
// sentence contains.
const ADDRESS = /\bhttps?:\/\/[^\s<>"'`{}|\\^、。，．！？「」『』（）【】〈〉《》]+/gi;

/** The parts of a text: addresses of the web become links, and nothing else does. */
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

/**
 * The address without the punctuation of the sentence around it; a closing bracket stays when it closes one of the
 * address's own.
 */
function withoutPunctuation(address: string): string {
  let rest = address.replace(/[.,:;!?]+$/, "");
  while (rest.endsWith(")") && rest.split(")").length > rest.split("(").length)
    rest = rest.slice(0, -1).replace(/[.,:;!?]+$/, "");
  return rest;
}

function webAddress(address: string): URL | undefined {
  try {
    const url = new URL(address);
    // A user name before the host makes an address look like one of another site, an empty one too.
    return /^https?:$/.test(url.protocol) && !/^[^/?#]*\/\/[^/?#]*@/.test(address) ? url : undefined;
  } catch {
    return undefined;
  }
}

/**
 * Whether an address shows, letter by letter, the host that a browser opens. Browsers change hosts before they open
 * them: letters of other scripts become xn--…, escapes and invisible characters go, numbers become addresses.
 */
function names(address: string, hostname: string): boolean {
  const [, host = ""] = /^https?:\/\/([^/?#]*)/i.exec(address) ?? [];
  return host.replace(/:\d*$/, "").toLowerCase() === hostname;
}
