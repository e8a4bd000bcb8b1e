import type { Session } from "../session";
import { json, refuse } from "./answers";
import { isSameOrigin } from "./origin";

/** How long `signurl` may take, in milliseconds. The browser waits for 10 s. */
const TIMEOUT = 8_000;

/** As long as a request to `signurl` may be, in characters. */
const LONGEST = 1024;

/** What the route needs from where it runs. */
export interface SignUrlOptions {
  /** `POST /signurl`. */
  readonly signUrl: URL;
  readonly pageOrigin: string;
  readonly getSession: (request: Request) => Promise<Session | undefined>;
  readonly sign: (url: URL, body: string) => Promise<Record<string, string>>;
  readonly fetch: typeof globalThis.fetch;
}

/** What a browser asks: the rooms to be in, and the hash of its secret for this one connection. */
interface Wish {
  readonly rooms: readonly string[] | undefined;
  readonly challenge: string | undefined;
}

/**
 * Gets the signed-in user of a request a signed URL. Who the user is comes from the session and never from the request, and
 * the answer of `signurl` is passed on with its status and Retry-After. Nobody signed in, nothing asked.
 */
export async function getSignedUrl(request: Request, options: SignUrlOptions): Promise<Response> {
  const session = await options.getSession(request);
  if (!session) return refuse(401, "unauthorized", "Sign in first.");
  if (!isSameOrigin(request.headers, options.pageOrigin)) return refuse(403, "cross_site", "Only the page itself may ask.");
  if (!/^application\/json\s*(;|$)/i.test(request.headers.get("Content-Type") ?? "")) return refuse(415, "unsupported_media_type", "Send application/json.");
  const text = await request.text();
  if (text.length > LONGEST) return refuse(413, "too_large", "The request is longer than 1 KB.");
  const wish = readWish(text);
  if (!wish) return refuse(400, "bad_request", "The request is not as it must be.");
  return ask(JSON.stringify({ ...wish, user: userOf(session) }), request.signal, options);
}

/** The form in which `signurl` takes a user in mode iam. */
function userOf({ sub, name, startedAt, endsAt, rooms }: Session): unknown {
  return { sub, name, sessionStart: startedAt, sessionEndsAt: endsAt, rooms };
}

function readWish(text: string): Wish | undefined {
  try {
    const body: unknown = JSON.parse(text);
    if (typeof body !== "object" || body === null || Array.isArray(body)) return undefined;
    const { rooms, challenge, ...rest } = body as Record<string, unknown>;
    if (Object.keys(rest).length > 0 || (rooms !== undefined && !Array.isArray(rooms)) || (challenge !== undefined && typeof challenge !== "string")) return undefined;
    return { rooms, challenge };
  } catch {
    return undefined;
  }
}

async function ask(body: string, signal: AbortSignal, { signUrl, sign, fetch }: SignUrlOptions): Promise<Response> {
  let headers: Record<string, string>;
  try {
    headers = await sign(signUrl, body);
  } catch (error) {
    log("cannot sign the request to signurl", String(error));
    return refuse(503, "no_credentials", "The server has no AWS credentials to sign with.");
  }
  try {
    const response = await fetch(signUrl, { method: "POST", headers, body, signal: AbortSignal.any([signal, AbortSignal.timeout(TIMEOUT)]), redirect: "error", cache: "no-store" });
    return await passOn(response);
  } catch (error) {
    log("signurl did not answer", String(error));
    return refuse(502, "unreachable", "The service that signs URLs did not answer.");
  }
}

/** Passes the answer on. A refusal by API Gateway itself concerns this server's credentials, and its text would tell a browser whose they are. */
async function passOn(response: Response): Promise<Response> {
  const { status } = response;
  const retryAfter = response.headers.get("Retry-After");
  const headers: HeadersInit = retryAfter ? { "Retry-After": retryAfter } : {};
  const body = (await response.json().catch(() => undefined)) as { error?: unknown } | undefined;
  if (response.ok || typeof body?.error === "string") return json(status, body, headers);
  if (status !== 401 && status !== 403) return json(status, { error: "unavailable", message: "The service that signs URLs is not available." }, headers);
  log("API Gateway refused this server", "it needs execute-api:Invoke on POST/signurl, and its place in TrustedCallerArns");
  return refuse(403, "caller_not_trusted", "This server may not ask for signed URLs.");
}

/** Logs a fault. Nothing of the request or the answer goes in: both hold secrets. */
function log(msg: string, error: string): void {
  console.error(JSON.stringify({ level: "ERROR", msg, error }));
}
