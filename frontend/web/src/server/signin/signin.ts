import * as oidc from "openid-client";
import { type Providers } from "./providers";
import { newSession, oldTransactions, sessionCookie, type SignInSettings, transactionCookie } from "./settings";
import { displayName, isModerator, validSubject } from "./user";

/** The next address of the browser, and its Set-Cookie headers. */
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
   * Begins a sign-in at the provider. With `anew` the provider has to ask for the user even with a session. Rejects
   * when the provider does not answer.
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
   * Finishes a sign-in: checks the query of the callback, and opens a session. Rejects a sign-in that this browser did
   * not begin.
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
    const { moderatorClaim } = this.settings;
    const session = newSession({
      sub: claims.sub,
      iss: claims.iss,
      // Amazon Cognito has no name by itself
      name: displayName(claims.name ?? claims.preferred_username ?? claims["cognito:username"]),
      // A revocation ends when the user has authenticated again, not when the provider has issued another token.
      startedAt: claims.auth_time ?? claims.iat,
      endsAt: Math.floor(Date.now() / 1000) + sessionCookie.maxAge,
      ...(moderatorClaim !== undefined && isModerator(claims[moderatorClaim]) && { moderator: true }),
    });
    return { location: "/", cookies: [await jar.seal(sessionCookie, session), jar.clear(cookie)] };
  }

  /** Signs out here and, if the provider supports that, at the provider. */
  async end(): Promise<Redirect> {
    const { jar, provider, pageOrigin } = this.settings;
    const home = `${pageOrigin}/`;
    const cookies = [jar.clear(sessionCookie)];
    const client = await this.client().catch(() => undefined); // signing out works without the provider
    if (!client?.serverMetadata().end_session_endpoint) return { location: home, cookies };
    // Amazon Cognito uses its own name, logout_uri, for the address to come back to.
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
