/** The members of a message that counting needs. */
export interface Countable {
  readonly id: string;
  readonly clientId?: string;
  readonly own: boolean;
}

/** How far the user has read in a room. */
export interface Reading {
  /** The key of the last message that the user has read. */
  readonly last: string | undefined;
  /** The key of the message below the divider. */
  readonly divider: string | undefined;
  /** Messages of others after the last one read. */
  readonly unread: number;
}

export const nothingRead: Reading = { last: undefined, divider: undefined, unread: 0 };

/** The key of a message. It never changes. */
export function keyOf({ clientId, id }: Countable): string {
  return clientId ?? id;
}

/** The reading position in a room whose last messages are being read. */
export const opening: Reading = { ...nothingRead };

/** The reading position of a user who comes into a room: the earlier messages are not new. */
export function readBefore(messages: readonly Countable[]): Reading {
  const last = messages.at(-1);
  return { ...nothingRead, last: last && keyOf(last) };
}

/**
 * The reading position after messages arrived, or after the user came or went. A user at the end of the list has read
 * everything. The divider appears with the first missed message. It stays until another message is missed, or the user
 * writes.
 */
export function read(reading: Reading, messages: readonly Countable[], isReading: boolean): Reading {
  const after = messages.findLastIndex((message) => keyOf(message) === reading.last) + 1;
  const fresh = messages.slice(after);
  const missed = fresh.filter((message) => !message.own);
  const wrote = missed.length < fresh.length && isReading;
  const next: Reading = isReading
    ? {
        last: messages.length > 0 ? keyOf(messages[messages.length - 1]!) : reading.last,
        divider: wrote ? undefined : reading.divider,
        unread: 0,
      }
    : {
        last: reading.last,
        divider: reading.unread === 0 && missed[0] ? keyOf(missed[0]) : reading.divider,
        unread: missed.length,
      };
  return next.last === reading.last && next.divider === reading.divider && next.unread === reading.unread
    ? reading
    : next;
}
