import { defaultProvider } from "@aws-sdk/credential-provider-node";
import { inModeIam } from "../../../server/iam";
import { Signer } from "../../../server/signer";
import { getSignedUrl } from "../../../server/signurl";
import { getSession } from "../../../session";

const credentials = defaultProvider();

/** Mode iam: gets the signed-in user a signed URL. */
export async function POST(request: Request): Promise<Response> {
  const signer = new Signer(credentials, process.env.AWS_REGION);
  const sign = (url: URL, body: string) => signer.sign(url, body);
  return inModeIam((configuration) => getSignedUrl(request, { ...configuration, getSession, sign, fetch }));
}
