import assert from "node:assert/strict";
import { existsSync, readFileSync } from "node:fs";
import path from "node:path";
import { test } from "node:test";
import ts from "typescript";
import { sources } from "./sources";

/** The files beside a file that it imports. Imports of types count. */
function imports(file: string): string[] {
  const { importedFiles } = ts.preProcessFile(readFileSync(file, "utf8"));
  return importedFiles.flatMap(({ fileName }) => {
    if (!fileName.startsWith(".")) return [];
    const name = path.join(path.dirname(file), fileName.replace(/\.js$/, ""));
    return [`${name}.ts`, `${name}.tsx`].filter((candidate) => existsSync(candidate));
  });
}

/** A path along the imports from a file back to itself. `done` are files that lead to no circle. */
function circle(file: string, importsOf: (file: string) => string[], way: string[], done: Set<string>): string[] {
  if (way.includes(file)) return [...way.slice(way.indexOf(file)), file];
  if (done.has(file)) return [];
  for (const imported of importsOf(file)) {
    const found = circle(imported, importsOf, [...way, file], done);
    if (found.length > 0) return found;
  }
  done.add(file);
  return [];
}

test("no import leads back to its own file", () => {
  for (const folder of ["src", "../client/src"]) {
    const files = sources(folder);
    const links = files.flatMap(imports).length;
    assert.ok(files.length > 10 && links > files.length, `${folder}: ${files.length} files, ${links} imports`);
    const done = new Set<string>();
    for (const file of files) assert.deepEqual(circle(file, imports, [], done), []);
  }
});

test("a circle is found from each of its files and from a file before it", () => {
  const graph: Record<string, string[]> = { a: ["b", "d"], b: ["c"], c: ["d", "b"], d: [] };
  for (const [start, want] of Object.entries({ a: ["b", "c", "b"], b: ["b", "c", "b"], c: ["c", "b", "c"], d: [] })) {
    assert.deepEqual(
      circle(start, (file) => graph[file] ?? [], [], new Set()),
      want,
    );
  }
});
