import { type Environment, Reader, type Reading } from "./environment";

/** The source of the users: the deployment's AuthMode. */
export type AuthMode = "jwt" | "iam" | "guest";

/** The settings with which users sign in at an OpenID Connect provider. */
export interface Provider {
  /** As in the tokens' claim `iss`. */
  readonly issuer: string;
  readonly clientId: string;
  /** The audience of access tokens, if it is not the client itself. */
  readonly audience: string | undefined;
  /** Scopes, separated by spaces. */
  readonly scope: string;
}

/** The configuration of the page. The server reads it for each request, so that one build serves every stage. */
export interface Configuration {
  readonly mode: AuthMode;
  /** `POST /signurl`. */
  readonly signUrl: URL;
  /** The address of the socket for the policy of the page. The address to dial comes from `signurl`. */
  readonly webSocketUrl: URL;
  /** Origin of the page as browsers see it. */
  readonly pageOrigin: string;
  /** The rooms to enter. */
  readonly rooms: readonly string[];
  /** Mode jwt: the claim of the access token that lists the rooms of a user. Without it every user has `rooms`. */
  readonly roomsClaim: string | undefined;
  /** The provider in mode jwt, where the browser signs in. */
  readonly provider: Provider | undefined;
}

/** Reads the configuration of the page. */
export function readConfiguration(environment: Environment): Reading<Configuration> {
  const read = new Reader(environment);
  const mode = read.oneOf("AUTH_MODE", ["jwt", "iam", "guest"]);
  const signUrl = read.address("SIGN_URL", "https:");
  const webSocketUrl = read.address("WEBSOCKET_URL", "wss:");
  const pageOrigin = read.address("PAGE_ORIGIN", "https:")?.origin;
  const rooms = read.rooms(mode === "guest" && environment.GUEST_ROOMS ? "GUEST_ROOMS" : "DEFAULT_ROOMS");
  const provider = mode === "jwt" ? readProvider(read) : undefined;
  if (!mode || !signUrl || !webSocketUrl || !pageOrigin || !rooms) return read.fail();
  return read.end({
    mode,
    signUrl,
    webSocketUrl,
    pageOrigin,
    rooms,
    provider,
    roomsClaim: environment.ROOMS_CLAIM || undefined,
  });
}

/** Scopes with `openid`. Without it a provider does not name the user. */
function scopeOf(setting: string): string {
  const scopes = setting.split(/\s+/).filter((scope) => scope !== "");
  return [...new Set(["openid", ...scopes])].join(" ");
}

/** Reads the settings of the sign-in. */
export function readProvider(read: Reader): Provider | undefined {
  const issuer = read.address("OIDC_ISSUER", "https:") && read.text("OIDC_ISSUER");
  const clientId = read.text("OIDC_CLIENT_ID");
  if (!issuer || !clientId) return undefined;
  const audience = read.environment.OIDC_AUDIENCE?.split(",")[0];
  return {
    issuer,
    clientId,
    audience: audience === clientId ? undefined : audience || undefined,
    scope: scopeOf(read.environment.OIDC_SCOPE || "openid profile"),
  };
}
