/** How long the document of a provider is kept, and how long after a failure the next request waits. */
const FRESH = 3_600_000;
const RETRY = 30_000;
const TIMEOUT = 2_000;

/** Endpoints that the page calls with fetch. The browser navigates to the others. */
const CALLED = ["token_endpoint", "userinfo_endpoint", "revocation_endpoint", "jwks_uri"];

interface Entry {
  readonly until: number;
  readonly origins: Promise<readonly string[]>;
}

/**
 * Finds the origins of an OpenID Connect provider. Its endpoints may be on other hosts than the issuer, as with Amazon
 * Cognito. The result is kept for an hour. Without a complete answer the origin of the issuer is used until the next
 * attempt.
 */
export class Discovery {
  private readonly entries = new Map<string, Entry>();

  constructor(
    private readonly fetch: typeof globalThis.fetch,
    private readonly now: () => number = performance.now.bind(performance),
  ) {}

  /** The origins that a page calls to sign users in at `issuer`. */
  origins(issuer: string): Promise<readonly string[]> {
    const known = this.entries.get(issuer);
    if (known && this.now() < known.until) return known.origins;
    const origins = this.read(issuer).catch((error: unknown) => {
      console.error(JSON.stringify({ level: "ERROR", message: "discovery failed", issuer, error: String(error) }));
      this.entries.set(issuer, { until: this.now() + RETRY, origins });
      return [new URL(issuer).origin];
    });
    this.entries.set(issuer, { until: this.now() + FRESH, origins });
    return origins;
  }

  private async read(issuer: string): Promise<readonly string[]> {
    const address = `${issuer.replace(/\/$/, "")}/.well-known/openid-configuration`;
    const response = await this.fetch(address, {
      signal: AbortSignal.timeout(TIMEOUT),
      redirect: "error",
      cache: "no-store",
    });
    if (!response.ok) throw new Error(`status ${response.status}`);
    const document = (await response.json()) as Record<string, unknown>;
    // During a change of the provider, or behind a page in between, an answer 200 can be incomplete.
    if (typeof document.token_endpoint !== "string") throw new Error("the document names no token_endpoint");
    const endpoints = CALLED.map((name) => document[name]).filter((endpoint) => typeof endpoint === "string");
    return [...new Set([issuer, ...endpoints].map((endpoint) => new URL(endpoint).origin))];
  }
}
