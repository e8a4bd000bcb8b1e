import { failed, redirect, withSignIn } from "../../../../server/iam";

/** Mode iam: the browser comes back from the provider. To browsers this is /callback, see proxy.ts. */
export async function GET(request: Request): Promise<Response> {
  const { search } = new URL(request.url);
  return withSignIn((signIn) => signIn.finish(request.headers, search).then(redirect, failed("signIn")));
}
