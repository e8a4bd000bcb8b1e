import type { Problem } from "../browser/account/problem";
import { refuse } from "./answers";
import { type Configuration, readConfiguration } from "./configuration";
import { Providers } from "./signin/providers";
import { readSignInSettings } from "./signin/settings";
import { type Redirect, SignIn } from "./signin/signin";

const providers = new Providers();

/** Serves a route that exists in mode iam only. */
export async function inModeIam(serve: (configuration: Configuration) => Promise<Response>): Promise<Response> {
  const { value: configuration } = readConfiguration(process.env);
  if (!configuration) return notConfigured();
  return configuration.mode === "iam"
    ? serve(configuration)
    : refuse(404, "not_found", "This deployment has no such address.");
}

/** Serves a route of the sign-in that ships, in mode iam. */
export async function withSignIn(
  serve: (signIn: SignIn, configuration: Configuration) => Promise<Response>,
): Promise<Response> {
  return inModeIam(async (configuration) => {
    const { value: settings } = readSignInSettings(process.env);
    return settings ? serve(new SignIn(settings, providers), configuration) : notConfigured();
  });
}

/** Sends the browser to another address. */
export function redirect({ location, cookies }: Redirect): Response {
  const headers = new Headers({ Location: location, "Cache-Control": "no-store" });
  for (const cookie of cookies) headers.append("Set-Cookie", cookie);
  return new Response(null, { status: 303, headers });
}

/**
 * Logs why a sign-in failed, and sends the browser back to the page, which reports it. This is not logged as a fault,
 * because five faults raise an alarm, and any visitor can make a sign-in fail.
 */
export function failed(problem: Problem): (error: unknown) => Response {
  return (error) => {
    console.error(JSON.stringify({ level: "WARN", message: "sign-in failed", problem, error: String(error) }));
    return redirect({ location: `/?problem=${problem.toLowerCase()}`, cookies: [] });
  };
}

function notConfigured(): Response {
  return refuse(503, "auth_not_configured", "The page is not configured: open it to see what is missing.");
}
