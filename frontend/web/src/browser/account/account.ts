import type { PageSettings } from "../settings";
import { GuestAccount } from "./guest";
import type { Problem } from "./problem";
import { ProviderAccount } from "./provider";
import { ServerAccount } from "./server";

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
   * The access token to ask for a signed URL with; undefined when nobody is signed in any more. `refused` is one that
   * the server has just refused. Absent when there are no tokens.
   */
  readonly getToken?: (signal?: AbortSignal, refused?: string) => Promise<string | undefined>;
  /** What the provider calls the user who is signed in, or was a moment ago. */
  readonly user?: string | undefined;
  /** Whether the server has refused the last token. */
  readonly isRefused?: boolean;
  /** Leaves the page to sign in. After a revocation the provider has to ask who it is. Absent when nobody signs in. */
  readonly signIn?: () => Promise<void>;
  /** Signs out, calls `announce` once nothing that could be used again is left here, and leaves the page. */
  readonly signOut?: (announce: () => void) => Promise<void>;
  /**
   * Forgets what was kept here of whoever is signed in: the server has revoked the user, or another tab has signed out.
   */
  readonly forget?: () => Promise<void>;
  /** Whom the server takes for the same guest again. */
  readonly guest?: { readonly secret: string } | undefined;
}

/** The account of the mode that the deployment has. */
export function createAccount(settings: PageSettings): Account {
  switch (settings.mode) {
    case "jwt":
      return new ProviderAccount(settings);
    case "iam":
      return new ServerAccount(settings);
    case "guest":
      return new GuestAccount(settings.rooms);
  }
}
