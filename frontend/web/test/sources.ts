import { readdirSync } from "node:fs";
import path from "node:path";

/** The TypeScript files below a folder. */
export function sources(folder: string): string[] {
  return readdirSync(folder, { withFileTypes: true }).flatMap((entry) => {
    const name = path.join(folder, entry.name);
    return entry.isDirectory() ? sources(name) : /\.tsx?$/.test(name) ? [name] : [];
  });
}
