import * as oidc from "openid-client";
import { type Providers } from "./providers";
import { newSession, oldTransactions, sessionCookie, type SignInSettings, transactionCookie } from "./settings";
import { displayName, validSubject } from "./user";

/** Where to send the browser, and which Set-Cookie headers to give it. */
export interface Redirect {
  readonly location: string;
  readonly cookies: readonly string[];
}

/** Signs users in at an OpenID Connect provider by the authorization code flow with PKCE, all of it on the server. */
export class SignIn {
  constructor(
    private readonly settings: SignInSettings,
    private readonly providers: Providers,
  ) {}

  /**
   * Begins: off to the provider, which with `anew` has to ask who it is, whatever session it has. Rejects when the
   * provider does not answer.
   */
  async begin(headers: Headers, anew = false): Promise<Redirect> {
    const { jar } = this.settings;
    const transaction = {
      state: oidc.randomState(),
      nonce: oidc.randomNonce(),
      verifier: oidc.randomPKCECodeVerifier(),
    };
    const location = oidc.buildAuthorizationUrl(await this.client(), {
      redirect_uri: this.callbackUrl(""),
      scope: this.settings.provider.scope,
      state: transaction.state,
      nonce: transaction.nonce,
      code_challenge: await oidc.calculatePKCECodeChallenge(transaction.verifier),
      code_challenge_method: "S256",
      ...(anew && { prompt: "login" }),
    });
    const cookie = await jar.seal(transactionCookie(transaction.state), transaction);
    return {
      location: location.href,
      cookies: [cookie, ...oldTransactions(jar, headers).map((old) => jar.clear(old))],
    };
  }

  /**
   * Ends: checks what the provider has put into the query of the callback, and opens a session. Rejects what this
   * browser did not begin.
   */
  async finish(headers: Headers, search: string): Promise<Redirect> {
    const { jar } = this.settings;
    const cookie = transactionCookie(new URLSearchParams(search).get("state") ?? "");
    const transaction = await jar.open<{ state: string; nonce: string; verifier: string }>(cookie, headers);
    if (!transaction) throw new Error("this browser has begun no sign-in, or more than ten minutes ago");
    const tokens = await oidc.authorizationCodeGrant(await this.client(), new URL(this.callbackUrl(search)), {
      expectedState: transaction.state,
      expectedNonce: transaction.nonce,
      pkceCodeVerifier: transaction.verifier,
      idTokenExpected: true,
    });
    const claims = tokens.claims();
    if (!claims) throw new Error("the provider sent no ID token");
    if (!validSubject(claims.sub)) throw new Error("the provider calls the user by a sub that the chat does not take");
    const session = newSession({
      sub: claims.sub,
      iss: claims.iss,
      // Amazon Cognito has no name by itself
      name: displayName(claims.name ?? claims.preferred_username ?? claims["cognito:username"]),
      // A revocation is over when the user has shown again who it is, and not when the provider has written another
      // token.
      startedAt: claims.auth_time ?? claims.iat,
      endsAt: Math.floor(Date.now() / 1000) + sessionCookie.maxAge,
    });
    return { location: "/", cookies: [await jar.seal(sessionCookie, session), jar.clear(cookie)] };
  }

  /** Signs out here and, when it has a place for that, at the provider. */
  async end(): Promise<Redirect> {
    const { jar, provider, pageOrigin } = this.settings;
    const home = `${pageOrigin}/`;
    const cookies = [jar.clear(sessionCookie)];
    const client = await this.client().catch(() => undefined); // signing out works without the provider
    if (!client?.serverMetadata().end_session_endpoint) return { location: home, cookies };
    // Amazon Cognito has a name of its own, logout_uri, for the address to come back to.
    const parameters = { client_id: provider.clientId, post_logout_redirect_uri: home, logout_uri: home };
    return { location: oidc.buildEndSessionUrl(client, parameters).href, cookies };
  }

  private callbackUrl(search: string): string {
    return `${this.settings.pageOrigin}/callback${search}`;
  }

  private client(): Promise<oidc.Configuration> {
    return this.providers.find(this.settings);
  }
}
