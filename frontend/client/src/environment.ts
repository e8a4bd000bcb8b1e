import { type Clock, monotonicClock } from "./clock.js";

/** The part of a WebSocket that the client uses. */
export interface SocketLike {
  /** The subprotocol that the server chose, after the handshake. */
  readonly protocol?: string;
  onopen: ((event: any) => void) | null;
  onmessage: ((event: any) => void) | null;
  onclose: ((event: any) => void) | null;
  onerror: ((event: any) => void) | null;
  send(data: string): void;
  close(code?: number): void;
}

/** Whether there is a network, and when to check again. */
export interface Network {
  online(): boolean;
  /**
   * Calls `wake` when the network changed or the page became visible, and `hide` when it became invisible, until the
   * returned function is called.
   */
  watch(wake: () => void, hide: () => void): () => void;
  /** Whether the page is visible. Browsers delay the timers of hidden pages by up to a minute. True when left out. */
  visible?(): boolean;
}

/** The functions that the client needs from its environment. Tests bring their own. */
export interface Environment {
  readonly clock: Clock;
  /** A number from 0 to below 1, for jitter. */
  readonly random: () => number;
  readonly WebSocket: new (url: string, protocols: string[]) => SocketLike;
  readonly fetch: (url: string, init: RequestInit) => Promise<Response>;
  readonly network: Network;
  readonly sha256: (text: string) => Promise<Uint8Array>;
}

/** The client cannot work here. The message is the code of the state `closed`. */
export class Unusable extends Error {}

/** The environment of a browser. On a server that renders the page it fails only when it is used. */
export function defaultEnvironment(): Environment {
  return {
    clock: monotonicClock,
    random: Math.random,
    WebSocket: globalThis.WebSocket,
    fetch: (url, init) => fetch(url, init),
    network: browserNetwork,
    async sha256(text) {
      // SHA-256 exists only in a page from https or from this machine.
      const { subtle } = globalThis.crypto ?? {};
      if (!subtle) throw new Unusable("insecure_context");
      return new Uint8Array(await subtle.digest("SHA-256", new TextEncoder().encode(text)));
    },
  };
}

const browserNetwork: Network = {
  online: () => globalThis.navigator?.onLine !== false,
  watch(wake, hide) {
    const page = globalThis.document;
    if (!page) return () => {};
    const watching = new AbortController();
    addEventListener("online", wake, watching);
    addEventListener("offline", wake, watching);
    page.addEventListener("visibilitychange", () => (browserNetwork.visible!() ? wake() : hide()), watching);
    return () => watching.abort();
  },
  visible: () => globalThis.document?.visibilityState !== "hidden",
};
