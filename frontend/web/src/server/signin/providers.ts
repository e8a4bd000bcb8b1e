import * as oidc from "openid-client";
import { isLoopback } from "../environment";
import type { SignInSettings } from "./settings";

/** How long, in milliseconds, the document of a provider is kept, and how long a failure counts. */
const FRESH = 3_600_000;
const RETRY = 5_000;

/** The settings that a request to a provider needs. */
export type ProviderSettings = Pick<SignInSettings, "provider" | "clientSecret">;

interface Entry {
  readonly until: number;
  readonly found: Promise<oidc.Configuration>;
}

/**
 * Knows OpenID Connect providers. However many visitors sign in, it asks a provider once: they share a request under
 * way.
 */
export class Providers {
  private readonly entries = new Map<string, Entry>();

  constructor(
    private readonly discover: (settings: ProviderSettings) => Promise<oidc.Configuration> = discovery,
    private readonly now: () => number = performance.now.bind(performance),
  ) {}

  /** The provider that the settings name. Rejects when it does not answer. */
  find(settings: ProviderSettings): Promise<oidc.Configuration> {
    const key = JSON.stringify([settings.provider.issuer, settings.provider.clientId, settings.clientSecret]);
    const known = this.entries.get(key);
    if (known && this.now() < known.until) return known.found;
    const found = this.discover(settings);
    this.entries.set(key, { until: this.now() + FRESH, found });
    found.catch(() => this.entries.set(key, { until: this.now() + RETRY, found }));
    return found;
  }
}

function discovery({ provider, clientSecret }: ProviderSettings): Promise<oidc.Configuration> {
  const issuer = new URL(provider.issuer);
  const authentication = clientSecret ? oidc.ClientSecretPost(clientSecret) : oidc.None();
  const execute = isLoopback(issuer) ? [oidc.allowInsecureRequests] : [];
  return oidc.discovery(issuer, provider.clientId, undefined, authentication, { execute, timeout: 5 });
}
