/**
 * Whether a request comes from a page of our own origin, so that no other site can use the visitor's cookies. Browsers
 * say so in Sec-Fetch-Site, which scripts cannot set; those that do not send an Origin with every POST. Without either
 * it does not.
 */
export function isSameOrigin(headers: Headers, pageOrigin: string): boolean {
  const site = headers.get("Sec-Fetch-Site");
  return site === null ? headers.get("Origin") === pageOrigin : site === "same-origin";
}
