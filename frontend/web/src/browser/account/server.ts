import type { PageSettings } from "../settings";
import type { Account, AccountState } from "./account";
import { revocation } from "./revocation";

/** Mode iam: the server of the page signs users in, and keeps a cookie that scripts cannot read. */
export class ServerAccount implements Account {
  readonly initial: Exclude<AccountState, { status: "loading" }>;
  private readonly paths: { readonly signIn: string; readonly signOut: string };
  readonly user: string | undefined;
  private loaded: Promise<AccountState> | undefined;

  constructor({ server, rooms }: PageSettings) {
    this.initial = server?.signedIn ? { status: "signed-in", rooms } : { status: "signed-out" };
    this.user = server?.user;
    this.paths = { signIn: server?.signInPath ?? "/", signOut: server?.signOutPath ?? "/" };
  }

  load(): Promise<AccountState> {
    return (this.loaded ??= this.find());
  }

  /** The server reports a failed sign-in in the address. */
  private async find(): Promise<AccountState> {
    const problem = new URLSearchParams(location.search).get("problem");
    if (problem === null) return this.initial;
    history.replaceState(null, "", "/");
    return { ...this.initial, problem: problem === "unreachable" ? problem : "signIn" };
  }

  signIn = async (): Promise<void> =>
    location.assign(`${this.paths.signIn}${revocation.isActive(this.user) ? "?prompt=login" : ""}`);

  signOut = async (announce: () => void): Promise<void> => {
    const response = await fetch(this.paths.signOut, { method: "POST" });
    // Without this check the page would tell the other tabs of a sign-out that failed: the cookie is still there.
    if (!response.ok) throw new Error(`sign-out failed with status ${response.status}`);
    const { location: next } = (await response.json()) as { location: string };
    announce();
    location.assign(next);
  };
}
