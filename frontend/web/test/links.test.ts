import assert from "node:assert/strict";
import { test } from "node:test";
import { parts } from "../src/browser/chat/links";

/** The addresses that become links. */
function links(text: string): string[] {
  return parts(text).flatMap(({ href }) => href ?? []);
}

test("addresses of the web become links, and the text stays as it was", () => {
  for (const [text, ...expected] of [
    ["https://example.com", "https://example.com/"],
    ["see http://example.com/a?b=c#d.", "http://example.com/a?b=c#d"],
    ["（https://example.com/道）を見て", "https://example.com/%E9%81%93"],
    ["「https://example.com/a」。https://example.com/b、c", "https://example.com/a", "https://example.com/b"],
    ["(https://example.com/x_(y))", "https://example.com/x_(y)"],
    ["<https://example.com/>!", "https://example.com/"],
    ["HTTPS://EXAMPLE.COM/A", "https://example.com/A"],
    ["a https://a.example b https://b.example", "https://a.example/", "https://b.example/"],
  ] as const) {
    assert.deepEqual(links(text), expected, text);
    assert.equal(parts(text).map((part) => part.text).join(""), text);
  }
});

test("nothing else becomes a link", () => {
  for (const text of [
    "javascript:alert(1)", "data:text/html,x", "ftp://example.com", "//example.com", "www.example.com", "xhttps://example.com", "https://", "http://[",
    "https://example.com@evil.example", "https://user:pass@evil.example/", "java\nscript:alert(1)", "<img src=x onerror=alert(1)>", "",
  ]) {
    assert.deepEqual(links(text), [], text);
    assert.equal(parts(text).map((part) => part.text).join(""), text);
  }
});

test("a link leads to the web only", () => {
  for (const href of links("https://a.example http://b.example https:/\\evil.example https:javascript:alert(1)")) assert.match(href, /^https?:\/\//);
});
