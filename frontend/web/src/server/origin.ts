import { isLoopback, parseAddress } from "./environment";

/**
 * The address of the page under its one name, for a request to this machine by another name: cookies, the storage of
 * the browser and the provider know the page by its origin. Undefined when the request has the right name, and on other
 * machines.
 */
export function otherNameOf(pageOrigin: string, host: string | null): string | undefined {
  const [page, asked] = [new URL(pageOrigin), parseAddress(`http://${host}`)];
  const isOther =
    asked && isLoopback(asked) && isLoopback(page) && asked.port === page.port && asked.host !== page.host;
  return isOther ? pageOrigin : undefined;
}

/**
 * Whether a request comes from a page of this origin, so that no other site can use the cookies of the visitor.
 * Browsers send Sec-Fetch-Site, which scripts cannot set. Older browsers send an Origin with every POST. A request
 * without either does not count.
 */
export function isSameOrigin(headers: Headers, pageOrigin: string): boolean {
  const site = headers.get("Sec-Fetch-Site");
  return site === null ? headers.get("Origin") === pageOrigin : site === "same-origin";
}
