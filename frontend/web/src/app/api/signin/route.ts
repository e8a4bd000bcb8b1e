import { failed, redirect, withSignIn } from "../../../server/iam";

/** Mode iam: sends the browser to the provider. */
export async function GET(): Promise<Response> {
  return withSignIn((signIn) => signIn.begin().then(redirect, failed));
}
