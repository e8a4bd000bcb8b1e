import type { Account, AccountState } from "./account";

/** Mode guest: nobody signs in, and everybody is in. */
export class GuestAccount implements Account {
  readonly initial: AccountState;

  constructor(rooms: readonly string[]) {
    this.initial = { status: "signed-in", rooms };
  }

  async load(): Promise<AccountState> {
    return this.initial;
  }
}
