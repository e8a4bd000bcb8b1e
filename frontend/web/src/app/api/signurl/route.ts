import { inModeIam } from "../../../server/iam";
import { serviceOf } from "../../../server/signer";
import { getSignedUrl } from "../../../server/signurl";
import { getSession } from "../../../session";

/** Mode iam: gets the signed-in user a signed URL. */
export async function POST(request: Request): Promise<Response> {
  return inModeIam((configuration) =>
    getSignedUrl(request, { ...configuration, ...serviceOf(configuration), getSession }),
  );
}
