import { readFileSync } from "node:fs";
import path from "node:path";

/**
 * The styles of the page, written into the page with its nonce. They are not imported: Next.js would make a separate
 * file, which is one more request. With `inlineCss` it would make an element without a nonce, which the policy refuses.
 */
export function styleSheet(): string {
  return readFileSync(path.join(process.cwd(), "src/style.css"), "utf8");
}
