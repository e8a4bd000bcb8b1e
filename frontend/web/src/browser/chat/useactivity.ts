import { useEffect } from "react";

/** Calls back when the user does something on the page. */
export function useActivity(acted: () => void): void {
  useEffect(() => {
    const listening = new AbortController();
    const options = { signal: listening.signal, capture: true, passive: true };
    for (const event of ["focus", "keydown", "pointerdown", "wheel", "touchmove", "input"])
      addEventListener(event, acted, options);
    return () => listening.abort();
  }, [acted]);
}
