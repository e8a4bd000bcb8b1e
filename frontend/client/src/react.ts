"use client";

import { useEffect, useSyncExternalStore } from "react";

import type { ChatClient } from "./client.js";
import type { ChatSnapshot } from "./state.js";

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
