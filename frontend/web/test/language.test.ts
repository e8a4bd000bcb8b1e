import assert from "node:assert/strict";
import { test } from "node:test";
import { chooseLanguage } from "../src/server/language";

test("the language that was chosen in the page wins, then the browser's wishes, then English", () => {
  for (const [chosen, accept, language] of [
    ["en", "ja", "en"],
    ["ja", "en", "ja"],
    [undefined, "ja-JP,ja;q=0.9,en;q=0.8", "ja"],
    [undefined, "en-GB,en;q=0.9,ja;q=0.8", "en"],
    [undefined, "fr,de;q=0.9,ja;q=0.3", "ja"],
    [undefined, "en;q=0.2, ja;q=0.7", "ja"],
    [undefined, "ja;q=0, en;q=0.1", "en"],
    [undefined, "JA", "ja"],
    [undefined, "fr", "en"],
    [undefined, null, "en"],
    [undefined, ";;q=,,", "en"],
    ["fr", "ja", "ja"],
  ] as const) {
    assert.equal(chooseLanguage(chosen, accept), language, `${chosen} ${accept}`);
  }
});
