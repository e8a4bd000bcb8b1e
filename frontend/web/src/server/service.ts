/** How long the service may take to answer, in milliseconds. The browser waits for 10 s. */
const TIMEOUT = 8_000;

/** The way of this server to `POST /signurl` and `POST /signout`. */
export interface Service {
  /** `POST /signurl`. */
  readonly signUrl: URL;
  /** The headers of a request, signed with the credentials of the server. Rejects without credentials. */
  readonly sign: (url: URL, body: string) => Promise<Record<string, string>>;
  readonly fetch: typeof globalThis.fetch;
}

/** The server has no credentials for signing. */
export class NoCredentials extends Error {}

/** Posts a body in a signed request. Rejects with NoCredentials, or without an answer in time. */
export async function post(url: URL, body: string, { sign, fetch }: Service, signal?: AbortSignal): Promise<Response> {
  const headers = await sign(url, body).catch((error: unknown) => {
    throw new NoCredentials(String(error));
  });
  const timeout = AbortSignal.timeout(TIMEOUT);
  return fetch(url, {
    method: "POST",
    headers,
    body,
    signal: signal ? AbortSignal.any([signal, timeout]) : timeout,
    redirect: "error",
    cache: "no-store",
  });
}

/** Logs a fault, without any part of the request or the answer: both hold secrets. */
export function log(message: string, error: string): void {
  console.error(JSON.stringify({ level: "ERROR", message, error }));
}
