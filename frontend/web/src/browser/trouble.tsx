import type { Problem } from "./account/problem";
import { useWords } from "./words";

/** Says why a sign-in or a sign-out failed. */
export function Trouble({ problem }: { problem: Problem | undefined }) {
  const { page } = useWords();
  return (
    <p role="alert" className="problem">
      {problem && page.problems[problem]}
    </p>
  );
}
