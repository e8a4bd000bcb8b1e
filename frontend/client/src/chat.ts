import type { Environment } from "./environment.js";
import type { SignOptions } from "./sign.js";
import type { ChatMessage, ChatSnapshot, ChatState } from "./state.js";

export interface ChatOptions extends SignOptions {
  /**
   * Called when the sign URL answers 401 or 403, or the server revokes the user. `code` as in the state
   * `auth-required`.
   */
  readonly onAuthRequired?: (code: string) => void;
  /**
   * The MessagesPerWindow parameter of the server, 20 by default: the number of messages in 10 s. More messages wait.
   */
  readonly messagesPerWindow?: number;
  /**
   * With a server that remembers: how many messages are read when a room is opened, 50 by default, 100 at most. `false`
   * reads none, and shows only what is said while the client is connected.
   */
  readonly history?: number | false;
  /** For tests: their own clock, WebSocket and so on. */
  readonly environment?: Partial<Environment>;
}

/** A chat. All methods are bound, so a page can pass them on. */
export interface ChatClient {
  readonly state: ChatState;
  readonly messages: readonly ChatMessage[];
  /** The number of frames from the server of a kind that this client does not know. */
  readonly unknownFrames: number;
  /** Connects, and stays connected. Does nothing if the client has begun already. */
  connect(): void;
  /** Disconnects and cancels everything under way. Messages stay. `connect()` starts again. */
  dispose(): void;
  /** Makes the next attempt now. With an open connection it checks whether the server answers. */
  retryNow(): void;
  /**
   * Call it when the user does something (focus, a key, scrolling). After 30 s of silence it checks whether the server
   * answers.
   */
  userActed(): void;
  /**
   * Sends a message, at once or after the next connection, and returns the client's id of the message. Throws
   * SendError. The default room is the first one.
   */
  send(text: string, room?: string): string;
  /** Sends a failed message again, under its old id. A recipient that has it already drops it. */
  resend(clientId: string): void;
  /** Discards a message that is not delivered. */
  discard(clientId: string): void;
  /**
   * Deletes a message for everybody: an own one, or as a moderator any. `id` is the server's id of the message. Does
   * nothing where that is not possible: with a server that keeps no messages, or in a room where the user only reads.
   */
  remove(id: string): void;
  /** The user has read everything in a room. Call it when the page is visible and shows the end of the room. */
  markRead(room: string): void;
  /** Reads a page of older messages of a room, or of missing ones in between. Does nothing while it does so already. */
  loadOlder(room: string): void;
  /** Calls the listener after each change, until the returned function is called. */
  subscribe(listener: () => void): () => void;
  /** Returns the same object until something changes. */
  getSnapshot(): ChatSnapshot;
}
