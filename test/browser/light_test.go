package browser_test

import (
	"strings"
	"sync/atomic"
	"testing"

	"github.com/chromedp/cdproto/input"
	"github.com/chromedp/chromedp"

	"signedsocket/localstage"
	"signedsocket/localstage/stagetest"
)

// recordLight records in order: the statuses that the page shows, the frames that end a connection, the pings and their
// answers, and marks of the page's own timers. It can freeze the sockets, as a network that loses every packet does,
// and move the wall clock. A timer that is due later fires later, also on a busy machine.
const recordLight = `globalThis.events = []; globalThis.frozen = false; globalThis.moved = 0; globalThis.ends = [];
new MutationObserver(() => {
	const status = document.querySelector(".connection")?.dataset.status;
	if (status && globalThis.shown !== status) events.push("shows " + (globalThis.shown = status));
}).observe(document, {subtree: true, childList: true, attributes: true});
globalThis.markAfter = (name, ms) => setTimeout(() => events.push(name), ms);
const now = Date.now;
Date.now = () => now() + moved;
globalThis.WebSocket = class extends WebSocket {
	constructor(...args) {
		super(...args);
		globalThis.socket = this;
		this.addEventListener("message", (event) => {
			if (frozen) return event.stopImmediatePropagation();
			const {type} = JSON.parse(event.data);
			if (type === "pong") events.push("pong");
			if (type !== "bye") return;
			events.push("bye");
			markAfter("2 s after bye", 2000);
		});
	}
	send(data) {
		if (data.includes('"ping"')) {
			events.push("ping");
			markAfter("3 s after ping", 3000);
		}
		if (!frozen) super.send(data);
	}
};
const ask = fetch;
globalThis.fetch = async (url, init) => {
	const response = await ask(url, init);
	if (String(url).includes("signurl") && response.ok) {
		const {sessionEndsIn} = await response.clone().json();
		markAfter("2 s after the end", 1000 * sessionEndsIn + 2000);
	}
	return response;
};`

// inOrder fails the test unless the page has recorded these events in this order. Others may come in between.
func (p *person) inOrder(want ...string) {
	p.t.Helper()
	events := eval[[]string](p, `globalThis.events`)
	rest := "\n" + strings.Join(events, "\n") + "\n"
	for _, event := range want {
		_, after, found := strings.Cut(rest, "\n"+event+"\n")
		if !found {
			p.t.Fatalf("%q does not come in the order of %q:\n%q", event, want, events)
		}
		rest = "\n" + after
	}
}

func (p *person) awaitEvent(name string) {
	p.t.Helper()
	p.await(`globalThis.events.includes(%s)`, name)
}

func TestTheEndOfASessionIsShownAtOnce(t *testing.T) {
	t.Parallel()
	var down atomic.Bool
	parameters := guests()
	parameters["SessionMaxSeconds"] = "8"
	stage := startStage(t, stagetest.Options{Parameters: parameters, Edit: shortSessions,
		Configure: func(c *localstage.Config) {
			c.FunctionFault = func(function string) localstage.InvocationFault {
				return localstage.InvocationFault{Kill: down.Load() && strings.Contains(function, "SignUrl")}
			}
		}})
	p := newPerson(t, startBrowser(t), recordLight)
	p.open(stage)
	p.awaitStatus("open")
	down.Store(true) // so that nothing prolongs the session
	p.awaitEvent("2 s after the end")
	p.inOrder("shows open", "shows waiting", "2 s after the end")
	if light := eval[string](p, `globalThis.shown`); light == "open" || light == "rotating" {
		t.Errorf("after the end of the session the page shows %q", light)
	}
}

func TestAnEvictionIsShownAtOnce(t *testing.T) {
	t.Parallel()
	stage := startStage(t, stagetest.Options{Parameters: map[string]string{"ConnectionsPerUser": "1"}})
	browser := startBrowser(t)
	first, second := newPerson(t, browser, recordLight), newPerson(t, browser)
	first.signIn(stage, "alice")
	second.signIn(stage, "alice")
	first.awaitEvent("2 s after bye")
	first.inOrder("shows open", "bye", "shows closed", "2 s after bye")
	first.await(`document.querySelector("[role=status] .reason")?.textContent.trim()`)
	second.awaitStatus("open")
}

// The network loses every packet, and the browser does not notice. The user comes back after a while and presses a key.
func TestAHalfOpenConnectionIsFoundWhenTheUserActs(t *testing.T) {
	t.Parallel()
	_, p := startGuestAt(t, forgetful(), recordLight)
	p.do(chromedp.Focus(chromedp.CSS("#message")))
	eval[bool](p, `(globalThis.frozen = true, globalThis.moved = 31_000, true)`)
	p.do(call(input.DispatchKeyEvent, input.DispatchKeyEventParams{Type: input.DispatchKeyEventTypeRawKeyDown,
		Key: "Shift", Code: "ShiftLeft", WindowsVirtualKeyCode: 16}))
	if n := eval[int](p, `globalThis.events.filter((event) => event === "ping").length`); n != 1 {
		t.Errorf("the key has sent %d pings", n)
	}
	p.awaitEvent("3 s after ping")
	p.inOrder("shows open", "ping", "shows checking", "3 s after ping")
	p.awaitStatus("waiting", "signing", "connecting")
	eval[bool](p, `(globalThis.frozen = false, true)`)
	p.awaitStatus("open")
	p.await(`/may be missing/.test(document.querySelector(".rule.gap")?.textContent)`)
}

// actAfterSilence lets the wall clock go on by 31 s, dispatches an event of the user, and returns how many pings the
// page has sent before the event's end: no timer of the client fires in between. While a ping has no answer, it does
// nothing and returns undefined.
const actAfterSilence = `globalThis.act = (selector, event) => {
	const count = (name) => events.filter((event) => event === name).length;
	const pings = count("ping");
	if (pings !== count("pong")) return;
	moved += 31_000;
	(selector ? document.querySelector(selector) : globalThis).dispatchEvent(event);
	return count("ping") - pings;
};`

// Whatever the user does, the page asks the server. The composer and the list must not keep an event to themselves.
func TestThePageAsksTheServerWhateverTheUserDoes(t *testing.T) {
	t.Parallel()
	_, p := startGuestAt(t, forgetful(), recordLight, actAfterSilence)
	p.await(`document.querySelector(".empty")`) // not before the server has said that it keeps no messages
	for _, test := range []struct{ name, selector, event string }{
		{"comes back to the window", "", `new FocusEvent("focus")`},
		{"goes to the composer", "#message", `new FocusEvent("focus")`},
		{"presses a key", "#message", `new KeyboardEvent("keydown", {key: "Shift", bubbles: true})`},
		{"presses a button of the mouse", ".log", `new PointerEvent("pointerdown", {bubbles: true})`},
		{"scrolls with the wheel", ".log", `new WheelEvent("wheel", {bubbles: true})`},
		{"scrolls with a finger", ".log", `new Event("touchmove", {bubbles: true})`},
		{"dictates a text", "#message", `new InputEvent("input", {bubbles: true})`},
	} {
		p.await(filled(`(globalThis.asked = act(%s, `, []any{test.selector}) + test.event + `)) !== undefined`)
		if n := eval[int](p, `globalThis.asked`); n != 1 {
			t.Errorf("a user who %s: the page has sent %d pings, want one", test.name, n)
		}
	}
}

func TestSleepIsNoticed(t *testing.T) {
	t.Parallel()
	_, p := startGuestAt(t, forgetful(), recordLight)
	eval[bool](p, `(globalThis.frozen = true, globalThis.moved = 3_600_000, markAfter("6 s after sleep", 6000), true)`)
	p.awaitEvent("6 s after sleep")
	p.awaitEvent("3 s after ping")
	p.inOrder("shows open", "ping", "6 s after sleep")
	p.inOrder("shows open", "ping", "shows checking", "3 s after ping")
	eval[bool](p, `(globalThis.frozen = false, true)`)
	p.awaitStatus("open")
	p.say("awake")
	p.awaitMessage("awake")
}

// After a loss the list says where messages may be missing, if the server keeps none. A rotation leaves no such line.
func TestAGapIsShownInItsPlace(t *testing.T) {
	t.Parallel()
	_, p := startGuestAt(t, forgetful(), recordSockets)
	p.await(`document.querySelector(".empty")`) // not before the server has said that it keeps no messages
	hint := eval[string](p, `document.querySelector(".empty").innerText`)
	if !strings.Contains(hint, "since you connected") {
		t.Errorf("an empty room says %q", hint)
	}
	p.say("before")
	p.awaitMessage("before")
	eval[bool](p, `globalThis.sockets.at(-1).close() ?? true`)
	p.await(`document.querySelector(".rule.gap")`)
	p.awaitStatus("open")
	p.say("after")
	p.awaitMessage("after")
	const kinds = `[...document.querySelectorAll(".log li")].map((li) => li.classList.contains("message") ?
		li.querySelector(".bubble").textContent : li.classList[1]).join()`
	if got := eval[string](p, kinds); got != "day,before,gap,after" {
		t.Errorf("the list is %s", got)
	}
}
