import { storage } from "./storage";

const MARK = "signedsocket-revoked";

/** The entry of the list for a user whom the page does not know. */
const SOMEBODY = "";

/**
 * Remembers, for all tabs of the browser, which users the server has revoked. The open session at the provider may sign
 * such a user in again without a question. So the page waits until the user acts, and lets the provider ask for the
 * password. It forgets the user when the server lets the user in again.
 */
export const revocation = {
  begin(user = SOMEBODY): void {
    write([...revoked().filter((name) => name !== user), user]);
  },

  /** Removes a user whom the server has let in. */
  end(user: string | undefined): void {
    write(user === undefined ? [] : revoked().filter((name) => name !== user && name !== SOMEBODY));
  },

  /** Whether a user is revoked. Without an argument: whether any user of this browser is. */
  isActive(user: string | undefined): boolean {
    const names = revoked();
    return user === undefined ? names.length > 0 : names.includes(user) || names.includes(SOMEBODY);
  },
};

/** The previous version wrote one mark for all users. */
function revoked(): readonly string[] {
  try {
    const names: unknown = JSON.parse(storage.get(MARK) ?? "[]");
    return Array.isArray(names) ? names.map(String) : [SOMEBODY];
  } catch {
    return [SOMEBODY];
  }
}

function write(names: readonly string[]): void {
  if (names.length === 0) storage.remove(MARK);
  else storage.set(MARK, JSON.stringify(names));
}
