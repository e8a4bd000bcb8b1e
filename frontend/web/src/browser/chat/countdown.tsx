import { useEffect, useState } from "react";

interface Props {
  readonly className: string;
  /** On the clock of `performance.now()`. */
  readonly until: number;
  /** `{n}` stands for the seconds. */
  readonly text: string;
}

/** Counts down the seconds. Screen readers skip it: the text beside it says the important part. */
export function Countdown({ className, until, text }: Props) {
  const [now, setNow] = useState(() => performance.now());
  useEffect(() => {
    const timer = setInterval(() => setNow(performance.now()), 500);
    return () => clearInterval(timer);
  }, []);
  const seconds = Math.max(0, Math.ceil((until - now) / 1000));
  return (
    <span className={className} aria-hidden="true">
      {text.replace("{n}", String(seconds))}
    </span>
  );
}
