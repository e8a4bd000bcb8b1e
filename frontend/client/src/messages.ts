import type { ChatMessage, ChatState } from "./state.js";

/** The texts of a chat for people. */
export interface Dictionary {
  readonly status: Readonly<Record<ChatState["status"], string>>;
  /** By RetryReason, and by the code of `auth-required` and `closed`. */
  readonly reasons: Readonly<Record<string, string>>;
  /** By SendErrorCode, and by `failure` of a message. */
  readonly failures: Readonly<Record<string, string>>;
  readonly actions: Readonly<
    Record<"send" | "resend" | "discard" | "remove" | "confirmRemoval" | "retryNow" | "signIn" | "signOut", string>
  >;
  readonly labels: Readonly<
    Record<
      | "message"
      | "placeholder"
      | "messages"
      | "pending"
      | "disconnected"
      | "limited"
      | "sent"
      | "failed"
      | "unread"
      | "seconds"
      | "gap"
      | "shortGap"
      | "missing"
      | "notKept"
      | "notKeptDay"
      | "loading"
      | "deleted"
      | "deleting"
      | "notDeleted"
      | "readOnly",
      string
    >
  >;
}

const en: Dictionary = {
  status: {
    idle: "Not connected",
    signing: "Asking for access…",
    connecting: "Connecting…",
    open: "Connected",
    rotating: "Connected",
    checking: "Checking the connection…",
    waiting: "Disconnected",
    offline: "No network",
    "auth-required": "Please sign in",
    closed: "Disconnected",
  },
  reasons: {
    unreachable: "The server cannot be reached.",
    unavailable: "Something went wrong on the server.",
    throttled: "There are too many requests right now.",
    too_slow: "The connection was too slow.",
    replaced: "The chat was opened in another window.",
    signed_out: "You have signed out.",
    timeout: "The server does not answer.",
    handshake: "The connection could not be opened.",
    refused: "The server refuses the connection: the page's origin, a policy or a clock may be wrong.",
    lost: "The connection was interrupted.",
    session_ended: "The session has ended; a new one begins.",
    not_connected: "The connection has expired.",
    unauthorized: "You are not signed in.",
    forbidden: "You may not connect.",
    revoked: "Your access was withdrawn.",
    room_not_allowed: "You may not enter this room.",
    caller_not_trusted: "This page may not sign users in.",
    evicted: "The chat was opened in another window.",
    kicked: "You sent too many messages that are not allowed.",
    insecure_context: "This page needs https.",
    no_websocket: "This browser cannot open the connection: it has no WebSocket.",
  },
  failures: {
    empty: "Write something first.",
    too_large: "The message is too long.",
    too_many_lines: "The message has too many lines.",
    bad_characters: "The message contains characters that are not allowed.",
    outbox_full: "Too many messages are waiting.",
    expired: "Not delivered for 5 minutes.",
    unknown: "It is not known whether this was sent.",
    room_not_allowed: "You may not write in this room.",
    read_only: "You may only read in this room.",
    not_found: "The message is not kept any more.",
    not_yours: "The message is somebody else's.",
    unknown_action: "The server cannot do this yet.",
    bad_message: "The server did not accept the message.",
  },
  actions: {
    send: "Send",
    resend: "Send again",
    discard: "Discard",
    remove: "Delete",
    confirmRemoval: "Delete for everybody",
    retryNow: "Retry now",
    signIn: "Sign in",
    signOut: "Sign out",
  },
  labels: {
    message: "Message",
    placeholder: "Write a message",
    messages: "Messages",
    pending: "Waiting",
    disconnected: "Waiting for the connection",
    limited: "Many messages at once: sent in {n} s",
    sent: "Sending…",
    failed: "Not sent",
    unread: "New messages",
    seconds: "Next attempt in {n} s",
    gap: "Messages between {from} and {to} may be missing.",
    shortGap: "Messages at {from} may be missing.",
    missing: "Some messages are missing here.",
    notKept: "Messages older than {n} days are not kept.",
    notKeptDay: "Messages older than a day are not kept.",
    loading: "Loading messages…",
    deleted: "This message was deleted.",
    deleting: "Deleting…",
    notDeleted: "Not deleted",
    readOnly: "You may only read in this room.",
  },
};

const ja: Dictionary = {
  status: {
    idle: "未接続",
    signing: "接続の許可を確認しています…",
    connecting: "接続しています…",
    open: "接続済み",
    rotating: "接続済み",
    checking: "接続を確認しています…",
    waiting: "切断されました",
    offline: "オフラインです",
    "auth-required": "サインインしてください",
    closed: "切断されました",
  },
  reasons: {
    unreachable: "サーバーに接続できません。",
    unavailable: "サーバーで問題が発生しています。",
    throttled: "アクセスが集中しています。",
    too_slow: "通信が遅いため、接続が切れました。",
    replaced: "別のウィンドウでチャットが開かれました。",
    signed_out: "サインアウトしました。",
    timeout: "サーバーから応答がありません。",
    handshake: "接続を開始できませんでした。",
    refused: "サーバーに接続を拒否されました。ページのオリジン、ポリシー、または時刻の設定を確認してください。",
    lost: "接続が途切れました。",
    session_ended: "セッションが終了したため、接続し直します。",
    not_connected: "接続の有効期限が切れました。",
    unauthorized: "サインインしていません。",
    forbidden: "接続する権限がありません。",
    revoked: "アクセス権が取り消されました。",
    room_not_allowed: "このルームには入れません。",
    caller_not_trusted: "このページからは接続できません。",
    evicted: "別のウィンドウでチャットが開かれました。",
    kicked: "許可されていないメッセージが多すぎました。",
    insecure_context: "このページは https で開く必要があります。",
    no_websocket: "このブラウザーは WebSocket に対応していないため、接続できません。",
  },
  failures: {
    empty: "メッセージを入力してください。",
    too_large: "メッセージが長すぎます。",
    too_many_lines: "改行が多すぎます。",
    bad_characters: "使用できない文字が含まれています。",
    outbox_full: "送信待ちのメッセージが多すぎます。",
    expired: "5 分以内に送信できませんでした。",
    unknown: "送信されたかどうかを確認できませんでした。",
    room_not_allowed: "このルームには書き込めません。",
    read_only: "このルームでは閲覧のみできます。",
    not_found: "このメッセージはもう保存されていません。",
    not_yours: "ほかの人のメッセージです。",
    unknown_action: "サーバーはまだこの操作に対応していません。",
    bad_message: "サーバーがメッセージを受け付けませんでした。",
  },
  actions: {
    send: "送信",
    resend: "再送信",
    discard: "破棄",
    remove: "削除",
    confirmRemoval: "全員の画面から削除",
    retryNow: "今すぐ再接続",
    signIn: "サインイン",
    signOut: "サインアウト",
  },
  labels: {
    message: "メッセージ",
    placeholder: "メッセージを入力",
    messages: "メッセージ一覧",
    pending: "送信待ち",
    disconnected: "接続を待っています",
    limited: "送信が多いため、{n} 秒後に送信します",
    sent: "送信中…",
    failed: "送信できませんでした",
    unread: "新着メッセージ",
    seconds: "{n} 秒後に再接続します",
    gap: "{from} から {to} までのメッセージは抜けている可能性があります。",
    shortGap: "{from} ごろのメッセージは抜けている可能性があります。",
    missing: "ここに、抜けているメッセージがあります。",
    notKept: "{n} 日より前のメッセージは保存されていません。",
    notKeptDay: "1 日より前のメッセージは保存されていません。",
    loading: "メッセージを読み込んでいます…",
    deleted: "このメッセージは削除されました。",
    deleting: "削除中…",
    notDeleted: "削除できませんでした",
    readOnly: "このルームでは閲覧のみできます。",
  },
};

/** The dictionary of the first known language in a list such as `navigator.languages`, or else English. */
export function dictionaryFor(languages: readonly string[]): Dictionary {
  const known = languages
    .map((tag) => tag.toLowerCase().split("-")[0])
    .find((language) => language === "ja" || language === "en");
  return known === "ja" ? ja : en;
}

/** Says why the chat is not connected. Undefined when there is nothing to explain. */
export function reasonText(state: ChatState, dictionary: Dictionary): string | undefined {
  if (state.status === "waiting") return dictionary.reasons[state.reason];
  return state.status === "auth-required" || state.status === "closed" ? dictionary.reasons[state.code] : undefined;
}

/** Says for how many days messages are kept, 1 or more. */
export function keptText(days: number, { labels }: Dictionary): string {
  return days === 1 ? labels.notKeptDay : labels.notKept.replace("{n}", String(days));
}

/** The text of a SendErrorCode or of the failure of a message. */
export function failureText(code: NonNullable<ChatMessage["failure"]>, dictionary: Dictionary): string {
  return dictionary.failures[code] ?? dictionary.failures.bad_message!;
}
