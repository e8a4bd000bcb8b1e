import { useLayoutEffect, useState, useSyncExternalStore } from "react";
import { type Countable, nothingRead, opening, read, readBefore, type Reading } from "./unread";

export type Readings = Readonly<Record<string, Reading>>;

/**
 * How far the user has read in each room. A user at the end of a room's list reads there. `isOpening` says whether
 * the last messages of a room are being read.
 */
export function useReadings(
  rooms: readonly string[],
  isOpening: (room: string) => boolean,
  byRoom: (room: string) => readonly Countable[],
  current: string,
  atEnd: boolean,
): Readings {
  const visible = useSyncExternalStore(subscribeToVisibility, isVisible, () => true);
  const [readings, setReadings] = useState<Readings>({});
  const next = rooms.map((room) => {
    if (isOpening(room)) return [room, opening] as const;
    const messages = byRoom(room);
    const known = readings[room] ?? nothingRead;
    const before = known === opening ? readBefore(messages) : known;
    return [room, read(before, messages, visible && atEnd && room === current)] as const;
  });
  const changed = next.some(([room, reading]) => reading !== readings[room]);
  useLayoutEffect(() => {
    if (changed) setReadings(Object.fromEntries(next));
  });
  return readings;
}

function subscribeToVisibility(listener: () => void): () => void {
  document.addEventListener("visibilitychange", listener);
  return () => document.removeEventListener("visibilitychange", listener);
}

function isVisible(): boolean {
  return document.visibilityState === "visible";
}
