package browser_test

import (
	"fmt"
	"slices"
	"testing"

	"github.com/chromedp/chromedp"

	"signedsocket/internal/stageclient"
	"signedsocket/internal/stageclient/clienttest"
	"signedsocket/localstage/stagetest"
)

// startTalk starts a stage on which a user may send many messages in a row, and connects bob, who does so.
func startTalk(t *testing.T) (*stagetest.Stage, *stageclient.Conn) {
	t.Helper()
	parameters := map[string]string{"HistoryDays": "7", "MessagesPerWindow": "1000"}
	stage := startStage(t, stagetest.Options{Parameters: parameters})
	return stage, clienttest.Connect(t, stage.Client(t), "bob")
}

// talk sends the lines with the numbers from first to last, one after the other, and returns them.
func talk(t *testing.T, conn *stageclient.Conn, first, last int) []string {
	t.Helper()
	var said []string
	for i := first; i <= last; i++ {
		said = append(said, line(i))
		clienttest.Send(t, conn, line(i), fmt.Sprintf("line-%d", i))
		clienttest.Await[stageclient.Ack](t, conn)
	}
	return said
}

func line(i int) string { return fmt.Sprintf("line %d", i) }

// wantMessages fails the test unless the list shows these texts in this order, and no others.
func (p *person) wantMessages(want []string) {
	p.t.Helper()
	if got := p.messages(); !slices.Equal(got, want) {
		p.t.Errorf("the list shows %q instead of %q", got, want)
	}
}

func TestTheListKeepsItsPlaceWhenOlderOnesCome(t *testing.T) {
	t.Parallel()
	stage, bob := startTalk(t)
	said := talk(t, bob, 1, 130)
	alice := newPerson(t, startBrowser(t))
	alice.signIn(stage, "alice")
	alice.awaitMessage("line 130")
	if n := len(alice.messages()); n != 50 {
		t.Errorf("the list begins with %d messages", n)
	}
	const still = `document.getAnimations().length === 0`
	eval[bool](alice, listenToTheList)
	for _, c := range []struct{ scrollTop, next int }{{0, 100}, {150, 130}} {
		alice.await(still)
		before := eval[float64](alice, `(() => {
			const log = document.querySelector(".log");
			log.scrollTop = %s;
			globalThis.mark = [...log.querySelectorAll(".message")].find((message) =>
				message.getBoundingClientRect().top > log.getBoundingClientRect().top);
			return globalThis.mark.getBoundingClientRect().top;
		})()`, c.scrollTop)
		alice.await(`document.querySelectorAll(".message").length === %s`, c.next)
		alice.await(still)
		after := eval[float64](alice, `globalThis.mark.getBoundingClientRect().top`)
		if after-before > 1 || before-after > 1 {
			t.Errorf("from %d px below the top, the message at %v moves to %v", c.scrollTop, before, after)
		}
	}
	alice.wantMessages(said)
	alice.await(`/older than 7 days are not kept/.test(document.querySelector(".rule.end")?.textContent)`)
	alice.await(`document.querySelector(".log").ariaLive === "polite"`)
	talk(t, bob, 131, 131)
	alice.await(`globalThis.announced.length > 0`)
	if heard := eval[[]string](alice, `globalThis.announced`); !slices.Equal(heard, []string{line(131)}) {
		t.Errorf("a screen reader may read %q", heard)
	}
}

// listenToTheList makes the page note the messages that come while a screen reader would read them.
const listenToTheList = `(() => {
	const log = document.querySelector(".log");
	globalThis.announced = [];
	new MutationObserver((changes) => {
		const added = changes.flatMap(({ addedNodes }) => [...addedNodes]);
		if (log.ariaLive !== "polite") return;
		globalThis.announced.push(...added.flatMap((node) =>
			node.matches?.(".message") ? node.querySelector(".bubble").textContent : []));
	}).observe(log, { childList: true, subtree: true });
	return true;
})()`

func TestAReloadedPageShowsTheTalk(t *testing.T) {
	t.Parallel()
	parameters := guests()
	parameters["HistoryDays"] = "7"
	_, p := startGuestAt(t, parameters)
	p.await(`/No messages yet/.test(document.querySelector(".empty")?.textContent)`)
	p.say("one")
	p.awaitMessage("one")
	p.say("two")
	p.awaitMessage("two")
	p.do(chromedp.Reload())
	p.awaitStatus("open")
	p.awaitMessage("two")
	p.wantMessages([]string{"one", "two"})
	if n := eval[int](p, `document.querySelectorAll(".message.own").length`); n != 2 {
		t.Errorf("%d of the messages are the guest's own", n)
	}
}

func TestAPageThatWasCutOffShowsWhatWasSaidMeanwhile(t *testing.T) {
	t.Parallel()
	stage, bob := startTalk(t)
	alice := newPerson(t, startBrowser(t), recordSockets)
	alice.signIn(stage, "alice")
	said := talk(t, bob, 1, 3)
	alice.awaitMessage("line 3")
	alice.do(offline(true))
	eval[bool](alice, `globalThis.sockets.at(-1).close() ?? true`)
	alice.awaitStatus("offline")
	said = append(said, talk(t, bob, 4, 33)...)
	alice.say("from a tunnel")
	alice.do(offline(false))
	alice.awaitMessage("from a tunnel")
	alice.wantMessages(append(said, "from a tunnel"))
	if eval[bool](alice, `document.querySelector(".rule:is(.gap, .missing)") !== null`) {
		t.Error("the list says that something is missing")
	}
}

// The machine sleeps for an hour, and every frame to it is lost.
func TestALaptopThatWakesUpCatchesUp(t *testing.T) {
	t.Parallel()
	stage, bob := startTalk(t)
	alice := newPerson(t, startBrowser(t), recordLight)
	alice.signIn(stage, "alice")
	said := talk(t, bob, 1, 2)
	alice.awaitMessage("line 2")
	eval[bool](alice, `(globalThis.frozen = true)`)
	said = append(said, talk(t, bob, 3, 5)...)
	eval[bool](alice, `(globalThis.moved = 3_600_000, true)`)
	alice.await(`globalThis.shown === "checking"`)
	eval[bool](alice, `(globalThis.frozen = false, true)`)
	said = append(said, talk(t, bob, 6, 6)...)
	alice.awaitMessage("line 5")
	alice.awaitMessage("line 6")
	alice.wantMessages(said)
}

func TestANewcomerSeesTheLastMessages(t *testing.T) {
	t.Parallel()
	stage, bob := startTalk(t)
	said := talk(t, bob, 1, 60)
	alice := newPerson(t, startBrowser(t))
	alice.signIn(stage, "alice")
	alice.awaitMessage("line 60")
	alice.wantMessages(said[10:])
	if eval[bool](alice, `document.querySelector(".rule.unread") !== null || document.title.startsWith("(")`) {
		t.Error("messages from before alice came count as new")
	}
	talk(t, bob, 61, 61)
	alice.awaitMessage("line 61")
}
