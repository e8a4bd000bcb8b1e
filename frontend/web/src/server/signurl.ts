import type { Session } from "./session";
import { json, refuse } from "./answers";
import { isSameOrigin } from "./origin";
import { bareRoom, type Right, rightsOf } from "./rights";
import { log, NoCredentials, post, type Service } from "./service";

/** The largest size of a request to `signurl`, in characters. */
const LONGEST = 1024;

/** The inputs of the route from its environment. */
export interface SignUrlOptions extends Service {
  readonly pageOrigin: string;
  /** The rooms of a user who asks for none. */
  readonly rooms: readonly string[];
  readonly getSession: (request: Request) => Promise<Session | undefined>;
}

/** The request of a browser: the rooms, the hash of its secret for this one connection, and the name of its client. */
interface Wish {
  readonly rooms: readonly string[] | undefined;
  readonly challenge: string | undefined;
  readonly ci: string | undefined;
}

/**
 * Gets a signed URL for the signed-in user of a request. The session names the user, and the request cannot. The status
 * and Retry-After of the answer of `signurl` are passed on. Without a session it does not ask `signurl`.
 */
export async function getSignedUrl(request: Request, options: SignUrlOptions): Promise<Response> {
  const session = await options.getSession(request);
  if (!session) return refuse(401, "unauthorized", "Sign in first.");
  if (!isSameOrigin(request.headers, options.pageOrigin))
    return refuse(403, "cross_site", "Only the page itself may ask.");
  if (!/^application\/json\s*(;|$)/i.test(request.headers.get("Content-Type") ?? ""))
    return refuse(415, "unsupported_media_type", "Send application/json.");
  const text = await request.text();
  if (text.length > LONGEST) return refuse(413, "too_large", "The request is longer than 1 KB.");
  const wish = readWish(text);
  if (!wish) return refuse(400, "bad_request", "The request is not as it must be.");
  const { signIn, rooms } = session;
  return ask(
    JSON.stringify({ ...wish, user: userOf(session, wish.rooms ?? options.rooms), signIn }),
    request.signal,
    options,
    rooms && rightsOf(rooms),
  );
}

/**
 * The user in the form of `signurl` in mode iam. It names only the rights to those rooms that the user may enter and
 * asks for, since a request has at most 8 KB.
 */
function userOf({ sub, iss, name, startedAt, endsAt, rooms, moderator }: Session, asked: readonly unknown[]): unknown {
  return {
    sub,
    iss,
    name,
    sessionStart: startedAt,
    sessionEndsAt: endsAt,
    rooms: rooms?.filter((right) => asked.includes(bareRoom(right))),
    moderator: moderator || undefined,
  };
}

function readWish(text: string): Wish | undefined {
  try {
    const body: unknown = JSON.parse(text);
    if (typeof body !== "object" || body === null || Array.isArray(body)) return undefined;
    const { rooms, challenge, ci, ...rest } = body as Record<string, unknown>;
    if (
      Object.keys(rest).length > 0 ||
      !(rooms === undefined || Array.isArray(rooms)) ||
      !isOptionalText(challenge) ||
      !isOptionalText(ci)
    )
      return undefined;
    return { rooms, challenge, ci };
  } catch {
    return undefined;
  }
}

function isOptionalText(value: unknown): value is string | undefined {
  return value === undefined || typeof value === "string";
}

/** Asks `signurl`. Its answer knows the rooms of the request only, so `rooms` takes the place of these. */
async function ask(
  body: string,
  signal: AbortSignal,
  service: Service,
  rooms: readonly Right[] | undefined,
): Promise<Response> {
  try {
    return await passOn(await post(service.signUrl, body, service, signal), rooms);
  } catch (error) {
    if (error instanceof NoCredentials) {
      log("cannot sign the request to signurl", error.message);
      return refuse(503, "no_credentials", "The server has no AWS credentials to sign with.");
    }
    log("signurl did not answer", String(error));
    return refuse(502, "unreachable", "The service that signs URLs did not answer.");
  }
}

/**
 * Passes the answer on. A refusal by API Gateway itself is about the credentials of this server, and its text would
 * reveal them to a browser.
 */
async function passOn(response: Response, rooms: readonly Right[] | undefined): Promise<Response> {
  const { status } = response;
  const retryAfter = response.headers.get("Retry-After");
  const headers: HeadersInit = retryAfter ? { "Retry-After": retryAfter } : {};
  const body = (await response.json().catch(() => undefined)) as { error?: unknown } | undefined;
  if (response.ok) return json(status, rooms ? { ...body, rooms } : body, headers);
  if (typeof body?.error === "string") return json(status, body, headers);
  if (status !== 401 && status !== 403)
    return json(status, { error: "unavailable", message: "The service that signs URLs is not available." }, headers);
  log(
    "API Gateway refused this server",
    "it needs execute-api:Invoke on POST/signurl, and its place in TrustedCallerArns",
  );
  return refuse(403, "caller_not_trusted", "This server may not ask for signed URLs.");
}
