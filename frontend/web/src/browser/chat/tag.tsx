import { useWords } from "../words";

/** The tag of a user among others of the same name, if there are others. No name can look like it. */
export function Tag({ tag }: { tag: string | undefined }) {
  const { page } = useWords();
  if (!tag) return null;
  return (
    <span className="tag" title={page.sameName}>
      <span className="unseen">{`${page.sameName}: `}</span>
      {tag}
    </span>
  );
}
