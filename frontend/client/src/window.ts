const LENGTH = 10_000; // of the server's rate limits

/** Keeps to a rate limit: at most `most` frames in 10 s. The server counts more as a violation. */
export class Window {
  #times: readonly number[] = [];
  #pausedUntil = 0;

  constructor(readonly most: number) {}

  /** When the next frame may be sent. */
  get freeAt(): number {
    const oldest = this.#times.length < this.most ? -Infinity : this.#times[0]!;
    return Math.max(this.#pausedUntil, oldest + LENGTH);
  }

  /** How many frames may be sent now. */
  left(now: number): number {
    return this.freeAt > now ? 0 : this.most - this.#times.filter((time) => time + LENGTH > now).length;
  }

  /** A frame was sent that counts as so many. */
  sent(now: number, count = 1): void {
    this.#times = [...this.#times, ...Array<number>(count).fill(now)].slice(-this.most);
  }

  pause(until: number): void {
    this.#pausedUntil = until;
  }
}
