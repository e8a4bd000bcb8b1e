package browser_test

import (
	"context"
	"net"
	"slices"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/chromedp/chromedp"

	"signedsocket/localstage"
	"signedsocket/localstage/stagetest"
)

// openOrRetry is true when the page is connected. Until then it clicks the button that connects at once.
const openOrRetry = `document.querySelector(".connection").dataset.status === "open" ||
	document.querySelector(".connection button")?.click()`

func TestMessagesResumeAfterARestartWithoutRepeats(t *testing.T) {
	// in mode iam a session survives the restart of a stage
	options := stageAt(freePorts(t), t.TempDir(), map[string]string{"AuthMode": "iam"})
	browser := startBrowser(t)
	stage := startStage(t, options)
	one, other := newPerson(t, browser), newPerson(t, browser)
	one.signIn(stage, "one")
	other.signIn(stage, "other")
	one.say("before")
	other.awaitMessage("before")

	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	if err := stage.Close(ctx); err != nil {
		t.Fatal(err)
	}
	one.awaitStatus("waiting", "signing", "connecting")
	one.say("meanwhile")
	startStage(t, options)
	for _, p := range []*person{one, other} {
		p.await(openOrRetry)
	}
	one.say("after")
	for _, p := range []*person{one, other} {
		p.awaitMessage("after")
		// A user who was not connected when a message was sent does not have it. No user has one twice.
		got := p.messages()
		if slices.Sort(got); len(slices.Compact(slices.Clone(got))) != len(got) || p == one && len(got) != 3 {
			t.Errorf("the list is %q", got)
		}
	}
}

// freePorts returns the first of three free addresses in a row.
func freePorts(t *testing.T) string {
	t.Helper()
	for range 50 {
		first, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		address := first.Addr().(*net.TCPAddr)
		free := address.Port < 65_000
		for next := 1; next <= 2 && free; next++ {
			l, err := net.Listen("tcp", net.JoinHostPort("127.0.0.1", strconv.Itoa(address.Port+next)))
			if free = err == nil; free {
				l.Close()
			}
		}
		first.Close()
		if free {
			return address.String()
		}
	}
	t.Fatal("no three free ports in a row")
	return ""
}

func TestThePageConnectsOnceSignUrlIsBack(t *testing.T) {
	t.Parallel()
	var down atomic.Bool
	down.Store(true)
	stage := startStage(t, stagetest.Options{Parameters: guests(), Configure: func(c *localstage.Config) {
		c.FunctionFault = func(function string) localstage.InvocationFault {
			return localstage.InvocationFault{Kill: down.Load() && strings.Contains(function, "SignUrl")}
		}
	}})
	p := newPerson(t, startBrowser(t))
	p.open(stage)
	p.awaitStatus("waiting")
	p.await(`document.querySelector("[role=status] .reason")?.textContent.trim()`)
	down.Store(false)
	p.await(openOrRetry)
	p.say("back")
	p.awaitMessage("back")
}

func TestAWrongClockOfThePageChangesNothing(t *testing.T) {
	t.Parallel()
	stage, browser := startStage(t, stagetest.Options{Parameters: guests()}), startBrowser(t)
	for name, minutes := range map[string]int{"late": -10, "early": 10} {
		t.Run(name, func(t *testing.T) {
			p := newPerson(t, browser, filled(`{
				const Real = Date, shift = %s * 60_000;
				globalThis.Date = class extends Real {
					constructor(...a) { a.length ? super(...a) : super(Real.now() + shift); }
					static now() { return Real.now() + shift; }
				};
			}`, []any{minutes}))
			p.open(stage)
			p.awaitStatus("open")
			p.say(name)
			p.awaitMessage(name)
		})
	}
}

// shortSessions lets a stage end sessions after seconds instead of an hour or two.
func shortSessions(template string) string {
	before, after, _ := strings.Cut(template, "  SessionMaxSeconds:\n")
	return before + "  SessionMaxSeconds:\n" + strings.Replace(after, "MinValue: 60", "MinValue: 1", 1)
}

// recordStatuses records every status that the page shows.
const recordStatuses = `globalThis.shown = []; new MutationObserver(() => {
	const status = document.querySelector(".connection")?.dataset.status;
	if (status && globalThis.shown.at(-1) !== status) globalThis.shown.push(status);
}).observe(document, {subtree: true, childList: true, attributes: true});`

func TestTheConnectionIsReplacedBeforeItEnds(t *testing.T) {
	t.Parallel()
	parameters := guests()
	parameters["SessionMaxSeconds"] = "24" // the pages begin to reconnect after 15 s
	stage, browser := startStage(t, stagetest.Options{Parameters: parameters, Edit: shortSessions}), startBrowser(t)
	one, other := newPerson(t, browser, recordStatuses), newPerson(t, browser)
	for _, p := range []*person{one, other} {
		p.open(stage)
		p.awaitStatus("open")
	}
	var want []string
	for i := 0; stage.Invocations("ConnectFunction") < 6; i++ { // each has been replaced twice
		want = append(want, "message "+strconv.Itoa(i))
		other.say(want[i])
		one.awaitMessage(want[i])
	}
	if got := one.messages(); !slices.Equal(got, want) {
		t.Errorf("the list is %q, want %q", got, want)
	}
	one.hasNoGap()
	shown := eval[[]string](one, `globalThis.shown`)
	if first := slices.Index(shown, "open"); slices.ContainsFunc(shown[first:],
		func(s string) bool { return s != "open" && s != "rotating" }) {
		t.Errorf("the page has shown %q", shown)
	}
}

// At the limit each new connection evicts its own predecessor, and no other connection of the user.
func TestConnectionsAtTheLimitAreReplacedWithoutAGap(t *testing.T) {
	t.Parallel()
	for limit, devices := range map[string]int{"1": 1, "2": 2, "3": 2} {
		t.Run(limit+" places", func(t *testing.T) {
			t.Parallel()
			// The pages begin to reconnect after 15 s. A slow machine has 9 s for that.
			parameters := map[string]string{"SessionMaxSeconds": "24", "ConnectionsPerUser": limit}
			stage := startStage(t, stagetest.Options{Parameters: parameters, Edit: shortSessions})
			browser := startBrowser(t)
			var people []*person
			for range devices {
				p := newPerson(t, browser, recordStatuses)
				p.signIn(stage, "alice")
				people = append(people, p)
			}
			pace := time.NewTicker(600 * time.Millisecond) // stays below 20 messages in 10 seconds
			defer pace.Stop()
			for i := 0; stage.Invocations("ConnectFunction") < 3*devices; i++ { // each has been replaced twice
				text := "message " + strconv.Itoa(i)
				people[i%devices].say(text)
				people[i%devices].awaitMessage(text)
				<-pace.C
			}
			for _, p := range people {
				p.hasNoGap()
				shown := eval[[]string](p, `globalThis.shown`)
				first := slices.Index(shown, "open")
				if slices.ContainsFunc(shown[first:], func(s string) bool { return s != "open" && s != "rotating" }) {
					t.Errorf("the page has shown %q", shown)
				}
			}
		})
	}
}

// hasNoGap fails the test when the list says that messages may be missing.
func (p *person) hasNoGap() {
	p.t.Helper()
	if told := eval[string](p, `document.querySelector(".rule.gap")?.textContent ?? ""`); told != "" {
		p.t.Errorf("after rotations the list says %q", told)
	}
}

// recordSockets records every socket that the page opens.
const recordSockets = `globalThis.sockets = []; globalThis.WebSocket = class extends WebSocket {
	constructor(...args) { super(...args); globalThis.sockets.push(this); }
};`

func TestOfflineAndBack(t *testing.T) {
	t.Parallel()
	_, p := startGuest(t, recordSockets)
	p.do(offline(true))
	eval[bool](p, `globalThis.sockets.at(-1).close() ?? true`) // the browser's network is off for new connections only
	p.awaitStatus("offline")
	p.say("written in a tunnel")
	p.do(offline(false))
	p.awaitMessage("written in a tunnel")
	p.do(chromedp.Reload())
	p.awaitStatus("open")
}
