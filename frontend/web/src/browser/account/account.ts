import type { Problem } from "./problem";

/** Whether a user is signed in. */
export type AccountState =
  /** Not known yet. */
  | { readonly status: "loading" }
  | { readonly status: "signed-out"; readonly problem?: Problem }
  /** `rooms` are those that the user may enter. */
  | { readonly status: "signed-in"; readonly rooms: readonly string[]; readonly problem?: Problem };

/** The way in which users of this deployment sign in and out. */
export interface Account {
  /** The state that the server already knows, for the first rendering. */
  readonly initial: AccountState;
  /**
   * Finds the signed-in user, and finishes a sign-in that just came back from the provider. A second call gives the
   * same result.
   */
  load(): Promise<AccountState>;
  /**
   * Returns the user's access token, or undefined when the user is signed out. `refused` is a token that the server has
   * just refused. Absent in modes without tokens.
   */
  readonly getToken?: (signal?: AbortSignal, refused?: string) => Promise<string | undefined>;
  /** The provider's `sub` of the signed-in user, or of the last one. */
  readonly user?: string | undefined;
  /** Whether the server has refused the last token. */
  readonly isRefused?: boolean;
  /** Leaves the page to sign in. After a revocation the provider asks for the password again. Absent for guests. */
  readonly signIn?: () => Promise<void>;
  /** Signs out: removes everything that could be used again, calls `announce`, and leaves the page. */
  readonly signOut?: (announce: () => void) => Promise<void>;
  /** Removes the user's tokens from this tab: the server has revoked the user, or another tab has signed out. */
  readonly forget?: () => Promise<void>;
  /** The secret that identifies the guest to the server. */
  readonly guest?: { readonly secret: string } | undefined;
}
