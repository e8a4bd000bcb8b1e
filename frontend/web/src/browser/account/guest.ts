import { newSecret } from "@signedsocket/client";
import type { Account, AccountState } from "./account";
import { storage } from "./storage";

const SECRET = "signedsocket-guest";

/** Mode guest: no sign-in. This browser is one guest as long as it keeps the secret. */
export class GuestAccount implements Account {
  readonly initial: AccountState;

  constructor(rooms: readonly string[]) {
    this.initial = { status: "signed-in", rooms };
  }

  async load(): Promise<AccountState> {
    return this.initial;
  }

  get guest(): { readonly secret: string } | undefined {
    if (typeof window === "undefined") return undefined; // on the server, without a guest
    const kept = storage.get(SECRET);
    if (kept && /^[A-Za-z0-9_-]{42}[AEIMQUYcgkosw048]$/.test(kept)) return { secret: kept };
    const secret = newSecret();
    storage.set(SECRET, secret);
    return { secret };
  }
}
