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
  /** More than 4 combining marks on a character. */
  | "bad_characters"
  /** Not one of the client's rooms. */
  | "room_not_allowed"
  /** The user may not write in this room. */
  | "read_only"
  /** 100 messages wait already, or have failed and were neither sent again nor discarded. */
  | "outbox_full";

/** Thrown by `send` before it sends. */
export class SendError extends Error {
  override readonly name = "SendError";
  constructor(readonly code: SendErrorCode) {
    super(code);
  }
}

// The same rules for text as the server (shared/text), whose table of cases is tested here, too. The line feed is the
// only allowed control character. Characters of zero width between combining marks do not end the pile.
const FORBIDDEN = /[\0-\x09\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069\p{Cs}]/gu;
const PILED = /(?:(?![\p{Cf}\p{DI}])\p{M}[\p{Cf}\p{DI}]*){5}/u;
const VISIBLE = /[^\p{White_Space}\p{M}\p{Cf}\p{DI}\u2800\u{1d159}\u{13441}\u{13442}\ufffc]/u;
const LINE_END = /\r\n?|[\v\f\x85\u2028\u2029]/g;
const MAX_BREAKS = 40;

/**
 * The text in the form in which it is sent: lines end in a line feed, a tab is four spaces, characters are composed
 * (form C). The server refuses control characters, direction controls and halves of surrogate pairs, so they are left
 * out.
 */
export function cleanText(text: string): string {
  return text.replace(LINE_END, "\n").replaceAll("\t", "    ").replace(FORBIDDEN, "").normalize("NFC");
}

/** Why the server would refuse a clean text, or undefined. */
export function checkText(text: string, room?: string): SendErrorCode | undefined {
  if (!VISIBLE.test(text)) return "empty";
  if (PILED.test(text)) return "bad_characters";
  if (text.split("\n").length - 1 > MAX_BREAKS) return "too_many_lines";
  // Ids have 36 characters. A room that is not known yet has at most 32.
  const frame = sendFrame(text, room ?? "r".repeat(32), "i".repeat(36));
  return bytesOf(frame) > MAX_FRAME_BYTES || [...text].length > MAX_CHARACTERS ? "too_large" : undefined;
}

/** How long a name may be, in bytes of UTF-8. */
const MAX_NAME_BYTES = 128;

/**
 * A name in the form that the server takes: one clean line, cut after 128 bytes between two characters. Undefined when
 * nothing is left.
 */
export function cleanName(name: string): string | undefined {
  let clean = "";
  for (const { segment } of new Intl.Segmenter().segment(
    cleanText(name)
      .replace(/\n+| {4}/g, " ")
      .trim(),
  )) {
    if (bytesOf(clean + segment) > MAX_NAME_BYTES) break;
    clean += segment;
  }
  clean = clean.trim();
  return checkText(clean) ? undefined : clean;
}

function bytesOf(text: string): number {
  return new TextEncoder().encode(text).length;
}

/** The frame that deletes the message with a number. */
export function deleteFrame(room: string, seq: number, id: string): string {
  return JSON.stringify({ action: "delete", room, seq, id });
}

/**
 * The frame that sends a message. `after` is the number up to which the log does not have it. The frame of a very long
 * message has no room for that. The server then looks at the end of the log only.
 */
export function sendFrame(message: string, room: string | undefined, id: string, after?: number): string {
  const frame = JSON.stringify({ action: "sendmessage", message, room, id, after });
  return after !== undefined && bytesOf(frame) > MAX_FRAME_BYTES ? sendFrame(message, room, id) : frame;
}
