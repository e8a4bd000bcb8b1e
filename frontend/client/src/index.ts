export type { ChatClient, ChatOptions } from "./chat.js";
export { createChatClient } from "./client.js";
export type { Clock } from "./clock.js";
export { newSecret } from "./ids.js";
export type { Environment, Network, SocketLike } from "./environment.js";
export type { SignOptions, SignRequest } from "./sign.js";
export type { ChatMessage, ChatSnapshot, ChatState, Gap, Here, RetryReason, RoomState, User } from "./state.js";
export {
  checkText,
  cleanName,
  cleanText,
  MAX_CHARACTERS,
  MAX_FRAME_BYTES,
  SendError,
  type SendErrorCode,
} from "./text.js";
