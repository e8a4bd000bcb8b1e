import path from "node:path";
import type { NextConfig } from "next";

// npm and dev.mjs run Next.js in the folder of this file.
const workspace = path.resolve("..");

// Next.js traces these files, but no server loads them: they build, run elsewhere or render in another way. (sharp is
// native: https://github.com/vercel/next.js/pull/96394.) The build starts the artifact once to see that nothing is
// missing.
const unused = [
  "@img",
  "sharp",
  "caniuse-lite",
  "baseline-browser-mapping",
  "postcss",
  "source-map-js",
  "nanoid",
  "semver",
  "detect-libc",
  "next/dist/build/webpack",
  "next/dist/server/capsize-font-metrics.json",
  "next/dist/compiled/next-server/*{experimental,pages,turbo}*",
  ...[
    "@edge-runtime/primitives",
    "@modelcontextprotocol",
    "@next",
    "@vercel/nft",
    "babel",
    "babel-packages",
    "crypto-browserify",
    "cssnano-simple",
    "edge-runtime",
    "next-devtools",
    "postcss-*",
    "schema-utils*",
  ].map((name) => `next/dist/compiled/${name}`),
];

/** Headers of every answer. The policy of pages comes from proxy.ts. */
const headers = [
  { key: "X-Content-Type-Options", value: "nosniff" },
  { key: "Referrer-Policy", value: "no-referrer" },
  { key: "Permissions-Policy", value: "camera=(), microphone=(), geolocation=()" },
  { key: "Cross-Origin-Opener-Policy", value: "same-origin" },
  { key: "Cross-Origin-Resource-Policy", value: "same-origin" },
];

export default {
  output: "standalone",
  reactStrictMode: true,
  poweredByHeader: false,
  generateBuildId: () => process.env.BUILD_ID ?? null,
  outputFileTracingRoot: workspace,
  outputFileTracingIncludes: { "/*": ["src/style.css"] },
  outputFileTracingExcludes: {
    "**": unused.flatMap((name) => [`**/node_modules/${name}`, `**/node_modules/${name}/**`]),
  },
  images: { unoptimized: true },
  headers: async () => [{ source: "/:path*", headers }],
  turbopack: { root: workspace }, // next dev
  webpack(config, { isServer, dev }) {
    // Two scripts, one of Next.js and one of the page. Behind an HTTP API each file that is fetched beside another may
    // start another Lambda.
    if (!isServer && !dev) Object.assign(config.optimization, { runtimeChunk: false, splitChunks: false });
    return config;
  },
} satisfies NextConfig;
