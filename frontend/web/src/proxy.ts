import { type NextRequest, NextResponse } from "next/server";
import { type Configuration, readConfiguration } from "./server/configuration";
import { Discovery } from "./server/discovery";
import { otherNameOf } from "./server/origin";
import { contentSecurityPolicy, newNonce } from "./server/policy";

const discovery = new Discovery(fetch);

/**
 * Gives each page its own policy. It also sends a browser that comes back from the provider to the end of its sign-in.
 */
export async function proxy(request: NextRequest): Promise<NextResponse> {
  // API Gateway leaves preflights to the route $default and adds its own CORS headers to the answer. Browsers require a
  // success.
  if (request.method === "OPTIONS") return new NextResponse(null, { status: 204 });
  const { value: configuration } = readConfiguration(process.env);
  const origin = configuration && otherNameOf(configuration.pageOrigin, request.headers.get("Host"));
  if (origin && (request.method === "GET" || request.method === "HEAD")) return toOrigin(origin, request);
  const https = configuration?.pageOrigin.startsWith("https:") ?? false;
  const connect = configuration ? await connectOrigins(configuration) : [];
  const nonce = newNonce();
  const policy = contentSecurityPolicy({ nonce, connect, https, development: process.env.NODE_ENV === "development" });

  const headers = new Headers(request.headers);
  headers.set("Content-Security-Policy", policy); // where Next.js looks for the nonce of its own scripts
  headers.set("X-Nonce", nonce);
  const response = next(request, headers, configuration);
  response.headers.set("Content-Security-Policy", policy);
  if (https) response.headers.set("Strict-Transport-Security", "max-age=63072000");
  return response;
}

function toOrigin(origin: string, { nextUrl: { pathname, search } }: NextRequest): NextResponse {
  const headers = { Location: origin + pathname + search, "Cache-Control": "no-store" };
  return new NextResponse(null, { status: 307, headers });
}

/** The provider sends browsers to /callback. In mode iam the server takes the sign-in from there, else the page. */
function next(request: NextRequest, headers: Headers, configuration: Configuration | undefined): NextResponse {
  const { pathname, search } = request.nextUrl;
  if (pathname !== "/callback") return NextResponse.next({ request: { headers } });
  const place = configuration?.mode === "iam" ? "/api/signin/callback" : "/";
  return NextResponse.rewrite(new URL(place + search, request.url), { request: { headers } });
}

/** The origins that the page talks to: the socket, `signurl`, and in mode jwt the provider. */
async function connectOrigins({ webSocketUrl, mode, signUrl, provider }: Configuration): Promise<readonly string[]> {
  const origins = [webSocketUrl.origin];
  if (mode !== "iam") origins.push(signUrl.origin);
  if (provider) origins.push(...(await discovery.origins(provider.issuer)));
  return origins;
}

// Files need no policy, and the health check has to be cheap.
export const config = { matcher: ["/((?!_next/static/|healthz$).*)"] };
