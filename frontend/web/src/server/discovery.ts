/**
 * For how long a provider's document is taken as it is, and after how long it is asked for again when it could not be
 * had.
 */
const FRESH = 3_600_000;
const RETRY = 30_000;
const TIMEOUT = 2_000;

/** Endpoints that a page calls from the browser; the others are navigated to. */
const CALLED = ["token_endpoint", "userinfo_endpoint", "revocation_endpoint", "jwks_uri"];

interface Entry {
  readonly until: number;
  readonly origins: Promise<readonly string[]>;
}

/**
 * Where an OpenID Connect provider is reached. Its endpoints may be on other hosts than the issuer: those of Amazon
 * Cognito are. What is found is kept for an hour. Without a complete answer the issuer's own origin has to do, until
 * the next try.
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
    // A provider that is being changed, or a page in between, answers 200 with less.
    if (typeof document.token_endpoint !== "string") throw new Error("the document names no token_endpoint");
    const endpoints = CALLED.map((name) => document[name]).filter((endpoint) => typeof endpoint === "string");
    return [...new Set([issuer, ...endpoints].map((endpoint) => new URL(endpoint).origin))];
  }
}
