import type { User, UserManager } from "oidc-client-ts";
import type { PageSettings } from "../settings";
import type { Account, AccountState } from "./account";
import { signInProblem } from "./problem";
import { revocation } from "./revocation";
import { claimedRooms } from "./rooms";
import { isJsonWebToken, OPAQUE_TOKEN, refusalOf } from "./token";

/** A token that ends sooner than this, in seconds, is no longer used. */
const MARGIN = 30;

/**
 * A token that ends sooner than this is renewed when the client needs one. In the last minute of a session the client
 * asks for a token that lasts longer.
 */
const FRESH = 90;

/**
 * Mode jwt: the browser signs in at an OpenID Connect provider, by the authorization code flow with PKCE. The tokens
 * stay in the sessionStorage of this tab. A provider with refresh tokens gives a new access token when the old one has
 * ended and one is needed.
 */
export class ProviderAccount implements Account {
  readonly initial: AccountState = { status: "loading" };
  private managed: Promise<UserManager> | undefined;
  private loaded: Promise<AccountState> | undefined;
  private refused: string | undefined;
  user: string | undefined;

  constructor(private readonly settings: PageSettings) {}

  load(): Promise<AccountState> {
    return (this.loaded ??= this.find());
  }

  get isRefused(): boolean {
    return this.refused !== undefined;
  }

  getToken = async (_signal?: AbortSignal, refused?: string): Promise<string | undefined> => {
    this.refused = refused;
    if (refused !== undefined)
      console.error(
        "the server refuses the access token:",
        refusalOf(refused, this.settings.provider, Date.now() / 1000),
      );
    const manager = await this.manager();
    const user = await manager.getUser();
    if (user && user.access_token !== refused && lives(user, FRESH)) return user.access_token;
    const present = user && lives(user) ? user.access_token : undefined;
    if (revocation.isActive(this.user)) return present;
    return (
      (
        await renewed(manager, user).catch((error: unknown) =>
          present === undefined ? Promise.reject(error) : undefined,
        )
      )?.access_token ?? present
    );
  };

  signIn = async (): Promise<void> =>
    (await this.manager()).signinRedirect(revocation.isActive(this.user) ? { prompt: "login" } : {});

  forget = async (): Promise<void> => (await this.manager()).removeUser();

  signOut = async (announce: () => void): Promise<void> => {
    const manager = await this.manager();
    const user = await manager.getUser();
    await manager.removeUser();
    announce();
    const home = `${location.origin}/`;
    // Signing out works here even when the provider does not answer.
    const endpoint = await manager.metadataService.getEndSessionEndpoint().catch(() => undefined);
    if (!endpoint) return location.assign(home);
    // Amazon Cognito uses its own name, logout_uri, for the address to come back to.
    const extraQueryParams = { client_id: manager.settings.client_id, logout_uri: home };
    await manager.signoutRedirect({
      post_logout_redirect_uri: home,
      extraQueryParams,
      ...(user?.id_token && { id_token_hint: user.id_token }),
    });
  };

  private async find(): Promise<AccountState> {
    const returned = location.pathname === "/callback";
    try {
      const manager = await this.manager();
      const user = returned ? await manager.signinCallback() : await manager.getUser();
      if (!user || !lives(user)) return { status: "signed-out" };
      if (!isJsonWebToken(user.access_token)) {
        console.error("sign-in failed:", OPAQUE_TOKEN);
        await manager.removeUser();
        return { status: "signed-out", problem: "token" };
      }
      this.user = user.profile.sub;
      const { rooms, roomsClaim } = this.settings;
      return { status: "signed-in", rooms: roomsClaim ? claimedRooms(user.access_token, roomsClaim) : rooms };
    } catch (error) {
      console.error("sign-in failed:", error);
      return { status: "signed-out", problem: signInProblem(error) };
    } finally {
      if (returned) history.replaceState(null, "", "/"); // the code in the address is used up
    }
  }

  private async manager(): Promise<UserManager> {
    try {
      return await (this.managed ??= this.newManager());
    } catch (error) {
      this.managed = undefined; // the network may be back the next time
      throw error;
    }
  }

  /** Loads the library here, so that the other modes do not load it. */
  private async newManager(): Promise<UserManager> {
    const { UserManager, WebStorageStateStore } = await import("oidc-client-ts");
    const { issuer = "", clientId = "", audience, scope = "" } = this.settings.provider ?? {};
    const tab = new WebStorageStateStore({ store: sessionStorage });
    return new UserManager({
      authority: issuer,
      client_id: clientId,
      redirect_uri: `${location.origin}/callback`,
      scope,
      userStore: tab,
      stateStore: tab,
      automaticSilentRenew: false,
      ...(audience && { extraQueryParams: { audience } }),
    });
  }
}

function lives(user: User, margin = MARGIN): boolean {
  return (user.expires_in ?? Infinity) > margin;
}

/**
 * Returns the user with a new access token. Undefined without a refresh token, or when the provider refuses it. Rejects
 * when the provider does not answer.
 */
async function renewed(manager: UserManager, user: User | null): Promise<User | undefined> {
  if (!user?.refresh_token) return undefined;
  try {
    return (await manager.signinSilent()) ?? undefined;
  } catch (error) {
    if (error instanceof Error && error.name === "ErrorResponse") return undefined;
    throw error;
  }
}
