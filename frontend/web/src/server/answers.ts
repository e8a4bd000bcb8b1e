/** An answer that no cache may store. */
export function json(status: number, body: unknown, headers: HeadersInit = {}): Response {
  return Response.json(body, { status, headers: { "Cache-Control": "no-store", ...headers } });
}

/** A refusal in the form of `signurl`: a code for programs, a sentence for people. */
export function refuse(status: number, error: string, message: string): Response {
  return json(status, { error, message });
}
