import { json, refuse } from "../../../server/answers";
import { withSignIn } from "../../../server/iam";
import { isSameOrigin } from "../../../server/origin";
import { serviceOf } from "../../../server/signer";
import { endSignIn } from "../../../server/signout";
import { getSession } from "../../../session";

/** Mode iam: signs the user out here, in the chat and at the provider, and tells the page the next address. */
export async function POST(request: Request): Promise<Response> {
  return withSignIn(async (signIn, configuration) => {
    const { pageOrigin } = configuration;
    if (!isSameOrigin(request.headers, pageOrigin)) return refuse(403, "cross_site", "Only the page itself may ask.");
    const session = await getSession(request);
    const [{ location, cookies }] = await Promise.all([
      signIn.end(),
      session && endSignIn(session, serviceOf(configuration)),
    ]);
    const answer = json(200, { location });
    for (const cookie of cookies) answer.headers.append("Set-Cookie", cookie);
    return answer;
  });
}
