import type { ChatClient, ChatMessage } from "@signedsocket/client";
import { failureText } from "@signedsocket/client/messages";
import { memo, useLayoutEffect, useRef, useState } from "react";
import { useWords } from "../words";
import { Countdown } from "./countdown";
import { mayBeLong } from "./folding";
import { parts } from "./links";
import { Tag } from "./tag";

interface Props {
  readonly message: ChatMessage;
  /** The first of several in a row, which shows the name of the sender. */
  readonly first: boolean;
  /** The tag of the sender, if others have the same name. */
  readonly tag: string | undefined;
  readonly client: ChatClient;
  /** The user may delete it. */
  readonly removable: boolean;
  /** It waits for the connection. */
  readonly offline: boolean;
  /** It waits because of the rate limit. */
  readonly heldUntil: number | undefined;
  readonly refocus: () => void;
}

/** A message with its sender and time, or with its progress. It renders again only after a change. */
export const Message = memo(function Message(props: Props) {
  const { message, first, tag, client, removable, offline, heldUntil, refocus } = props;
  const { page, chat } = useWords();
  const { from, own, status, text, deleted, removal } = message;
  const { box, folded, button } = useFolding(text);
  return (
    <li
      className={`message ${own ? "own" : "other"} ${first ? "first" : "further"} ${hueOf(from.sub)}`}
      data-status={status}
    >
      {!own && first && from.sub && <Avatar name={from.name} />}
      <p className={own || !first ? "unseen" : "sender"} title={from.sub}>
        <bdi>{own ? page.you : from.name}</bdi>
        <Tag tag={own ? undefined : tag} />
      </p>
      <div className="line">
        {deleted ? (
          <p className="bubble deleted">{chat.labels.deleted}</p>
        ) : (
          <p className={folded ? "bubble folded" : "bubble"} dir="auto" ref={box}>
            <Text text={text} />
          </p>
        )}
        <Stamp message={message} offline={offline} heldUntil={heldUntil} />
        {removable && <Removal remove={() => (client.remove(message.id), refocus())} />}
      </div>
      {button}
      {removal && removal !== "pending" && (
        <p className="failure">
          <span>{`${chat.labels.notDeleted}: ${failureText(removal, chat)}`}</span>
        </p>
      )}
      {status === "failed" && <Failure message={message} client={client} refocus={refocus} />}
    </li>
  );
});

/** Deletes the message with the second click, so that one by mistake does no harm. */
function Removal({ remove }: { remove: () => void }) {
  const { chat } = useWords();
  const [asks, setAsks] = useState(false);
  return (
    <button
      className="small remove"
      onClick={() => (asks ? remove() : setAsks(true))}
      onBlur={() => setAsks(false)}
      onKeyDown={({ key }) => key === "Escape" && setAsks(false)}
    >
      {asks ? chat.actions.confirmRemoval : chat.actions.remove}
    </button>
  );
}

function Avatar({ name }: { name: string }) {
  const [initial = "?"] = name;
  return (
    // The letter is not text: a copied passage has only what the users wrote.
    <span className="avatar" aria-hidden="true" data-initial={initial.toUpperCase()} />
  );
}

/**
 * Shows the beginning of a long text until the user asks for all of it. It measures only texts that may be too long,
 * because a list has many.
 */
function useFolding(text: string) {
  const { page } = useWords();
  const box = useRef<HTMLParagraphElement>(null);
  const [whole, setWhole] = useState(false);
  const [overflows, setOverflows] = useState(false);
  const measured = mayBeLong(text);
  const folded = measured && !whole;
  useLayoutEffect(() => {
    const element = box.current;
    if (!folded || !element) return;
    const measure = () => setOverflows(element.scrollHeight > element.clientHeight + 1);
    measure();
    const observer = new ResizeObserver(measure);
    observer.observe(element);
    return () => observer.disconnect();
  }, [folded]);
  const button = (overflows || whole) && (
    <button className="small fold" aria-expanded={whole} onClick={() => setWhole(!whole)}>
      {whole ? page.showLess : page.showAll}
    </button>
  );
  return { box, folded, button };
}

/** React writes a text as text, and only addresses of the web become links. */
function Text({ text }: { text: string }) {
  return parts(text).map(({ text, href, host }, index) =>
    href ? (
      <a key={index} href={href} dir="ltr" target="_blank" rel="noopener noreferrer nofollow">
        {text}
        {host && <bdi className="host">{` [${host}]`}</bdi>}
      </a>
    ) : (
      text
    ),
  );
}

/** The time of the message, or what it waits for. */
function Stamp({
  message: { status, sentAt, removal },
  offline,
  heldUntil,
}: Pick<Props, "message" | "offline" | "heldUntil">) {
  const { chat, formats } = useWords();
  if (offline) return <span className="stamp">{chat.labels.disconnected}</span>;
  if (heldUntil !== undefined) return <Countdown className="stamp" until={heldUntil} text={chat.labels.limited} />;
  if (status === "pending" || status === "sent") return <span className="stamp">{chat.labels[status]}</span>;
  if (removal === "pending") return <span className="stamp">{chat.labels.deleting}</span>;
  if (sentAt === undefined) return null;
  return (
    <time className="stamp" dateTime={new Date(sentAt).toISOString()} title={formats.full.format(sentAt)}>
      {formats.time.format(sentAt)}
    </time>
  );
}

function Failure({ message, client, refocus }: Pick<Props, "message" | "client" | "refocus">) {
  const { chat } = useWords();
  const { clientId = "", failure = "" } = message;
  // The buttons disappear, and the focus would disappear with them.
  const act = (action: (clientId: string) => void) => () => {
    action(clientId);
    refocus();
  };
  return (
    <p className="failure">
      <span>
        {failure === "unknown" ? failureText(failure, chat) : `${chat.labels.failed}: ${failureText(failure, chat)}`}
      </span>
      <button className="small" onClick={act(client.resend)}>
        {chat.actions.resend}
      </button>
      <button className="small" onClick={act(client.discard)}>
        {chat.actions.discard}
      </button>
    </p>
  );
}

/** One of eight colours. A person always has the same one. */
function hueOf(sub: string): string {
  let hash = 0;
  for (const character of sub) hash = (hash * 31 + character.codePointAt(0)!) % 65_521;
  return `hue-${hash % 8}`;
}
