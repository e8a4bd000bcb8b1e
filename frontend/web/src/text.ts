import type { Problem } from "./browser/account/problem";

/** The languages that the page speaks. */
export const languages = ["ja", "en"] as const;
export type Language = (typeof languages)[number];

/** The texts of the page. The dictionary of the client has the others. */
export interface PageText {
  readonly title: string;
  /** The name of the other language, in that language. */
  readonly otherLanguage: string;
  readonly welcome: string;
  readonly welcomeLead: string;
  readonly problems: Readonly<Record<Problem, string>>;
  /** For a sign-in that the server refuses. */
  readonly refused: string;
  readonly signInAgain: string;
  readonly loading: string;
  readonly rooms: string;
  readonly signedInAs: (name: string) => string;
  readonly you: string;
  /** For the tag beside a name that several users have. */
  readonly sameName: string;
  readonly showAll: string;
  readonly showLess: string;
  readonly empty: string;
  readonly emptyOffline: string;
  readonly emptyHint: string;
  /** For a room in which nothing was said, if the server remembers. */
  readonly emptyRoom: string;
  readonly keys: string;
  readonly bytes: (used: string, most: string) => string;
  readonly today: string;
  readonly yesterday: string;
  /** Makes a short sentence with a full stop, so that another one can follow. */
  readonly ended: (sentence: string) => string;
  /** Goes to the end of the list. */
  readonly toEnd: string;
  readonly newMessages: (count: number) => string;
  readonly unread: (count: number) => string;
  /** The name of the list of users in a room. */
  readonly here: string;
  /** How many users are in a room, if their names are not told. */
  readonly hereCount: (count: number) => string;
  /** Users of the list that are not named. */
  readonly hereMore: (count: number) => string;
  readonly noRooms: string;
  readonly noScript: string;
  readonly setup: string;
  readonly setupLead: string;
  readonly notFound: string;
  readonly backToChat: string;
  readonly broken: string;
  readonly reload: string;
}

const en: PageText = {
  title: "Chat",
  otherLanguage: "日本語",
  welcome: "Welcome",
  welcomeLead: "Sign in to talk with everybody who is here.",
  problems: {
    signIn: "Signing in did not work. Please try again.",
    unreachable: "The sign-in service cannot be reached. Please try again later.",
    token:
      "You have signed in, but the sign-in service is not set up for this chat. Please tell the people who run it.",
    signOut: "Signing out did not work: you are still signed in. Please try again.",
  },
  refused: "The server does not accept your sign-in. If that goes on, please tell the people who run this chat.",
  signInAgain: "Signing in leaves this page: copy what you have not sent yet.",
  loading: "One moment…",
  rooms: "Rooms",
  signedInAs: (name) => `Signed in as ${name}`,
  you: "You",
  sameName: "Several people have this name",
  showAll: "Show all",
  showLess: "Show less",
  empty: "No messages since you connected.",
  emptyOffline: "Not connected: no messages yet.",
  emptyHint: "This page shows only what is written while you are here.",
  emptyRoom: "No messages yet.",
  keys: "Enter sends, Shift + Enter starts a new line",
  bytes: (used, most) => `${used} of ${most} bytes`,
  today: "Today",
  yesterday: "Yesterday",
  ended: (sentence) => sentence.replace(/[.…]?$/, ". "),
  toEnd: "To the latest message",
  newMessages: (count) => (count === 1 ? "1 new message" : `${count} new messages`),
  unread: (count) => `${count} unread`,
  here: "In this room",
  hereCount: (count) => (count === 1 ? "1 person" : `${count} people`),
  hereMore: (count) => `and ${count} more`,
  noRooms: "There is no room that you may enter.",
  noScript: "The chat needs JavaScript.",
  setup: "This page is not set up yet",
  setupLead: "The server needs more settings. Set these environment variables, which it reads for each request:",
  notFound: "There is no such page.",
  backToChat: "To the chat",
  broken: "The page has stopped working.",
  reload: "Load it again",
};

const ja: PageText = {
  title: "チャット",
  otherLanguage: "English",
  welcome: "ようこそ",
  welcomeLead: "サインインして、みんなとの会話に参加しましょう。",
  problems: {
    signIn: "サインインできませんでした。もう一度お試しください。",
    unreachable: "サインインサービスに接続できません。後でもう一度お試しください。",
    token: "サインインサービスの設定が合いません。管理者にお知らせください。",
    signOut: "サインアウトできませんでした。もう一度お試しください。",
  },
  refused: "サインインが拒否されました。続く場合は管理者にお知らせください。",
  signInAgain: "サインインするとこのページを離れます。未送信の内容は控えておいてください。",
  loading: "お待ちください…",
  rooms: "ルーム",
  signedInAs: (name) => `${name} としてサインイン中`,
  you: "自分",
  sameName: "同じ名前の人が複数います",
  showAll: "すべて表示",
  showLess: "折りたたむ",
  empty: "接続してから、まだメッセージはありません。",
  emptyOffline: "接続していないため、メッセージはまだありません。",
  emptyHint: "このページを開いている間に書き込まれたメッセージだけが表示されます。",
  emptyRoom: "まだメッセージはありません。",
  keys: "Enter で送信、Shift + Enter で改行",
  bytes: (used, most) => `${used} / ${most} バイト`,
  today: "今日",
  yesterday: "昨日",
  ended: (sentence) => sentence.replace(/[。…]?$/, "。"),
  toEnd: "最新のメッセージへ",
  newMessages: (count) => `新着メッセージ ${count} 件`,
  unread: (count) => `未読 ${count} 件`,
  here: "このルームにいる人",
  hereCount: (count) => `${count} 人`,
  hereMore: (count) => `ほか ${count} 人`,
  noRooms: "入室できるルームがありません。",
  noScript: "チャットを使うには JavaScript を有効にしてください。",
  setup: "このページはまだ設定されていません",
  setupLead: "サーバーの設定が足りません。次の環境変数を設定してください（リクエストごとに読み込まれます）。",
  notFound: "ページが見つかりません。",
  backToChat: "チャットへ",
  broken: "ページでエラーが発生しました。",
  reload: "再読み込み",
};

const texts: Readonly<Record<Language, PageText>> = { en, ja };

/** The page's text in a language. */
export function textIn(language: Language): PageText {
  return texts[language];
}
