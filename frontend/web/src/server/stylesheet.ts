import { readFileSync } from "node:fs";
import path from "node:path";

/**
 * The page's styles, to be written into the page with its nonce. They are not imported: Next.js would make a file of
 * them, which is one more request, or with `inlineCss` an element without a nonce, which the policy refuses.
 */
export function styleSheet(): string {
  return readFileSync(path.join(process.cwd(), "src/style.css"), "utf8");
}
