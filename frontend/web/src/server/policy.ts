/** The inputs of the policy of a page. */
export interface PolicyOptions {
  /** The one-time mark of the page's own scripts and styles. */
  readonly nonce: string;
  /** Origins besides its own that the page may talk to. */
  readonly connect: readonly string[];
  /** Whether browsers see the page at an https address. */
  readonly https: boolean;
  /** `next dev` evaluates code, and styles its error overlay. */
  readonly development: boolean;
}

/** The Content-Security-Policy of a page: it allows scripts and styles with the nonce, and what such scripts load. */
export function contentSecurityPolicy({ nonce, connect, https, development }: PolicyOptions): string {
  const directives = [
    "default-src 'none'",
    `script-src 'nonce-${nonce}' 'strict-dynamic'${development ? " 'unsafe-eval'" : ""}`,
    development ? "style-src 'self' 'unsafe-inline'" : `style-src 'nonce-${nonce}'`,
    "img-src data:",
    ["connect-src 'self'", ...new Set(connect)].join(" "),
    "object-src 'none'",
    "base-uri 'none'",
    // A script sends the only form. A form from a message must lead nowhere.
    "form-action 'none'",
    "frame-ancestors 'none'",
  ];
  if (development) directives.push("font-src 'self'");
  else directives.push("require-trusted-types-for 'script'", "trusted-types nextjs#bundler");
  if (https) directives.push("upgrade-insecure-requests");
  return directives.join("; ");
}

/** A nonce: 128 random bits. */
export function newNonce(): string {
  return Buffer.from(crypto.getRandomValues(new Uint8Array(16))).toString("base64");
}
