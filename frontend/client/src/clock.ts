/** Measures durations. Setting the machine's clock does not move it. */
export interface Clock {
  /** Milliseconds since some moment in the past. */
  now(): number;
  /**
   * Unix milliseconds as far as the machine knows, which may be wrong: for ids and display, never for durations. It
   * passes while the machine sleeps.
   */
  unix(): number;
  setTimeout(fire: () => void, ms: number): unknown;
  clearTimeout(timer: unknown): void;
}

export const monotonicClock: Clock = {
  now: () => performance.now(),
  unix: () => Date.now(),
  setTimeout: (fire, ms) => setTimeout(fire, ms),
  clearTimeout: (timer) => clearTimeout(timer as number),
};

/** One timer that can be set anew; setting it forgets the time before. */
export class Alarm {
  readonly #clock: Clock;
  readonly #fire: () => void;
  #timer: unknown;

  constructor(clock: Clock, fire: () => void) {
    this.#clock = clock;
    this.#fire = fire;
  }

  get isSet(): boolean {
    return this.#timer !== undefined;
  }

  /** Fires once in `ms` milliseconds; never for Infinity. */
  set(ms: number): void {
    this.clear();
    if (ms === Infinity) return;
    this.#timer = this.#clock.setTimeout(() => {
      this.#timer = undefined;
      this.#fire();
    }, ms);
  }

  clear(): void {
    this.#clock.clearTimeout(this.#timer);
    this.#timer = undefined;
  }
}
