import assert from "node:assert/strict";
import { test } from "node:test";
import { localeOf } from "../src/browser/locale";

test("dates follow the browser's locale, in the language of the page", () => {
  for (const [language, browser, locale] of [
    ["en", ["en-GB", "en"], "en-GB"],
    ["en", ["ja-JP", "en-AU"], "en-AU"],
    ["en", ["en-US"], "en-US"],
    ["en", ["de-DE"], "en-DE"],
    ["en", ["de"], "en-DE"],
    ["ja", ["en-GB"], "ja-GB"],
    ["ja", ["ja"], "ja"],
    ["ja", ["JA-jp"], "JA-jp"],
    ["en", ["x", "not a locale"], "en"],
    ["en", [], "en"],
  ] as const)
    assert.equal(localeOf(language, browser), locale, browser.join());
});

test("a British reader sees British dates and times", () => {
  const afternoon = new Date(2026, 10, 3, 17, 5);
  const format = (browser: string) =>
    new Intl.DateTimeFormat(localeOf("en", [browser]), { dateStyle: "short", timeStyle: "short" }).format(afternoon);
  assert.equal(format("en-GB"), "03/11/2026, 17:05");
  assert.match(format("en-US"), /^11\/3\/26, 5:05\sPM$/);
  assert.match(format("de-DE"), /17:05$/);
});
