import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import ts from "typescript";
import { sources } from "./sources";

/** The functions of a text that have more lines than so many, as lines of a report. */
function longFunctions(name: string, text: string, most: number): string[] {
  const file = ts.createSourceFile(name, text, ts.ScriptTarget.Latest);
  const found: string[] = [];
  const visit = (node: ts.Node): void => {
    if (ts.isFunctionLike(node)) {
      const first = file.getLineAndCharacterOfPosition(node.getStart(file)).line + 1;
      const lines = file.getLineAndCharacterOfPosition(node.end).line - first + 2;
      if (lines > most) found.push(`${name}:${first} has ${lines} lines`);
    }
    ts.forEachChild(node, visit);
  };
  visit(file);
  return found;
}

test("no function has more than 60 lines", () => {
  const long = ["src", "../client/src"]
    .flatMap(sources)
    .flatMap((name) => longFunctions(name, readFileSync(name, "utf8"), 60));
  assert.deepEqual(long, []);
});

test("a function is measured from its first line to its last one", () => {
  const text = "\nclass A {\n  m() {\n    return () => {\n      0;\n    };\n  }\n}\nfunction f() {\n}\n";
  assert.deepEqual(longFunctions("a.ts", text, 2), ["a.ts:3 has 5 lines", "a.ts:4 has 3 lines"]);
});
