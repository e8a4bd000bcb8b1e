/** Why the client waits before the next attempt. */
export type RetryReason =
  /** The sign URL did not answer. */
  | "unreachable"
  /** The sign URL answered, but with a fault of its own. */
  | "unavailable"
  /** The sign URL said to come back later (429). */
  | "throttled"
  /** The sign URL said that the user was sent out for too many refused frames, and may come back later (429). */
  | "kicked"
  /** Signing, the handshake or the answer to a ping took longer than 10 s. */
  | "timeout"
  /** The handshake failed; a browser does not tell why. */
  | "handshake"
  /**
   * The handshake failed three times in a row with freshly signed URLs: a matter of policy, origin or the server's
   * clock.
   */
  | "refused"
  /** An open connection ended. */
  | "lost"
  /** The server ended the session; the next attempt begins a new one. */
  | "session_ended"
  /** The server does not know the connection any more. */
  | "not_connected"
  /** The server ended the connection because it did not take in what was sent to it. */
  | "too_slow"
  /** The server ended the connection because a newer one of this client was to take its place, which then failed. */
  | "replaced";

/** What the client is doing. `status` tells the members apart. */
export type ChatState =
  /** Not started, or disposed. */
  | { readonly status: "idle" }
  /** Waiting for a signed URL. */
  | { readonly status: "signing" }
  /** Waiting for the handshake. */
  | { readonly status: "connecting" }
  | { readonly status: "open" }
  /** Open, and opening the next connection before this one reaches its end. */
  | { readonly status: "rotating" }
  /** Open, but the server has not answered for 2 s. Ends with its answer, or with the connection. */
  | { readonly status: "checking" }
  /** `retryAt` is on the monotonic clock, in ms: compare it with `performance.now()`. */
  | { readonly status: "waiting"; readonly retryAt: number; readonly reason: RetryReason }
  /** The browser says that there is no network; goes on by itself when there is. */
  | { readonly status: "offline" }
  /**
   * The user is signed out; `connect()` tries again. `code` is the server's: `revoked`, `signed_out`,
   * `room_not_allowed`, `caller_not_trusted`, or else `unauthorized` (401, or no token) and `forbidden` (403). After
   * `revoked` the user has to sign in anew at the provider (`prompt=login`), and a page must not do that by itself.
   */
  | { readonly status: "auth-required"; readonly code: string }
  /**
   * The server said goodbye (`evicted`: a newer connection of the user took the place; `replaced`: another one that
   * goes by this client's name; `kicked`: too many refused frames), or the page is not served in a secure context
   * (`insecure_context`), or there is no WebSocket (`no_websocket`). `connect()` and `retryNow()` try again.
   */
  | { readonly status: "closed"; readonly code: string };

/** A user, as the server names it. */
export interface User {
  readonly sub: string;
  readonly name: string;
}

/** A message as a page shows it. `clientId ?? id` stays the same while the message goes its way: use it as a key. */
export interface ChatMessage {
  /** The server's id; the client's own until the server's is known. */
  readonly id: string;
  /** Set when this client sent it. */
  readonly clientId?: string;
  readonly room: string;
  readonly from: User;
  readonly text: string;
  /** The server's time in Unix ms; absent until the message has come back. */
  readonly sentAt?: number;
  /** Sent by this user, from here or elsewhere. */
  readonly own: boolean;
  /** `pending`: waits here. `sent`: under way. `delivered`: everybody has it. `failed`: see `failure`. */
  readonly status: "pending" | "sent" | "delivered" | "failed";
  /** With `failed`: `expired` after 5 minutes, or the server's code such as `room_not_allowed`. */
  readonly failure?: string;
}

/** A time without a connection, in which others may have written what never came. */
export interface Gap {
  /** Unix ms by this machine's clock: when the server was heard last, and when the next connection was open. */
  readonly from: number;
  readonly to: number;
  /** `sentAt` of the last message before it, by the server's clock; 0 when there was none. */
  readonly after: number;
}

/** Everything a page shows, unchanging: a change makes a new one. */
export interface ChatSnapshot {
  readonly state: ChatState;
  /** In the order of `sentAt`, then `id`; what is not delivered yet comes last. */
  readonly messages: readonly ChatMessage[];
  /** The last 50, in all rooms. A rotation makes none. */
  readonly gaps: readonly Gap[];
  /** Until when no message is sent, because the server takes only so many; compare it with `performance.now()`. */
  readonly heldUntil: number;
  /** The user of this client, as the server names it; undefined before the first connection. */
  readonly user: User | undefined;
  /** The rooms that the last signed URL is for; before that, those that were asked for. */
  readonly rooms: readonly string[];
}
