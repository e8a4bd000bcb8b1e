export const dynamic = "force-dynamic";

/** Tells the Lambda Web Adapter that the server takes requests. */
export function GET(): Response {
  return new Response("ok\n", { headers: { "Cache-Control": "no-store" } });
}
