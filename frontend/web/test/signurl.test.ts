import assert from "node:assert/strict";
import { createServer, type IncomingHttpHeaders } from "node:http";
import type { AddressInfo } from "node:net";
import { test, type TestContext } from "node:test";
import { Sha256 } from "@aws-crypto/sha256-js";
import { SignatureV4 } from "@smithy/signature-v4";
import { Signer } from "../src/server/signer";
import { getSignedUrl, type SignUrlOptions } from "../src/server/signurl";
import type { Session } from "../src/server/session";

const ORIGIN = "https://chat.example";
const CHALLENGE = "c".repeat(43);
const session: Session = { sub: "alice", name: "Alice", startedAt: 1_795_327_200, endsAt: 1_795_334_400 };
const credentials = { accessKeyId: "AKIAEXAMPLE", secretAccessKey: "secret", sessionToken: "token" };

interface Asked {
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
}

/** A `signurl` that always gives the same answer, and records the requests. */
async function signurl(
  t: TestContext,
  status = 200,
  body: unknown = { url: "wss://socket.example/prod?X-Amz-Signature=1" },
  headers = {},
) {
  const asked: Asked[] = [];
  const server = createServer(async (request, response) => {
    const chunks = await request.toArray();
    asked.push({ headers: request.headers, body: Buffer.concat(chunks).toString() });
    response.writeHead(status, { "Content-Type": "application/json", ...headers }).end(JSON.stringify(body));
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  t.after(() => {
    server.closeAllConnections();
    server.close();
  });
  t.mock.method(console, "error", () => {});
  const signer = new Signer(async () => credentials, "eu-west-1");
  const options: SignUrlOptions = {
    signUrl: new URL(`http://127.0.0.1:${(server.address() as AddressInfo).port}/signurl`),
    pageOrigin: ORIGIN,
    rooms: ["lobby"],
    getSession: async () => session,
    sign: (url, body) => signer.sign(url, body),
    fetch,
  };
  return { asked, options };
}

function ask(
  body: unknown = { rooms: ["lobby"], challenge: CHALLENGE },
  headers: Record<string, string> = {},
): Request {
  const fromThePage = { "Content-Type": "application/json", "Sec-Fetch-Site": "same-origin" };
  return new Request(`${ORIGIN}/api/signurl`, {
    method: "POST",
    body: typeof body === "string" ? body : JSON.stringify(body),
    headers: { ...fromThePage, ...headers },
  });
}

async function outcome(response: Response): Promise<[number, unknown]> {
  return [response.status, ((await response.json()) as { error?: unknown }).error];
}

test("the signed-in user is named, with the browser's rooms and challenge", async (t) => {
  const { asked, options } = await signurl(t);
  const response = await getSignedUrl(ask(), options);
  assert.equal(response.status, 200);
  assert.equal(response.headers.get("Cache-Control"), "no-store");
  assert.deepEqual(await response.json(), { url: "wss://socket.example/prod?X-Amz-Signature=1" });
  assert.deepEqual(JSON.parse(asked[0]?.body ?? ""), {
    rooms: ["lobby"],
    challenge: CHALLENGE,
    user: { sub: "alice", name: "Alice", sessionStart: 1_795_327_200, sessionEndsAt: 1_795_334_400 },
  });
});

test("the request names the user as the provider does, with its sign-in and its client instance", async (t) => {
  const { asked, options } = await signurl(t);
  const signedIn: Session = { ...session, sub: "auth0|alice", iss: "https://id.example/", signIn: "s".repeat(22) };
  await getSignedUrl(ask({ rooms: ["lobby"], challenge: CHALLENGE, ci: "i".repeat(22) }), {
    ...options,
    getSession: async () => signedIn,
  });
  const { ci, signIn, user } = JSON.parse(asked[0]?.body ?? "");
  assert.deepEqual(
    [ci, signIn, user.sub, user.iss],
    ["i".repeat(22), "s".repeat(22), "auth0|alice", "https://id.example/"],
  );
});

test("of a user's rooms only those that are asked for are named, and so a user of many rooms gets in", async (t) => {
  const { asked, options } = await signurl(t);
  const rooms = Array.from({ length: 50 }, (_, i) => `room-${"x".repeat(20)}-${i}`);
  const many = { ...options, getSession: async () => ({ ...session, rooms }) };
  for (const [wanted, named] of [
    [rooms.slice(10, 18), rooms.slice(10, 18)],
    [[rooms[1], "vault"], [rooms[1]]],
    [["vault"], []],
    [undefined, []], // the default room is not among the user's
    [[7, null], []],
  ]) {
    await getSignedUrl(ask({ rooms: wanted, challenge: CHALLENGE }), many);
    assert.deepEqual(JSON.parse(asked.at(-1)?.body ?? "").user.rooms, named);
    assert.ok((asked.at(-1)?.body.length ?? 0) < 1024);
  }
});

test("rights and moderators are named, and the answer knows all rooms of the user", async (t) => {
  const { asked, options } = await signurl(t, 200, { url: "wss://a.example", rooms: [{ room: "news" }] });
  const rooms = ["lobby", "news:r", "ops", "ops:r", "team:r"];
  for (const [moderator, named] of [
    [true, true],
    [false, undefined],
    [undefined, undefined],
  ] as const) {
    const user = { ...options, getSession: async () => ({ ...session, rooms, moderator }) };
    const response = await getSignedUrl(ask({ rooms: ["ops", "news"], challenge: CHALLENGE }), user);
    assert.deepEqual(await response.json(), {
      url: "wss://a.example",
      rooms: [
        { room: "lobby" },
        { room: "news", readOnly: true },
        { room: "ops", readOnly: true },
        { room: "team", readOnly: true },
      ],
    });
    const request = JSON.parse(asked.at(-1)?.body ?? "");
    assert.deepEqual(request.rooms, ["ops", "news"]);
    assert.deepEqual(request.user.rooms, ["news:r", "ops", "ops:r"]);
    assert.equal(request.user.moderator, named);
  }
  const everyRoom = await getSignedUrl(ask(), options);
  assert.deepEqual(((await everyRoom.json()) as { rooms: unknown }).rooms, [{ room: "news" }]);
});

test("the request is signed with the server's credentials, as API Gateway verifies it", async (t) => {
  const { asked, options } = await signurl(t);
  await getSignedUrl(ask(), options);
  const { headers, body } = asked[0]!;
  const date = String(headers["x-amz-date"]);
  const signed = await new SignatureV4({
    service: "execute-api",
    region: "eu-west-1",
    credentials,
    sha256: Sha256,
  }).sign(
    {
      method: "POST",
      protocol: "https:",
      hostname: "unused",
      path: "/signurl",
      query: {},
      body,
      headers: { host: String(headers.host), "content-type": "application/json" },
    },
    { signingDate: date.replace(/(....)(..)(..T..)(..)(..Z)/, "$1-$2-$3:$4:$5") },
  );
  assert.equal(headers.authorization, signed.headers.authorization);
  assert.match(String(headers.authorization), /Credential=AKIAEXAMPLE\/\d{8}\/eu-west-1\/execute-api\/aws4_request/);
  assert.match(
    String(headers.authorization),
    /SignedHeaders=content-type;host;x-amz-content-sha256;x-amz-date;x-amz-security-token/,
  );
});

test("without a signed-in user nothing is asked", async (t) => {
  const { asked, options } = await signurl(t);
  assert.deepEqual(await outcome(await getSignedUrl(ask(), { ...options, getSession: async () => undefined })), [
    401,
    "unauthorized",
  ]);
  assert.equal(asked.length, 0);
});

test("only the page itself may ask, and only with JSON", async (t) => {
  const { asked, options } = await signurl(t);
  for (const [headers, status] of [
    [{ "Sec-Fetch-Site": "cross-site", Origin: ORIGIN }, 403],
    [{ "Sec-Fetch-Site": "same-site" }, 403],
    [{ "Sec-Fetch-Site": "none" }, 403],
    [{ "Content-Type": "text/plain" }, 415],
    [{ "Content-Type": "application/jsonp" }, 415],
  ] as const) {
    assert.equal((await getSignedUrl(ask(undefined, headers), options)).status, status, JSON.stringify(headers));
  }
  for (const [Origin, status] of [
    ["https://evil.example", 403],
    [undefined, 403],
    [ORIGIN, 200],
  ] as const) {
    const request = ask(undefined, Origin ? { Origin } : {});
    request.headers.delete("Sec-Fetch-Site");
    assert.equal((await getSignedUrl(request, options)).status, status, Origin);
  }
  assert.equal(asked.length, 1);
});

test("a request that names the user, or is malformed, is refused", async (t) => {
  const { asked, options } = await signurl(t);
  for (const [body, status] of [
    [{ challenge: CHALLENGE, user: { sub: "mallory" } }, 400],
    [{ rooms: "lobby" }, 400],
    [{ challenge: 1 }, 400],
    [{ ci: 1 }, 400],
    [{ challenge: CHALLENGE, signIn: "s".repeat(22) }, 400],
    [{ challenge: CHALLENGE, moderator: true }, 400],
    [{ challenge: CHALLENGE, guest: "g".repeat(43) }, 400],
    ["[]", 400],
    ["null", 400],
    ["{", 400],
    ["", 400],
    [{ challenge: "c".repeat(1100) }, 413],
  ] as const) {
    assert.equal((await getSignedUrl(ask(body), options)).status, status, JSON.stringify(body));
  }
  assert.equal(asked.length, 0);
});

test("refusals of signurl come through with status and Retry-After", async (t) => {
  for (const [status, error] of [
    [401, "revoked"],
    [403, "room_not_allowed"],
    [429, "too_many_connections"],
    [503, "auth_not_configured"],
  ] as const) {
    const { options } = await signurl(t, status, { error, message: "…" }, { "Retry-After": "30" });
    const response = await getSignedUrl(ask(), options);
    assert.equal(response.headers.get("Retry-After"), "30");
    assert.deepEqual(await outcome(response), [status, error]);
  }
});

test("of an answer of API Gateway itself only the status reaches the browser", async (t) => {
  for (const [status, passed, error] of [
    [403, 403, "caller_not_trusted"],
    [401, 403, "caller_not_trusted"],
    [429, 429, "unavailable"],
    [500, 500, "unavailable"],
  ] as const) {
    const { options } = await signurl(
      t,
      status,
      { message: "User: arn:aws:iam::111122223333:user/x is not authorized" },
      { "Retry-After": "2" },
    );
    const response = await getSignedUrl(ask(), options);
    const text = await response.text();
    assert.equal(response.status, passed);
    assert.equal(JSON.parse(text).error, error);
    assert.doesNotMatch(text, /arn:/);
  }
});

test("a signurl that is away, and credentials that are missing, are faults of the server", async (t) => {
  const { options } = await signurl(t);
  const away = { ...options, fetch: async () => Promise.reject(new Error("down")) };
  assert.deepEqual(await outcome(await getSignedUrl(ask(), away)), [502, "unreachable"]);
  const poor = { ...options, sign: async () => Promise.reject(new Error("no credentials")) };
  assert.deepEqual(await outcome(await getSignedUrl(ask(), poor)), [503, "no_credentials"]);
});

test("the region comes from the environment, or else from API Gateway's host name", async () => {
  const url = new URL("https://abc.execute-api.ap-northeast-1.amazonaws.com/signurl");
  const scope = async (region?: string) =>
    /\/([^/]+)\/execute-api/.exec(
      (await new Signer(async () => credentials, region).sign(url, "")).authorization ?? "",
    )?.[1];
  assert.equal(await scope(), "ap-northeast-1");
  assert.equal(await scope("us-east-1"), "us-east-1");
  await assert.rejects(
    new Signer(async () => credentials, undefined).sign(new URL("https://chat.example/signurl"), ""),
    /AWS_REGION/,
  );
});
