/** As many lines of a message are shown at first; style.css says so, too. */
export const LINES = 12;

/** The fewest characters that a line has room for, in the narrowest list. */
const NARROWEST = 10;

/** Whether a text may need more lines than are shown at first. */
export function mayBeLong(text: string): boolean {
  return text.length > LINES * NARROWEST || text.split(/[\n\u2028\u2029]/).length > LINES;
}
