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
    ["https://example.comを見て", "https://example.com/"],
    ["https://example.com/を見て", "https://example.com/"],
    ["https://example.com/aを見て", "https://example.com/a"],
    ["https://example.com/a?b=1です", "https://example.com/a?b=1"],
    ["https://example.com/a参照", "https://example.com/a"],
    ["https://example.com/aカタカナ", "https://example.com/a"],
    ["https://example.com/a｡ｶﾅ", "https://example.com/a"],
    ["https://example.com/a！？", "https://example.com/a"],
    ["https://example.com/a：次", "https://example.com/a"],
    ["（https://example.com/aを参照）", "https://example.com/a"],
    ["https://日本語.jpを見て", "https://xn--wgv71a119e.jp/"],
    ["https://example.com에서", "https://example.com/"],
    ["https://example.com/é/ünï", "https://example.com/%C3%A9/%C3%BCn%C3%AF"],
    ["(https://example.com/x_(y))", "https://example.com/x_(y)"],
    ["<https://example.com/>!", "https://example.com/"],
    ["HTTPS://EXAMPLE.COM/A", "https://example.com/A"],
    ["a https://a.example b https://b.example", "https://a.example/", "https://b.example/"],
  ] as const) {
    assert.deepEqual(links(text), expected, text);
    assert.equal(
      parts(text)
        .map((part) => part.text)
        .join(""),
      text,
    );
  }
});

test("nothing else becomes a link", () => {
  for (const text of [
    "javascript:alert(1)",
    "data:text/html,x",
    "ftp://example.com",
    "//example.com",
    "www.example.com",
    "xhttps://example.com",
    "https://",
    "http://[",
    "https://example.com@evil.example",
    "https://user:pass@evil.example/",
    "java\nscript:alert(1)",
    "<img src=x onerror=alert(1)>",
    "",
  ]) {
    assert.deepEqual(links(text), [], text);
    assert.equal(
      parts(text)
        .map((part) => part.text)
        .join(""),
      text,
    );
  }
});

test("a link leads to the web only", () => {
  for (const href of links("https://a.example http://b.example https:/\\evil.example https:javascript:alert(1)"))
    assert.match(href, /^https?:\/\//);
});

test("a link shows the host that it opens, when its text writes another one", () => {
  for (const [text, host] of [
    ["https://example.com/a", undefined],
    ["HTTPS://Example.COM:443/a?b#c", undefined],
    ["https://127.0.0.1:3001/", undefined],
    ["https://[::1]/", undefined],
    ["https://medium.com/@somebody", undefined],
    ["https://b\u0430nk.example/", "xn--bnk-6cd.example"], // a Cyrillic letter
    ["https://\u65e5\u672c\u8a9e.jp/", "xn--wgv71a119e.jp"],
    ["https://\uff45vil.example/", "evil.example"], // a wide letter
    ["https://%65vil.example/", "evil.example"],
    ["https://e\u00advil.example/", "evil.example"], // a soft hyphen
    ["https://e\u200bvil.example/", "evil.example"],
    ["https://2130706433/", "127.0.0.1"],
    ["https://0x7f.1/", "127.0.0.1"],
    ["https://\u05d0\u05d1\u05d2.example/", "xn--4dbcd.example"], // from right to left
    ["https://evil\u3002example/", undefined], // the address ends at the Japanese full stop
    ["https://evil\uff61example/", "evil.example"],
  ] as const) {
    const part = parts(text).find(({ href }) => href);
    assert.deepEqual(
      [part?.host, part && new URL(part.href ?? "").hostname === (part.host ?? new URL(part.href ?? "").hostname)],
      [host, true],
      text,
    );
  }
});
