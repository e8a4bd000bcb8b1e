import type { PageSettings } from "../settings";

type Claims = Readonly<Record<string, unknown>>;

/** Whether a token is a JSON Web Token, the only kind that the server can check. */
export function isJsonWebToken(token: string): boolean {
  const parts = token.split(".");
  return (
    parts.length === 3 &&
    parts.every((part) => /^[A-Za-z0-9_-]+$/.test(part)) &&
    [parts[0], parts[1]].every((part) => decoded(part) !== undefined)
  );
}

/** The claims of a token. The page does not trust them: a user who changes them sees rooms that `signurl` refuses. */
export function claimsOf(token: string): Claims {
  return decoded(token.split(".")[1]) ?? {};
}

/** For operators: the settings with which the provider gives tokens that the server can check. */
export const OPAQUE_TOKEN =
  "the provider's access token is no JSON Web Token, so the server cannot check it. Name the chat's API at the " +
  "provider, and set its audience or resource (parameter OidcAudience, variable OIDC_AUDIENCE) or one of its scopes " +
  "(parameter OidcScope, variable OIDC_SCOPE).";

/** For operators: why the server has refused an access token, as far as the page can tell. `now` is in Unix seconds. */
export function refusalOf(token: string, provider: PageSettings["provider"], now: number): string {
  const { iss, aud, client_id, iat, nbf, exp } = claimsOf(token);
  const expected = provider?.audience ?? provider?.clientId;
  const audiences = [aud ?? client_id].flat();
  const begins = Math.max(...[iat, nbf].filter((time) => typeof time === "number"));
  if (iss !== provider?.issuer)
    return `its issuer is ${JSON.stringify(iss)}, and OidcIssuer is ${JSON.stringify(provider?.issuer)}.`;
  if (!audiences.includes(expected))
    return `its audience is ${JSON.stringify(aud ?? client_id)}, and OidcAudience is ${JSON.stringify(expected)}.`;
  if (begins > now) return `it begins in ${begins - now} s: the provider's clock is ahead.`;
  if (typeof exp === "number" && exp <= now) return `it ended ${now - exp} s ago.`;
  return "the access log of the HTTP API has the reason as authorizerError.";
}

/** The JSON object in a part of a token. */
function decoded(part = ""): Claims | undefined {
  try {
    const bytes = Uint8Array.from(atob(part.replaceAll("-", "+").replaceAll("_", "/")), (c) => c.charCodeAt(0));
    const value: unknown = JSON.parse(new TextDecoder().decode(bytes));
    return typeof value === "object" && value !== null ? (value as Claims) : undefined;
  } catch {
    return undefined;
  }
}
