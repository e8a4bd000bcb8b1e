/** The members of a message that counting needs. */
export interface Countable {
  readonly id: string;
  readonly clientId?: string;
  readonly own: boolean;
  /** Its number in the room, if the server remembers. */
  readonly seq?: number;
  readonly deleted?: boolean;
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

/**
 * The reading position of a user who comes into a room. `upto` is the number up to which the user has read, on any
 * device. If the server does not know, the earlier messages are not new.
 */
export function readBefore(messages: readonly Countable[], upto?: number): Reading {
  const last = messages.findLast(({ seq }) => upto === undefined || seq! <= upto);
  const first = last && messages.slice(messages.indexOf(last) + 1).find(isNew);
  return { ...nothingRead, last: last && keyOf(last), divider: first && keyOf(first) };
}

/** The reading position after the user has read up to a number on another device. */
export function readElsewhere(reading: Reading, messages: readonly Countable[], upto: number): Reading {
  const index = messages.findLastIndex(({ seq }) => seq! <= upto);
  const before = messages.findLastIndex((message) => keyOf(message) === reading.last);
  return index > before ? { ...reading, last: keyOf(messages[index]!) } : reading;
}

/** Whether a message counts as unread when it is behind the last one read. */
function isNew({ own, deleted }: Countable): boolean {
  return !own && !deleted;
}

/**
 * The reading position after messages arrived, or after the user came or went. A user at the end of the list has read
 * everything. The divider appears with the first missed message. It stays until another message is missed, or the user
 * writes.
 */
export function read(reading: Reading, messages: readonly Countable[], isReading: boolean): Reading {
  const after = messages.findLastIndex((message) => keyOf(message) === reading.last) + 1;
  const fresh = messages.slice(after);
  const missed = fresh.filter(isNew);
  const wrote = isReading && fresh.some(({ own }) => own);
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
