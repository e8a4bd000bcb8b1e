import type { User } from "./state.js";

/** The wanted part of the log of a room: exactly one of `after`, `before` and `last`. */
export interface Want {
  readonly after?: number;
  readonly before?: number;
  readonly last?: number;
  /** With `before`: the number of entries. */
  readonly limit?: number;
}

/** A message of a user. */
export interface Said {
  readonly id: string;
  readonly from: User;
  readonly message: string;
  readonly sentAt: number;
}

/** An entry of a log. One of a kind that this client does not know has a number and nothing else that counts. */
export interface LogEntry extends Partial<Said> {
  readonly seq: number;
  /** The message was deleted. Nothing but its id is known. */
  readonly deleted?: boolean;
  /** The number of a message that was deleted. */
  readonly of?: number;
  /** The hash of a user whose messages, up to here, were erased. */
  readonly erased?: string;
}

/** A part of the log of a room without a hole. It repeats the want that it answers. */
export interface HistoryFrame extends Want {
  readonly type: "history";
  readonly clientId?: string | undefined;
  readonly room: string;
  readonly entries: readonly LogEntry[];
  /** The newest number in the log, 0 for an empty one. */
  readonly head: number;
  /** With `after`: nothing is missing directly behind it. */
  readonly complete: boolean;
  /** The log has more entries in the wanted direction. */
  readonly more: boolean;
  /** For how many days messages are kept; 0 when they are not kept at all. */
  readonly keepDays: number;
  /** The number up to which the user has read, on any device; 0 when the server does not know. */
  readonly read: number;
}

/** Numbers in the logs of rooms, by room. */
export type Numbers = Readonly<Record<string, number>>;

/** Answers the wants with `after` for which there is nothing new. */
export interface SyncedFrame {
  readonly type: "synced";
  readonly clientId?: string | undefined;
  readonly heads: Numbers;
  /** As in a history frame, by room. */
  readonly read: Numbers;
}
