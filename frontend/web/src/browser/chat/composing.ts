import { checkText, cleanText, MAX_CHARACTERS, MAX_FRAME_BYTES, type SendErrorCode } from "@signedsocket/client";

/** The members of a key event that React and the DOM share. */
export interface Key {
  readonly key: string;
  readonly shiftKey: boolean;
  readonly keyCode: number;
  readonly isComposing: boolean;
}

/**
 * Whether a key sends the message. Enter does. Shift + Enter starts a new line. During a conversion (Japanese input)
 * Enter only confirms the conversion. Safari ends the composition before the event of this Enter, but gives it the key
 * code 229.
 */
export function sends({ key, shiftKey, keyCode, isComposing }: Key): boolean {
  return key === "Enter" && !shiftKey && !isComposing && keyCode !== 229;
}

/** The share of the limit that a text uses. */
export interface Size {
  /** Bytes of the text in its JSON frame. */
  readonly bytes: number;
  readonly mostBytes: number;
  /** Whether to show the share: from three quarters on. */
  readonly noteworthy: boolean;
  readonly problem: SendErrorCode | undefined;
}

/** The size of a text in a room. */
export function sizeOf(text: string, room: string): Size {
  const clean = cleanText(text);
  const frame = (message: string) =>
    new TextEncoder().encode(JSON.stringify({ action: "sendmessage", message, room, id: "i".repeat(36) })).length;
  const mostBytes = MAX_FRAME_BYTES - frame("");
  const bytes = frame(clean) - frame("");
  const noteworthy = bytes > 0.75 * mostBytes || [...clean].length > 0.75 * MAX_CHARACTERS;
  return { bytes, mostBytes, noteworthy, problem: checkText(clean, room) };
}
