import { failed, redirect, withSignIn } from "../../../server/iam";

/** Mode iam: sends the browser to the provider, which with `?prompt=login` asks who it is whatever session it has. */
export async function GET(request: Request): Promise<Response> {
  const anew = new URL(request.url).searchParams.get("prompt") === "login";
  return withSignIn((signIn) => signIn.begin(request.headers, anew).then(redirect, failed("unreachable")));
}
