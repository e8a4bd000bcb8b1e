import { useLayoutEffect, useState, useSyncExternalStore } from "react";
import type { ChatSnapshot } from "@signedsocket/client";
import { type Countable, nothingRead, opening, read, readBefore, readElsewhere, type Reading } from "./unread";

export type Readings = Readonly<Record<string, Reading>>;

/**
 * How far the user has read in each room. A user at the end of a room's list reads there, if the page is visible.
 */
export function useReadings(
  rooms: readonly string[],
  states: ChatSnapshot["roomStates"],
  byRoom: (room: string) => readonly Countable[],
  readsIn: string | undefined,
): Readings {
  const [readings, setReadings] = useState<Readings>({});
  const next = rooms.map((room) => {
    const state = states[room];
    if (state?.status === "opening") return [room, opening] as const;
    const messages = byRoom(room);
    const known = readings[room] ?? nothingRead;
    const upto = state?.read;
    const before =
      known === opening
        ? readBefore(messages, upto)
        : upto === undefined
          ? known
          : readElsewhere(known, messages, upto);
    return [room, read(before, messages, room === readsIn)] as const;
  });
  const changed = next.some(([room, reading]) => reading !== readings[room]);
  useLayoutEffect(() => {
    if (changed) setReadings(Object.fromEntries(next));
  });
  return readings;
}

/** Whether the page is visible. */
export function useVisible(): boolean {
  return useSyncExternalStore(subscribeToVisibility, isVisible, () => true);
}

function subscribeToVisibility(listener: () => void): () => void {
  document.addEventListener("visibilitychange", listener);
  return () => document.removeEventListener("visibilitychange", listener);
}

function isVisible(): boolean {
  return document.visibilityState === "visible";
}
