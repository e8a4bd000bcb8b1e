/** What a user may do in one room, as the answer of `signurl` tells it. */
export interface Right {
  readonly room: string;
  /** The user may only read there. Left out where the user may also write. */
  readonly readOnly?: true;
}

/**
 * The rights in texts of the form `room`, or `room:r` for a room to read. Each room is there once. It is read only if
 * one of its texts says so, as for `signurl`.
 */
export function rightsOf(texts: readonly string[]): readonly Right[] {
  const rights = new Map<string, Right>();
  for (const text of texts) {
    const room = bareRoom(text);
    if (room !== text) rights.set(room, { room, readOnly: true });
    else if (!rights.has(room)) rights.set(room, { room });
  }
  return [...rights.values()];
}

/** The name of the room in a right. */
export function bareRoom(right: string): string {
  return right.replace(/:r$/, "");
}
