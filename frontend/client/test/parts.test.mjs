import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { readdir, readFile } from "node:fs/promises";
import { test } from "node:test";

import { bundle } from "../scripts/size.mjs";
import { defaultEnvironment } from "../dist/environment.js";
import { idOf, newProof } from "../dist/ids.js";
import { checkText, cleanName, cleanText, createChatClient } from "../dist/index.js";
import { dictionaryFor, failureText, reasonText } from "../dist/messages.js";

const SOURCE = new URL("../src/", import.meta.url);
const { sha256 } = defaultEnvironment();

test("the challenge is the hash of the verifier's text", async () => {
  const { verifier, challenge } = await newProof(sha256);
  assert.equal(challenge, createHash("sha256").update(verifier, "ascii").digest("base64url"));
});

test("the server's id of a message is known beforehand", async () => {
  const cases = JSON.parse(
    await readFile(new URL("../../../shared/message/testdata/ids.json", import.meta.url), "utf8"),
  );
  assert.ok(cases.length > 5);
  for (const { name, sub, room, clientId, id } of cases)
    assert.equal(await idOf(sha256, sub, room, clientId), id, name);
});

test("a text is sent if the server takes it, by its own table of cases", async () => {
  const cases = JSON.parse(await readFile(new URL("../../../shared/text/testdata/text.json", import.meta.url), "utf8"));
  assert.ok(cases.length > 50);
  for (const { name, text, message, repaired } of cases) {
    const clean = cleanText(text);
    const refusal = checkText(clean, "lobby");
    const expected = repaired ?? message;
    assert.equal(refusal === undefined, expected !== null, `${name}: ${refusal}`);
    if (expected !== null) assert.equal(clean, expected, name);
  }
});

test("a name is repaired and cut as the table of cases says", async () => {
  const cases = JSON.parse(await readFile(new URL("../../../shared/text/testdata/text.json", import.meta.url), "utf8"));
  for (const { name, text, line, repairedLine } of cases)
    assert.equal(cleanName(text) ?? null, repairedLine ?? line, name);
  const cuts = JSON.parse(await readFile(new URL("../../../shared/text/testdata/cuts.json", import.meta.url), "utf8"));
  assert.ok(cuts.length >= 12);
  for (const { name, text, cut } of cuts) assert.equal(cleanName(text), cut, name);
});

test("a client can be made where there is no browser", () => {
  const client = createChatClient({ signUrl: "/api/signurl" });
  assert.equal(client.getSnapshot().state.status, "idle");
});

test("a browser without SHA-256 is told that the page needs https", async () => {
  const subtle = Object.getOwnPropertyDescriptor(Crypto.prototype, "subtle");
  Object.defineProperty(Crypto.prototype, "subtle", { value: undefined, configurable: true });
  try {
    const client = createChatClient({ signUrl: "/api/signurl" });
    const closed = new Promise((resolve) => client.subscribe(() => client.state.status === "closed" && resolve()));
    client.connect();
    await closed;
    assert.deepEqual(client.state, { status: "closed", code: "insecure_context" });
  } finally {
    Object.defineProperty(Crypto.prototype, "subtle", subtle);
  }
});

test("the network is back, the page is visible: the client is woken; the page is hidden: it is told", (t) => {
  const page = Object.assign(new EventTarget(), { visibilityState: "hidden" });
  const browser = new EventTarget();
  const globals = {
    document: page,
    addEventListener: browser.addEventListener.bind(browser),
    removeEventListener: browser.removeEventListener.bind(browser),
  };
  Object.assign(globalThis, globals);
  t.after(() => Object.keys(globals).forEach((name) => delete globalThis[name]));
  let woken = 0;
  let hidden = 0;
  const stop = defaultEnvironment().network.watch(
    () => woken++,
    () => hidden++,
  );
  page.dispatchEvent(new Event("visibilitychange"));
  assert.deepEqual([woken, hidden], [0, 1]);
  page.visibilityState = "visible";
  page.dispatchEvent(new Event("visibilitychange"));
  browser.dispatchEvent(new Event("online"));
  assert.equal(woken, 2);
  stop();
  page.dispatchEvent(new Event("visibilitychange"));
  browser.dispatchEvent(new Event("online"));
  assert.deepEqual([woken, hidden], [2, 1]);
});

test("the client is at most 12 KB, minified and compressed, and measures nothing by the system time", async () => {
  const { code, gzip, limit } = await bundle();
  assert.ok(gzip <= limit && gzip > 1000, `${gzip} bytes`);
  // The wall clock is read in one place, Clock.unix.
  assert.deepEqual(new TextDecoder().decode(code).match(/\bDate\b.{6}/g), ["Date.now()"]);
  const { createChatClient: bundled } = await import(
    `data:text/javascript;base64,${Buffer.from(code).toString("base64")}`
  );
  assert.equal(bundled({ signUrl: "/api/signurl" }).state.status, "idle");
});

test("both dictionaries say something about everything", async () => {
  const source = (
    await Promise.all(
      (await readdir(SOURCE))
        .filter((name) => name !== "messages.ts")
        .map((name) => readFile(new URL(name, SOURCE), "utf8")),
    )
  ).join("\n");
  const state = await readFile(new URL("state.ts", SOURCE), "utf8");
  const reasons = [...state.slice(0, state.indexOf("export type ChatState")).matchAll(/\| "([a-z_]+)"/g)].map(
    ([, reason]) => reason,
  );
  assert.equal(reasons.length, 12);
  const codes = [
    "unauthorized",
    "forbidden",
    "revoked",
    "room_not_allowed",
    "caller_not_trusted",
    "evicted",
    "replaced",
    "kicked",
    "signed_out",
    "insecure_context",
  ];
  for (const code of codes) assert.ok(source.includes(code), code);
  const [ja, en] = [dictionaryFor(["ja-JP"]), dictionaryFor(["en-GB"])];
  for (const dictionary of [ja, en]) {
    for (const reason of reasons) assert.ok(reasonText({ status: "waiting", reason, retryAt: 0 }, dictionary), reason);
    for (const code of codes) assert.ok(reasonText({ status: "closed", code }, dictionary), code);
    assert.equal(reasonText({ status: "open" }, dictionary), undefined);
    for (const code of [
      "empty",
      "too_large",
      "too_many_lines",
      "bad_characters",
      "outbox_full",
      "expired",
      "unknown",
      "room_not_allowed",
      "read_only",
      "not_found",
      "not_yours",
      "unknown_action",
      "bad_message",
      "something_new",
    ]) {
      assert.ok(failureText(code, dictionary), code);
    }
    assert.deepEqual(shape(dictionary), shape(ja));
  }
});

test("a user can tell the states of the connection apart by their texts", () => {
  assert.equal(dictionaryFor(["ja"]).status.open, "接続済み"); // 接続中 can also mean that it is still connecting
  assert.equal(dictionaryFor(["en"]).status.open, "Connected");
  // A rotation goes on unseen. While the client waits, a countdown stands beside the text.
  const same = { rotating: "open", closed: "waiting" };
  for (const language of ["ja", "en"]) {
    const { status } = dictionaryFor([language]);
    for (const [one, as] of Object.entries(same)) assert.equal(status[one], status[as], `${one} in ${language}`);
    const texts = Object.entries(status).flatMap(([name, text]) => (name in same ? [] : [text]));
    assert.equal(texts.length, 8);
    assert.deepEqual(texts, [...new Set(texts)], language);
  }
});

test("the language is the first one that there is", () => {
  const word = (...languages) => dictionaryFor(languages).actions.send;
  assert.deepEqual(
    [word("ja"), word("fr", "ja-JP", "en"), word("en-US", "ja"), word("fr"), word()],
    ["送信", "送信", "Send", "Send", "Send"],
  );
});

function shape(value) {
  return typeof value === "string"
    ? "text"
    : Object.fromEntries(
        Object.entries(value)
          .map(([name, inner]) => [name, shape(inner)])
          .sort(),
      );
}
