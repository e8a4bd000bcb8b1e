import * as oidc from "openid-client";
import type { Session } from "../../session";
import { isLoopback } from "../environment";
import { sessionCookie, type SignInSettings, transactionCookie } from "./settings";
import { displayName, userId } from "./user";

/** Where to send the browser, and which Set-Cookie headers to give it. */
export interface Redirect {
  readonly location: string;
  readonly cookies: readonly string[];
}

/** Signs users in at an OpenID Connect provider by the authorization code flow with PKCE, all of it on the server. */
export class SignIn {
  constructor(private readonly settings: SignInSettings) {}

  /** Begins: off to the provider. Rejects when the provider does not answer. */
  async begin(): Promise<Redirect> {
    const transaction = { state: oidc.randomState(), nonce: oidc.randomNonce(), verifier: oidc.randomPKCECodeVerifier() };
    const location = oidc.buildAuthorizationUrl(await this.client(), {
      redirect_uri: this.callbackUrl(""),
      scope: this.settings.provider.scope,
      state: transaction.state,
      nonce: transaction.nonce,
      code_challenge: await oidc.calculatePKCECodeChallenge(transaction.verifier),
      code_challenge_method: "S256",
    });
    return { location: location.href, cookies: [await this.settings.jar.seal(transactionCookie, transaction)] };
  }

  /** Ends: checks what the provider has put into the query of the callback, and opens a session. Rejects what this browser did not begin. */
  async finish(headers: Headers, search: string): Promise<Redirect> {
    const { jar, provider } = this.settings;
    const transaction = await jar.open<{ state: string; nonce: string; verifier: string }>(transactionCookie, headers);
    if (!transaction) throw new Error("this browser has begun no sign-in, or more than ten minutes ago");
    const tokens = await oidc.authorizationCodeGrant(await this.client(), new URL(this.callbackUrl(search)), {
      expectedState: transaction.state,
      expectedNonce: transaction.nonce,
      pkceCodeVerifier: transaction.verifier,
      idTokenExpected: true,
    });
    const claims = tokens.claims();
    if (!claims) throw new Error("the provider sent no ID token");
    const session: Session = {
      sub: userId(provider.issuer, claims.sub),
      name: displayName(claims.name ?? claims.preferred_username ?? claims["cognito:username"]), // Amazon Cognito has no name by itself
      startedAt: claims.iat,
      endsAt: Math.floor(Date.now() / 1000) + sessionCookie.maxAge,
    };
    return { location: "/", cookies: [await jar.seal(sessionCookie, session), jar.clear(transactionCookie)] };
  }

  /** Signs out here and, when it has a place for that, at the provider. */
  async end(): Promise<Redirect> {
    const { jar, provider, pageOrigin } = this.settings;
    const home = `${pageOrigin}/`;
    const cookies = [jar.clear(sessionCookie)];
    const client = await this.client().catch(() => undefined); // a provider that is away keeps nobody signed in here
    if (!client?.serverMetadata().end_session_endpoint) return { location: home, cookies };
    // Amazon Cognito has a name of its own, logout_uri, for the address to come back to.
    const parameters = { client_id: provider.clientId, post_logout_redirect_uri: home, logout_uri: home };
    return { location: oidc.buildEndSessionUrl(client, parameters).href, cookies };
  }

  private callbackUrl(search: string): string {
    return `${this.settings.pageOrigin}/callback${search}`;
  }

  private client(): Promise<oidc.Configuration> {
    const { provider, clientSecret } = this.settings;
    const issuer = new URL(provider.issuer);
    const authentication = clientSecret ? oidc.ClientSecretPost(clientSecret) : oidc.None();
    const execute = isLoopback(issuer) ? [oidc.allowInsecureRequests] : [];
    return oidc.discovery(issuer, provider.clientId, undefined, authentication, { execute, timeout: 5 });
  }
}
