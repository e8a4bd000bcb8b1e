/** A part of a text: plain, or a link to `href`. */
export interface Part {
  readonly text: string;
  readonly href?: string;
}

// Ends at white space, at what encloses or quotes an address, and at Japanese punctuation, which no address in a sentence contains.
const ADDRESS = /\bhttps?:\/\/[^\s<>"'`{}|\\^、。，．！？「」『』（）【】〈〉《》]+/gi;

/** The parts of a text: addresses of the web become links, and nothing else does. */
export function parts(text: string): readonly Part[] {
  const found: Part[] = [];
  let end = 0;
  for (const match of text.matchAll(ADDRESS)) {
    const address = withoutPunctuation(match[0]);
    const href = webAddress(address);
    if (!href) continue;
    if (match.index > end) found.push({ text: text.slice(end, match.index) });
    found.push({ text: address, href });
    end = match.index + address.length;
  }
  if (end < text.length) found.push({ text: text.slice(end) });
  return found;
}

/** The address without the punctuation of the sentence around it; a closing bracket stays when it closes one of the address's own. */
function withoutPunctuation(address: string): string {
  let rest = address.replace(/[.,:;!?]+$/, "");
  while (rest.endsWith(")") && rest.split(")").length > rest.split("(").length) rest = rest.slice(0, -1).replace(/[.,:;!?]+$/, "");
  return rest;
}

function webAddress(address: string): string | undefined {
  try {
    const { protocol, href, username, password } = new URL(address);
    // A user name before the host makes an address look like one of another site.
    return /^https?:$/.test(protocol) && !username && !password ? href : undefined;
  } catch {
    return undefined;
  }
}
