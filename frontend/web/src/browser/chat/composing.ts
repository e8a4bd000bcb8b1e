import { checkText, cleanText, MAX_CHARACTERS, MAX_FRAME_BYTES, type SendErrorCode } from "@signedsocket/client";

/** What a key event tells; React's and the DOM's have it. */
export interface Key {
  readonly key: string;
  readonly shiftKey: boolean;
  readonly keyCode: number;
  readonly isComposing: boolean;
}

/**
 * Whether a key sends the message: Enter does, with Shift it starts a new line, and while a conversion is under way
 * (Japanese input) it only confirms that. Safari ends the composition before it tells of this Enter, but gives it the
 * key code 229.
 */
export function sends({ key, shiftKey, keyCode, isComposing }: Key): boolean {
  return key === "Enter" && !shiftKey && !isComposing && keyCode !== 229;
}

/** How much of what may be sent at once a text takes. */
export interface Size {
  /** Bytes that the text takes on its way, as part of a JSON frame. */
  readonly bytes: number;
  readonly mostBytes: number;
  /** Whether it is worth telling: three quarters are used. */
  readonly noteworthy: boolean;
  readonly problem: SendErrorCode | undefined;
}

/** The size of a text for a room. */
export function sizeOf(text: string, room: string): Size {
  const clean = cleanText(text);
  const frame = (message: string) =>
    new TextEncoder().encode(JSON.stringify({ action: "sendmessage", message, room, id: "i".repeat(36) })).length;
  const mostBytes = MAX_FRAME_BYTES - frame("");
  const bytes = frame(clean) - frame("");
  const noteworthy = bytes > 0.75 * mostBytes || [...clean].length > 0.75 * MAX_CHARACTERS;
  return { bytes, mostBytes, noteworthy, problem: checkText(clean, room) };
}
