const BASE = 500;
const LIMIT = 30_000;

/**
 * Milliseconds to wait after `failures` failures in a row, with full jitter: random(0, min(30 s, 0.5 s · 2ⁿ)).
 * Without jitter, all clients of one fault would reconnect in the same second.
 */
export function backoff(failures: number, random: () => number): number {
  return random() * Math.min(LIMIT, BASE * 2 ** failures);
}
