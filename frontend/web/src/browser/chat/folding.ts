/** The number of lines that a message shows at first. style.css has the same number. */
export const LINES = 12;

/** The smallest number of characters that fit into a line, in the narrowest list. */
const NARROWEST = 10;

/** Whether a text may need more lines than a message shows at first. */
export function mayBeLong(text: string): boolean {
  return text.length > LINES * NARROWEST || text.split(/[\n\u2028\u2029]/).length > LINES;
}
