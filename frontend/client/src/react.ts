"use client";

import { useCallback, useEffect, useMemo, useSyncExternalStore } from "react";

import type { ChatClient } from "./chat.js";
import type { ChatMessage, ChatSnapshot, RoomState } from "./state.js";

/**
 * Keeps the client connected while the component is mounted, and renders after each change. StrictMode's second mount
 * costs neither a signed URL nor a socket, because the first one is cancelled before its request. Use it once for each
 * client, and `useChatSnapshot` in further components.
 */
export function useChat(client: ChatClient): ChatSnapshot {
  useEffect(() => {
    client.connect();
    return () => client.dispose();
  }, [client]);
  return useChatSnapshot(client);
}

/** The result of `useChat` for a component that does not control the connection. */
export function useChatSnapshot(client: ChatClient): ChatSnapshot {
  return useSyncExternalStore(client.subscribe, client.getSnapshot, client.getSnapshot);
}

/** The state of a room of a server that does not remember. */
const forgetful: RoomState = { status: "live", more: false, gaps: [], keepDays: 0 };

/** One room, for a component that does not control the connection. */
export function useRoom(
  client: ChatClient,
  room: string,
): RoomState & {
  readonly messages: readonly ChatMessage[];
  readonly loadOlder: () => void;
  readonly markRead: () => void;
  readonly remove: (id: string) => void;
} {
  const { messages, roomStates } = useChatSnapshot(client);
  const own = useMemo(() => messages.filter((message) => message.room === room), [messages, room]);
  const loadOlder = useCallback(() => client.loadOlder(room), [client, room]);
  const markRead = useCallback(() => client.markRead(room), [client, room]);
  return { ...(roomStates[room] ?? forgetful), messages: own, loadOlder, markRead, remove: client.remove };
}
