/** How long a message may be, in code points, and a frame, in bytes of UTF-8. A Japanese character has three bytes. */
export const MAX_CHARACTERS = 2000;
export const MAX_FRAME_BYTES = 4096;

/** Why a message cannot be sent. */
export type SendErrorCode =
  /** No visible character. */
  | "empty"
  /** More than 2,000 characters, or a frame of more than 4,096 bytes. */
  | "too_large"
  /** More than 40 line breaks. */
  | "too_many_lines"
  /**
   * Control characters, direction overrides, halves of surrogate pairs, or more than 4 combining marks on a character.
   */
  | "bad_characters"
  /** Not one of the client's rooms. */
  | "room_not_allowed"
  /** 100 messages wait already, or have failed and were neither sent again nor discarded. */
  | "outbox_full";

/** Thrown by `send`, before anything was sent. */
export class SendError extends Error {
  override readonly name = "SendError";
  constructor(readonly code: SendErrorCode) {
    super(`message not sent: ${code}`);
  }
}

// As the server's rules for text, shared/text: its table of cases is tested here, too. The line feed is the only
// control character that may be there. Characters of zero width between combining marks do not end the pile.
const FORBIDDEN =
  /[\0-\x09\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069\p{Cs}]|(?:(?![\p{Cf}\p{DI}])\p{M}[\p{Cf}\p{DI}]*){5}/u;
const VISIBLE = /[^\p{White_Space}\p{M}\p{Cf}\p{DI}\u2800\u{1d159}\u{13441}\u{13442}\ufffc]/u;
const LINES = /[\n\u2028\u2029]/;
const MAX_BREAKS = 40;

/** The text as it is sent: lines end in a line feed, a tab is four spaces, characters are composed (form C). */
export function cleanText(text: string): string {
  return text.replace(/\r\n?/g, "\n").replaceAll("\t", "    ").normalize("NFC");
}

/** Why the server would refuse a clean text; undefined when it would not. */
export function checkText(text: string, room?: string): SendErrorCode | undefined {
  if (!VISIBLE.test(text)) return "empty";
  if (FORBIDDEN.test(text)) return "bad_characters";
  if (text.split(LINES).length - 1 > MAX_BREAKS) return "too_many_lines";
  // Ids have 36 characters; a room that is not known yet has 32 at most.
  const frame = sendFrame(text, room ?? "r".repeat(32), "i".repeat(36));
  const bytes = new TextEncoder().encode(frame).length;
  return bytes > MAX_FRAME_BYTES || [...text].length > MAX_CHARACTERS ? "too_large" : undefined;
}

/** The frame that sends a message. */
export function sendFrame(message: string, room: string | undefined, id: string): string {
  return JSON.stringify({ action: "sendmessage", message, room, id });
}
