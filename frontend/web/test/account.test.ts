import assert from "node:assert/strict";
import { test, type TestContext } from "node:test";
import { ServerAccount } from "../src/browser/account/server";
import { revocation } from "../src/browser/account/revocation";
import { storage } from "../src/browser/account/storage";
import { mayLeave } from "../src/browser/chat/usesigninagain";

/** Gives the page a global of a browser. */
function browser(t: TestContext, globals: Record<string, unknown>): void {
  for (const [name, value] of Object.entries(globals)) {
    const before = Object.getOwnPropertyDescriptor(globalThis, name);
    Object.defineProperty(globalThis, name, { value, configurable: true, writable: true });
    t.after(() =>
      before ? Object.defineProperty(globalThis, name, before) : Reflect.deleteProperty(globalThis, name),
    );
  }
}

const full = () => {
  throw new DOMException("full", "QuotaExceededError");
};

/** The account of the mode iam. */
const serverAccount = (signedIn: boolean) =>
  new ServerAccount({
    mode: "iam",
    rooms: [],
    roomsClaim: undefined,
    provider: undefined,
    signUrl: "",
    server: { signedIn, signInPath: "/in", signOutPath: "/out" },
  });

test("a sign-out that the server did not carry out is not announced, and leads nowhere", async (t) => {
  for (const [status, body] of [
    [503, { message: "Service Unavailable" }],
    [403, { error: "cross_site" }],
    [200, { location: "/bye" }],
  ] as const) {
    const places: unknown[] = [];
    let announced = 0;
    browser(t, {
      fetch: async () => Response.json(body, { status }),
      location: { assign: (place: unknown) => places.push(place) },
    });
    const account = serverAccount(true);
    const done = await account
      .signOut(() => announced++)
      .then(
        () => true,
        () => false,
      );
    assert.deepEqual([done, announced, places], status === 200 ? [true, 1, ["/bye"]] : [false, 0, []]);
  }
});

test("the page remembers the values that a full or forbidden storage refuses", (t) => {
  browser(t, { localStorage: { getItem: () => null, setItem: full, removeItem: full } });
  storage.set("mark", "1");
  assert.equal(storage.get("mark"), "1");
  storage.remove("mark");
  assert.equal(storage.get("mark"), undefined);
});

test("a revocation concerns its user, and a user whom the page does not know", (t) => {
  const kept = new Map<string, string>();
  browser(t, {
    localStorage: {
      getItem: (name: string) => kept.get(name) ?? null,
      setItem: (name: string, value: string) => kept.set(name, value),
      removeItem: (name: string) => kept.delete(name),
    },
  });
  const active = () => ["dan", "alice", undefined].map((user) => revocation.isActive(user));
  assert.deepEqual(active(), [false, false, false]);
  revocation.begin("dan");
  revocation.begin("dan");
  assert.deepEqual(active(), [true, false, true]);
  revocation.end("alice"); // in another tab
  assert.deepEqual(active(), [true, false, true]);
  revocation.end("dan");
  assert.deepEqual([active(), kept.size], [[false, false, false], 0]);
  for (const before of ["1", "{", '"x"']) {
    kept.set("signedsocket-revoked", before); // of the previous version, or without a user
    assert.deepEqual(active(), [true, true, true]);
    revocation.end("alice");
    assert.equal(kept.size, 0);
  }
});

test("a sign-in that failed is told once, and again to the same page", async (t) => {
  for (const [search, signedIn, want] of [
    ["?problem=signin", false, { status: "signed-out", problem: "signIn" }],
    ["?problem=unreachable", false, { status: "signed-out", problem: "unreachable" }],
    ["?problem=signin", true, { status: "signed-in", rooms: [], problem: "signIn" }],
    ["", false, { status: "signed-out" }],
  ] as const) {
    const place = { search: search as string };
    browser(t, { location: place, history: { replaceState: () => Object.assign(place, { search: "" }) } });
    const account = serverAccount(signedIn);
    assert.deepEqual([await account.load(), await account.load(), place.search], [want, want, ""]);
  }
});

test("the page leaves by itself once a minute, and not at all where it cannot remember that", (t) => {
  const kept = new Map<string, string>();
  browser(t, {
    sessionStorage: {
      getItem: (name: string) => kept.get(name) ?? null,
      setItem: (name: string, value: string) => kept.set(name, value),
    },
  });
  assert.deepEqual([1e12, 1e12 + 59_999, 1e12 + 60_000].map(mayLeave), [true, false, true]);
  browser(t, { sessionStorage: { getItem: () => null, setItem: full } });
  assert.equal(mayLeave(1e12), false);
});
