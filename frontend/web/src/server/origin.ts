import { isLoopback, parseAddress } from "./environment";

/**
 * Where the page is under its one name, for a request to this machine by another: cookies, the browser's storage and
 * the provider know the page by its origin. Undefined when the request has the right name, and on other machines.
 */
export function otherNameOf(pageOrigin: string, host: string | null): string | undefined {
  const [page, asked] = [new URL(pageOrigin), parseAddress(`http://${host}`)];
  const isOther =
    asked && isLoopback(asked) && isLoopback(page) && asked.port === page.port && asked.host !== page.host;
  return isOther ? pageOrigin : undefined;
}

/**
 * Whether a request comes from a page of our own origin, so that no other site can use the visitor's cookies. Browsers
 * say so in Sec-Fetch-Site, which scripts cannot set; those that do not send an Origin with every POST. Without either
 * it does not.
 */
export function isSameOrigin(headers: Headers, pageOrigin: string): boolean {
  const site = headers.get("Sec-Fetch-Site");
  return site === null ? headers.get("Origin") === pageOrigin : site === "same-origin";
}
