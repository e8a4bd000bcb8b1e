export const dynamic = "force-dynamic";

/** Says that the server takes requests, to the Lambda Web Adapter. */
export function GET(): Response {
  return new Response("ok\n", { headers: { "Cache-Control": "no-store" } });
}
