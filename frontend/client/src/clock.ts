/** Measures durations. A change of the system time does not move it. */
export interface Clock {
  /** Milliseconds since some moment in the past. */
  now(): number;
  /**
   * Unix milliseconds by the system time, which may be wrong: for ids and display, never for durations. It goes on
   * while the machine sleeps.
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

/** One timer. Each call of set replaces the time before. */
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
