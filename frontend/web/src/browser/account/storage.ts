/** The browser's storage for this site. A browser that refuses it forgets. */
export const storage = {
  get(name: string): string | undefined {
    try {
      return localStorage.getItem(name) ?? undefined;
    } catch {
      return undefined;
    }
  },
  set(name: string, value: string): void {
    try {
      localStorage.setItem(name, value);
    } catch {}
  },
  remove(name: string): void {
    try {
      localStorage.removeItem(name);
    } catch {}
  },
};
