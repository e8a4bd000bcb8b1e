const LIMIT = 500;

/** The 500 ids that were seen last: whatever has one of them has been shown. */
export class Recent {
  readonly #ids = new Set<string>();

  has(id: string): boolean {
    return this.#ids.has(id);
  }

  /** Remembers an id; false when it was known already. */
  add(id: string): boolean {
    const fresh = !this.#ids.delete(id);
    this.#ids.add(id);
    if (this.#ids.size > LIMIT) this.#ids.delete(this.#ids.values().next().value!);
    return fresh;
  }
}
