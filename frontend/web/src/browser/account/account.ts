import type { Problem } from "./problem";

/** Whether somebody is signed in. */
export type AccountState =
  /** Not known yet. */
  | { readonly status: "loading" }
  | { readonly status: "signed-out"; readonly problem?: Problem }
  /** `rooms` are those that the user may enter. */
  | { readonly status: "signed-in"; readonly rooms: readonly string[]; readonly problem?: Problem };

/** How the users of this deployment sign in and out. */
export interface Account {
  /** What the server knows already, for the first rendering. */
  readonly initial: AccountState;
  /**
   * Finds out who is signed in, and takes a sign-in that just came back from the provider. Asked twice, it answers the
   * same.
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
  /** Signs out, calls `announce` once nothing that could be used again is left here, and leaves the page. */
  readonly signOut?: (announce: () => void) => Promise<void>;
  /** Removes the user's tokens from this tab: the server has revoked the user, or another tab has signed out. */
  readonly forget?: () => Promise<void>;
  /** The secret by which the server knows the guest again. */
  readonly guest?: { readonly secret: string } | undefined;
}
