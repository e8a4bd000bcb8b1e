import { useWords } from "../words";

/** The tag of a user among others of the same name. No name can look like it. */
export function Tag({ tag }: { tag: string }) {
  const { page } = useWords();
  return (
    <span className="tag" title={page.sameName}>
      <span className="unseen">{`${page.sameName}: `}</span>
      {tag}
    </span>
  );
}
