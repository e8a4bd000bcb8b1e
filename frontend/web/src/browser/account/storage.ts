/** What the browser's storage refused, because it is full or forbidden: it holds as long as the page. */
const kept = new Map<string, string>();

/** The browser's storage for this site. A browser that refuses it forgets with the page. */
export const storage = {
  get(name: string): string | undefined {
    try {
      return kept.get(name) ?? localStorage.getItem(name) ?? undefined;
    } catch {
      return undefined;
    }
  },
  set(name: string, value: string): void {
    try {
      localStorage.setItem(name, value);
      kept.delete(name);
    } catch {
      kept.set(name, value);
    }
  },
  remove(name: string): void {
    kept.delete(name);
    try {
      localStorage.removeItem(name);
    } catch {}
  },
};
