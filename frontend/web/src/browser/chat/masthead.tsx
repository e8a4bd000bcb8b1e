import type { User } from "@signedsocket/client";
import { LanguageButton } from "../languagebutton";
import { useWords } from "../words";
import { Tag } from "./tag";
import type { Readings } from "./usereadings";

interface Props {
  readonly room: string;
  readonly rooms: readonly string[];
  readonly readings: Readings;
  readonly choose: (room: string) => void;
  readonly user: User | undefined;
  /** The tag of the user, if others have the same name. */
  readonly tag: string | undefined;
  readonly signOut: (() => void) | undefined;
}

/** The rooms, and the signed-in user. */
export function Masthead({ room, rooms, readings, choose, user, tag, signOut }: Props) {
  const { page, chat } = useWords();
  return (
    <header className="masthead">
      <h1 className="unseen">{page.title}</h1>
      <nav aria-label={page.rooms}>
        {rooms.map((name) => (
          <Room key={name} name={name} current={name === room} unread={readings[name]?.unread ?? 0} choose={choose} />
        ))}
      </nav>
      <div className="self">
        {user && (
          <span className="name" title={page.signedInAs(user.name)}>
            <bdi>{user.name}</bdi>
            <Tag tag={tag} />
          </span>
        )}
        <LanguageButton />
        {signOut && (
          <button className="quiet" onClick={signOut}>
            {chat.actions.signOut}
          </button>
        )}
      </div>
    </header>
  );
}

function Room({
  name,
  current,
  unread,
  choose,
}: {
  name: string;
  current: boolean;
  unread: number;
  choose: (room: string) => void;
}) {
  const { page } = useWords();
  return (
    <button className="room" aria-current={current ? "true" : undefined} onClick={() => choose(name)}>
      {name}
      {unread > 0 && (
        <span className="count">
          <span aria-hidden="true">{unread}</span>
          <span className="unseen">{page.unread(unread)}</span>
        </span>
      )}
    </button>
  );
}
