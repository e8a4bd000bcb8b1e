import type { PageSettings } from "../settings";
import type { Account, AccountState } from "./account";
import { revocation } from "./revocation";

/** Mode iam: the server that serves the page signs users in, and keeps a cookie that scripts cannot read. */
export class ServerAccount implements Account {
  readonly initial: AccountState;
  private readonly paths: { readonly signIn: string; readonly signOut: string };

  constructor({ server, rooms }: PageSettings) {
    this.initial = server?.signedIn ? { status: "signed-in", rooms } : { status: "signed-out", failed: false };
    this.paths = { signIn: server?.signInPath ?? "/", signOut: server?.signOutPath ?? "/" };
  }

  /** The server says in the address when a sign-in failed. */
  async load(): Promise<AccountState> {
    const failed = new URLSearchParams(location.search).has("problem");
    if (failed) history.replaceState(null, "", "/");
    return failed && this.initial.status === "signed-out" ? { status: "signed-out", failed } : this.initial;
  }

  signIn = async (): Promise<void> =>
    location.assign(`${this.paths.signIn}${revocation.active ? "?prompt=login" : ""}`);

  signOut = async (announce: () => void): Promise<void> => {
    const response = await fetch(this.paths.signOut, { method: "POST" });
    // Without this the page would tell the other tabs of a sign-out that has not happened: the cookie is still there.
    if (!response.ok) throw new Error(`sign-out failed with status ${response.status}`);
    const { location: next } = (await response.json()) as { location: string };
    announce();
    location.assign(next);
  };
}
