import { useEffect, useRef } from "react";

interface Props {
  /** The content of the list. After a change the place may be in sight still, and is looked at again. */
  readonly of: readonly unknown[];
  readonly seen: () => void;
}

/** A place in a list, without a size. It says when it is in sight, or nearly. */
export function Sight({ of, seen }: Props) {
  const place = useRef<HTMLSpanElement>(null);
  useEffect(() => {
    const element = place.current!;
    const observer = new IntersectionObserver(([entry]) => entry?.isIntersecting && seen(), {
      root: element.closest(".log"),
      rootMargin: "200px 0px",
    });
    observer.observe(element);
    return () => observer.disconnect();
  }, [of, seen]);
  return <span className="sight" ref={place} aria-hidden="true" />;
}
