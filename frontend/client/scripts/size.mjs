// Prints how large the client is for a page that bundles it, minified and compressed.
import { gzipSync } from "node:zlib";
import { fileURLToPath } from "node:url";

import { build } from "esbuild";

const LIMIT = 12 * 1024;

/** The bytes of a bundle of everything that the package's main entry exports. */
export async function bundle() {
  const { outputFiles } = await build({
    entryPoints: [fileURLToPath(new URL("../dist/index.js", import.meta.url))],
    bundle: true,
    minify: true,
    format: "esm",
    target: "es2022",
    write: false,
  });
  const code = outputFiles[0].contents;
  return { code, minified: code.length, gzip: gzipSync(code, { level: 9 }).length, limit: LIMIT };
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const { minified, gzip, limit } = await bundle();
  console.log(`${minified} bytes minified, ${gzip} bytes gzip, of ${limit}`);
  if (gzip > limit) process.exit(1);
}
