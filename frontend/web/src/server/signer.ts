import { Sha256 } from "@aws-crypto/sha256-js";
import { defaultProvider } from "@aws-sdk/credential-provider-node";
import { SignatureV4 } from "@smithy/signature-v4";
import type { AwsCredentialIdentityProvider } from "@smithy/types";
import type { Service } from "./service";

const credentials = defaultProvider();

/** The way of this server to the service at `signUrl`, with the credentials in its environment. */
export function serviceOf({ signUrl }: { readonly signUrl: URL }): Service {
  const signer = new Signer(credentials, process.env.AWS_REGION);
  return { signUrl, sign: (url, body) => signer.sign(url, body), fetch };
}

/**
 * Signs requests to API Gateway with the credentials of the server: those of its role on Lambda, or of a developer on a
 * laptop.
 */
export class Signer {
  constructor(
    private readonly credentials: AwsCredentialIdentityProvider,
    private readonly region: string | undefined,
  ) {}

  /** The headers for a POST of `body` to `url`. Rejects without credentials. */
  async sign(url: URL, body: string): Promise<Record<string, string>> {
    const region = this.region ?? /\.execute-api\.([a-z0-9-]+)\./.exec(url.hostname)?.[1];
    if (!region) throw new Error("no region: set AWS_REGION");
    const signature = new SignatureV4({
      service: "execute-api",
      region,
      credentials: this.credentials,
      sha256: Sha256,
    });
    const { headers } = await signature.sign({
      method: "POST",
      protocol: url.protocol,
      hostname: url.hostname,
      path: url.pathname,
      query: {},
      headers: { host: url.host, "content-type": "application/json" },
      body,
    });
    return headers;
  }
}
