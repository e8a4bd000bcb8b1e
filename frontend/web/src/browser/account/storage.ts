/** The values that the storage refused, because it is full or forbidden. They last as long as the page. */
const kept = new Map<string, string>();

/** The storage of the browser for this site. If it refuses a value, the value is lost with the page. */
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
