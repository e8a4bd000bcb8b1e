import type { Here } from "@signedsocket/client";
import { useWords } from "../words";
import { Tag } from "./tag";

/** How many users the list names. */
const NAMED = 8;

interface Props {
  readonly here: Here | undefined;
  readonly tags: ReadonlyMap<string, string>;
}

/** The users in the room: their names, up to eight, or else their number. */
export function Roster({ here, tags }: Props) {
  const { page } = useWords();
  if (!here) return null;
  const { count, users } = here;
  const named = users?.slice(0, NAMED) ?? [];
  return (
    <ul className="roster" aria-label={page.here}>
      {named.map(({ sub, name }) => (
        <li key={sub}>
          <bdi>{name}</bdi>
          <Tag tag={tags.get(sub)} />
        </li>
      ))}
      {!users && <li>{page.hereCount(count)}</li>}
      {users && count > named.length && <li>{page.hereMore(count - named.length)}</li>}
    </ul>
  );
}
