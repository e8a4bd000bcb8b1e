// validate-asyncapi.mjs FILE… prints the errors and warnings that the parser of AsyncAPI finds in documents.
import { readFile } from "node:fs/promises";

import { Parser } from "@asyncapi/parser";

const parser = new Parser();
for (const file of process.argv.slice(2)) {
  const { diagnostics } = await parser.parse(await readFile(file, "utf8"));
  for (const { severity, path, message, code } of diagnostics)
    if (severity <= 1) console.log(`${file}: ${path.join("/")}: ${message} (${code})`);
}
