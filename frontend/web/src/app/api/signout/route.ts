import { json, refuse } from "../../../server/answers";
import { withSignIn } from "../../../server/iam";
import { isSameOrigin } from "../../../server/origin";

/** Mode iam: signs the user out, and tells the page where to go then. */
export async function POST(request: Request): Promise<Response> {
  return withSignIn(async (signIn, { pageOrigin }) => {
    if (!isSameOrigin(request.headers, pageOrigin)) return refuse(403, "cross_site", "Only the page itself may ask.");
    const { location, cookies } = await signIn.end();
    const answer = json(200, { location });
    for (const cookie of cookies) answer.headers.append("Set-Cookie", cookie);
    return answer;
  });
}
