/** The reason why a sign-in or a sign-out failed. */
export type Problem =
  /** The provider or the server refused. */
  | "signIn"
  /** The provider or the server did not answer. */
  | "unreachable"
  /** The provider gives tokens that the server cannot check. */
  | "token"
  | "signOut";

/**
 * The problem behind an error of a sign-in. Requests without an answer and scripts that do not load have these names.
 */
export function signInProblem(error: unknown): Problem {
  const unreachable = ["TypeError", "ErrorTimeout", "ChunkLoadError"];
  return error instanceof Error && unreachable.includes(error.name) ? "unreachable" : "signIn";
}
