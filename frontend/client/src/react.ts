"use client";

import { useEffect, useSyncExternalStore } from "react";

import type { ChatClient } from "./client.js";
import type { ChatSnapshot } from "./state.js";

/**
 * Keeps the client connected while the component is mounted, and renders again when something changes. StrictMode's
 * second mount costs neither a signed URL nor a socket: the first is cancelled before it asks. Use it once per client,
 * and `useChatSnapshot` in further components.
 */
export function useChat(client: ChatClient): ChatSnapshot {
  useEffect(() => {
    client.connect();
    return () => client.dispose();
  }, [client]);
  return useChatSnapshot(client);
}

/** What `useChat` returns, without a say in whether the client is connected. */
export function useChatSnapshot(client: ChatClient): ChatSnapshot {
  return useSyncExternalStore(client.subscribe, client.getSnapshot, client.getSnapshot);
}
