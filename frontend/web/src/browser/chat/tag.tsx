import { useWords } from "../words";

/** What tells a user from others of the same name, so that no name can look like it. */
export function Tag({ tag }: { tag: string }) {
  const { page } = useWords();
  return (
    <span className="tag" title={page.sameName}>
      <span className="unseen">{`${page.sameName}: `}</span>
      {tag}
    </span>
  );
}
