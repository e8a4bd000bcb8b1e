import { failed, redirect, withSignIn } from "../../../server/iam";

/**
 * Mode iam: sends the browser to the provider. With `?prompt=login` the provider asks for the user even with a session.
 */
export async function GET(request: Request): Promise<Response> {
  const anew = new URL(request.url).searchParams.get("prompt") === "login";
  return withSignIn((signIn) => signIn.begin(request.headers, anew).then(redirect, failed("unreachable")));
}
