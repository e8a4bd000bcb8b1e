import type { Problem } from "./account/problem";
import { useWords } from "./words";

/** Says what went wrong when somebody signed in or out. */
export function Trouble({ problem }: { problem: Problem | undefined }) {
  const { page } = useWords();
  return (
    <p role="alert" className="problem">
      {problem && page.problems[problem]}
    </p>
  );
}
