import assert from "node:assert/strict";
import { test } from "node:test";

import { createElement, StrictMode } from "react";
import { renderToString } from "react-dom/server";

import { useChat, useChatSnapshot, useRoom } from "../dist/react.js";
import { message, settle, world } from "./world.mjs";

globalThis.IS_REACT_ACT_ENVIRONMENT = true;

/** As much of a document as React needs to render components that render nothing. */
function emptyDocument() {
  const nothing = () => {};
  const node = {
    addEventListener: nothing,
    removeEventListener: nothing,
    textContent: "",
    firstChild: null,
    lastChild: null,
  };
  const page = { ...node, nodeType: 9, activeElement: null };
  const container = {
    ...node,
    nodeType: 1,
    nodeName: "DIV",
    tagName: "DIV",
    namespaceURI: "http://www.w3.org/1999/xhtml",
    ownerDocument: page,
  };
  const window = { document: page, addEventListener: nothing, event: undefined, HTMLIFrameElement: class {} };
  return { page: Object.assign(page, { defaultView: window }), container, window };
}

async function rendered(t, component) {
  const { page, container, window } = emptyDocument();
  Object.assign(globalThis, { window, document: page });
  const { act } = await import("react");
  const { createRoot } = await import("react-dom/client");
  const root = createRoot(container);
  await act(() => root.render(createElement(StrictMode, null, createElement(component))));
  t.after(() => ["window", "document"].forEach((name) => delete globalThis[name]));
  return { act, unmount: () => act(() => root.unmount()) };
}

test("in StrictMode a component that is mounted twice opens one socket", async (t) => {
  const w = world();
  let mounts = 0;
  const connect = w.chat.connect;
  w.chat.connect = () => (mounts++, connect());
  const seen = [];
  const { act, unmount } = await rendered(t, () => {
    const { state, messages } = useChat(w.chat);
    seen.push([state.status, messages.length]);
    return null;
  });
  assert.equal(mounts, 2);
  await act(settle);
  assert.deepEqual([w.requests.length, w.sockets.length], [1, 1]);
  await act(() => w.socket.accept());
  await act(() => w.socket.receive(message()));
  assert.deepEqual(seen.at(-1), ["open", 1]);
  await unmount();
  assert.deepEqual([w.socket.closed, w.clock.timers, w.chat.state.status], [true, 0, "idle"]);
});

test("a component that only looks does not connect", async (t) => {
  const w = world();
  const { act } = await rendered(t, () => (useChatSnapshot(w.chat), null));
  await act(settle);
  assert.deepEqual([w.requests.length, w.chat.state.status], [0, "idle"]);
});

test("a component shows one room, and loads its older messages", async (t) => {
  const w = world({ protocol: "chat.v2" });
  const seen = [];
  const { act } = await rendered(t, () => {
    const { messages, status, more, loadOlder } = useRoom(w.chat, "lobby");
    seen.push([messages.map(({ id }) => id), status, more, loadOlder]);
    return null;
  });
  assert.deepEqual(seen.at(-1).slice(0, 3), [[], "live", false]);
  await act(() => w.open());
  const entries = [{ ...message(), id: "A", seq: 7 }];
  await act(() => w.socket.history("lobby", { entries, more: true }));
  await act(() => w.socket.history("ops", { entries: [{ ...message(), id: "B", seq: 7 }] }));
  assert.deepEqual(seen.at(-1).slice(0, 3), [["A"], "live", true]);
  await act(() => seen.at(-1)[3]());
  assert.deepEqual(w.socket.questions.at(-1), { lobby: { before: 7, limit: 50 } });
  assert.equal(seen.at(-1)[3], seen[0][3]);
});

test("a component deletes a message of its room, and says that the room was read", async (t) => {
  const w = world({ protocol: "chat.v2" });
  let room;
  const { act } = await rendered(t, () => ((room = useRoom(w.chat, "lobby")), null));
  await act(() => w.open());
  const { markRead, remove } = room;
  await act(() => w.socket.history("lobby", { entries: [{ ...message(), id: "A", seq: 7 }] }));
  assert.deepEqual([room.unread, room.markRead === markRead, room.remove === remove], [1, true, true]);
  await act(() => (markRead(), remove("A"), settle()));
  assert.deepEqual([room.unread, room.messages[0].removal, w.socket.deletions[0].seq], [0, "pending", 7]);
});

test("a server renders a client that is idle", () => {
  const w = world();
  const html = renderToString(createElement(() => createElement("p", null, useChat(w.chat).state.status)));
  assert.deepEqual([html, w.requests.length], ["<p>idle</p>", 0]);
});
