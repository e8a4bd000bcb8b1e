import { storage } from "./storage";

const MARK = "signedsocket-revoked";

/**
 * Remembers, for all tabs of the browser, that the server has revoked the user. The provider may still have an open
 * session and would sign the same user in again without a word: until the server lets somebody in again, the page signs
 * nobody in by itself, and the provider is told to ask who it is.
 */
export const revocation = {
  begin: (): void => storage.set(MARK, "1"),
  end: (): void => storage.remove(MARK),
  get active(): boolean {
    return storage.get(MARK) !== undefined;
  },
};
