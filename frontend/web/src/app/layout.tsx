import type { Metadata, Viewport } from "next";
import { headers } from "next/headers";
import type { ReactNode } from "react";
import { styleSheet } from "../server/stylesheet";
import { visitorLanguage } from "../server/visitor";
import { textIn } from "../text";

// A separate icon file would be one more request, which may start one more Lambda.
const icon = `data:image/svg+xml,${encodeURIComponent(
  '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 32 32"><path fill="#3f6ad8" ' +
    'd="M6 4h20a4 4 0 0 1 4 4v11a4 4 0 0 1-4 4H14l-8 6v-6a4 4 0 0 1-4-4V8a4 4 0 0 1 4-4z"/></svg>',
)}`;

export const metadata: Metadata = { icons: { icon } };

export const viewport: Viewport = {
  width: "device-width",
  initialScale: 1,
  colorScheme: "light dark",
  interactiveWidget: "resizes-content",
};

export default async function Layout({ children }: { children: ReactNode }) {
  const nonce = (await headers()).get("X-Nonce") ?? undefined;
  const language = await visitorLanguage();
  return (
    <html lang={language}>
      <head>
        {/* Next.js would write a title of its metadata once more after the chat has set its own. */}
        <title>{textIn(language).title}</title>
        <style nonce={nonce}>{styleSheet()}</style>
      </head>
      <body>
        <noscript>{textIn(language).noScript}</noscript>
        {children}
      </body>
    </html>
  );
}
