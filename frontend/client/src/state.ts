/** Why the client waits before the next attempt. */
export type RetryReason =
  /** The sign URL did not answer. */
  | "unreachable"
  /** The sign URL answered with an error of the server. */
  | "unavailable"
  /** The sign URL asked the client to wait (429). */
  | "throttled"
  /** The user was kicked for too many refused frames, and may come back later (429). */
  | "kicked"
  /** Signing, the handshake or the answer to a ping took longer than 10 s. */
  | "timeout"
  /** The handshake failed; a browser does not tell why. */
  | "handshake"
  /**
   * The handshake failed three times in a row with new URLs. The policy, the origin or the clock of the server may be
   * wrong.
   */
  | "refused"
  /** An open connection ended. */
  | "lost"
  /** The server ended the session; the next attempt begins a new one. */
  | "session_ended"
  /** The server no longer knows the connection. */
  | "not_connected"
  /** The server ended the connection because the client did not read fast enough. Only older servers say so. */
  | "too_slow"
  /** The server ended the connection for a newer one of this client, which then failed. */
  | "replaced";

/** The state of the client, by `status`. */
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
  /** Open, but the server has not answered for 2 s. The state ends with the answer or with the connection. */
  | { readonly status: "checking" }
  /** `retryAt` is on the monotonic clock, in ms: compare it with `performance.now()`. */
  | { readonly status: "waiting"; readonly retryAt: number; readonly reason: RetryReason }
  /** The browser has no network. The client goes on by itself when there is one. */
  | { readonly status: "offline" }
  /**
   * The user is signed out; `connect()` tries again. `code` comes from the server: `revoked`, `signed_out`,
   * `room_not_allowed`, `caller_not_trusted`, or else `unauthorized` (401, or no token) and `forbidden` (403). After
   * `revoked` the user has to sign in at the provider again (`prompt=login`), and a page must not do that by itself.
   */
  | { readonly status: "auth-required"; readonly code: string }
  /**
   * The server sent a bye: `evicted` (a newer connection of the user replaced this one), `replaced` (another client
   * with the same name did), or `kicked` (too many refused frames). Or the page is not in a secure context
   * (`insecure_context`), or there is no WebSocket (`no_websocket`). `connect()` and `retryNow()` try again.
   */
  | { readonly status: "closed"; readonly code: string };

/** A user, as the server names it. */
export interface User {
  readonly sub: string;
  readonly name: string;
}

/** The users in a room. */
export interface Here {
  /** Left out when there are too many. */
  readonly users?: readonly User[];
  readonly count: number;
}

/** A message as a page shows it. `clientId ?? id` never changes: use it as a key. */
export interface ChatMessage {
  /** The server's id, or the client's own until the server's is known. */
  readonly id: string;
  /** Set when this client sent it. */
  readonly clientId?: string;
  readonly room: string;
  readonly from: User;
  readonly text: string;
  /** It was deleted. Its text is empty, and so is `from` if this client does not know who wrote it. */
  readonly deleted?: boolean;
  /** `pending` while the server is asked to delete it, or the server's code if it refuses. */
  readonly removal?: string;
  /** Its number in the log of the room, when the server keeps one. */
  readonly seq?: number;
  /** The server's time in Unix ms. Absent until the message has come back. */
  readonly sentAt?: number;
  /** Sent by this user, from this client or another one. */
  readonly own: boolean;
  /** `pending`: waits here. `sent`: under way. `delivered`: the server has it. `failed`: see `failure`. */
  readonly status: "pending" | "sent" | "delivered" | "failed";
  /**
   * With `failed`: `expired` after 5 minutes, `unknown` when it is not known whether it was sent, or the server's code
   * such as `room_not_allowed`.
   */
  readonly failure?: string;
}

/** A time without a connection. Messages of others from this time may be missing. */
export interface Gap {
  /** Unix ms by the clock of this machine: the time of the last frame, and of the next open connection. */
  readonly from: number;
  readonly to: number;
  /** `sentAt` of the last message before it, by the clock of the server; 0 without one. */
  readonly after: number;
}

/** The state of a room of a server that remembers. */
export interface RoomState {
  /**
   * `opening`: nothing has been read yet. `catching-up`: there may be newer messages. `live`: every message is here, or
   * on its way.
   */
  readonly status: "opening" | "catching-up" | "live";
  /** Older messages, or some in between, can be had with `loadOlder`. */
  readonly more: boolean;
  /** Ids of the messages above which some are missing. */
  readonly gaps: readonly string[];
  /** Those of the gaps that `loadOlder` does not fill, because the server has nothing of them; undefined if none. */
  readonly closed?: readonly string[];
  /** For how many days messages are kept; 0 when the server keeps none. */
  readonly keepDays: number;
  /** The users who are connected, if the server tells. */
  readonly here?: Here;
  /** The number up to which the user has read, on any device. */
  readonly read?: number;
  /** Messages of others above that number, while the room is `live`. */
  readonly unread?: number;
  /** The user may not write here. */
  readonly readOnly?: boolean;
}

/** Everything that a page shows. It never changes: each change makes a new one. */
export interface ChatSnapshot {
  readonly state: ChatState;
  /**
   * In the order of `seq` within a room, or where there is none of `sentAt`, then `id`. Messages that are not delivered
   * yet come last.
   */
  readonly messages: readonly ChatMessage[];
  /** The last 50, in all rooms. A rotation leaves no gap, and a server that remembers none either. */
  readonly gaps: readonly Gap[];
  /** The rooms of a server that remembers; empty with other servers. */
  readonly roomStates: Readonly<Record<string, RoomState>>;
  /** Until then the rate limit of the server holds messages back. Compare it with `performance.now()`. */
  readonly heldUntil: number;
  /** The user of this client, as the server names it; undefined before the first connection. */
  readonly user: User | undefined;
  /** The rooms of the last signed URL; before the first one, the requested rooms. */
  readonly rooms: readonly string[];
  /** The user may delete messages of others. */
  readonly moderator: boolean;
}
