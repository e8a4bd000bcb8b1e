package browser_test

import (
	"fmt"
	"strings"
	"testing"

	"signedsocket/localstage/stagetest"
)

func TestTheTitleNamesTheRoomAndUnreadMessages(t *testing.T) {
	t.Parallel()
	stage := startStage(t, stagetest.Options{Parameters: guests()})
	browser := startBrowser(t)
	p, other := newPerson(t, browser), newPerson(t, browser)
	// The page sets the title once more after it has loaded. The test reads the title after that.
	p.open(stage)
	p.awaitStatus("open")
	p.await(`document.readyState === "complete" && document.title === "lobby – Chat"`)
	p.await(`new Promise((resolve) => requestIdleCallback(() => resolve(document.title === "lobby – Chat")))`)
	other.open(stage)
	other.awaitStatus("open")
	for i := range 14 { // more than the window shows
		other.say(fmt.Sprintf("line %d\nand another\nand a third", i))
	}
	p.awaitMessage("line 13\nand another\nand a third")
	p.await(`document.querySelector(".log").scrollTop > 100`)
	eval[bool](p, `(document.querySelector(".log").scrollTo(0, 0), true)`)
	p.await(`document.querySelector(".to-end")`)
	other.say("news")
	p.await(`document.title === "(1) lobby – Chat"`)
}

func TestDatesAreThoseOfTheBrowsersRegion(t *testing.T) {
	t.Parallel()
	stage, browser := startStage(t, stagetest.Options{Parameters: guests()}), startBrowser(t)
	for locale, want := range map[string]string{
		"en-GB": `^\w+,? \d+ \w+ \d{4} at \d\d:`,
		"en-US": `^\w+, \w+ \d+, \d{4} at `,
	} {
		p := newPerson(t, browser)
		p.do(language(locale))
		p.open(stage)
		p.awaitStatus("open")
		p.say("hello " + locale)
		p.awaitMessage("hello " + locale)
		p.await(`new RegExp(%s).test(document.querySelector(".stamp[title]").title)`, want)
	}
}

// A button that disappears passes the focus on.
func TestTheFocusIsNeverLost(t *testing.T) {
	t.Parallel()
	stage := startStage(t, stagetest.Options{Parameters: guests()})
	p := newPerson(t, startBrowser(t), recordSockets, `globalThis.refuse = false;
		globalThis.WebSocket = class extends WebSocket { send(data) {
			if (!globalThis.refuse || !data.includes("sendmessage")) return super.send(data);
			const {id: clientId} = JSON.parse(data);
			const frame = {type: "error", code: "bad_message", clientId};
			this.dispatchEvent(new MessageEvent("message", {data: JSON.stringify(frame)}));
		} };`)
	p.open(stage)
	p.awaitStatus("open")
	const focused = `document.activeElement?.id === "message"`
	for i := range 20 {
		p.say(fmt.Sprintf("line %d\nand another\nand a third", i))
	}
	p.awaitMessage("line 19\nand another\nand a third")
	eval[bool](p, `(document.querySelector(".log").scrollTo(0, 0), true)`)
	p.await(`document.querySelector(".to-end")`)
	if name := eval[string](p, `document.querySelector(".to-end").ariaLabel`); name != "To the latest message" {
		t.Errorf("the button to the end is called %q", name)
	}
	p.click(".to-end")
	p.await(focused)
	for _, button := range []string{"first-of-type", "last-of-type"} { // send again, discard
		eval[bool](p, `(globalThis.refuse = true)`)
		p.say("refused by " + button)
		p.await(`document.querySelector(".failure button")`)
		eval[bool](p, `(globalThis.refuse = false, true)`)
		p.click(".failure button:" + button)
		p.await(`!document.querySelector(".failure")`)
		p.await(focused)
	}
}

func TestACopiedPassageHasNoLettersOfAvatars(t *testing.T) {
	t.Parallel()
	stage, browser := startStage(t, stagetest.Options{}), startBrowser(t)
	alice, bob := newPerson(t, browser), newPerson(t, browser)
	alice.signIn(stage, "alice")
	bob.signIn(stage, "bob")
	alice.say("こんにちは")
	bob.awaitMessage("こんにちは")
	copied := eval[string](bob, `(getSelection().selectAllChildren(document.querySelector(".log ol")),
		getSelection().toString())`)
	if !strings.Contains(copied, "Alice\n") || strings.Contains(copied, "A\n") {
		t.Errorf("the copied passage is %q", copied)
	}
	picture := eval[string](bob, `getComputedStyle(document.querySelector(".avatar"), "::before").content`)
	if !strings.Contains(picture, "A") {
		t.Errorf("the picture shows %s", picture)
	}
}

func TestPastedControlsAreRepaired(t *testing.T) {
	t.Parallel()
	_, p := startGuest(t)
	p.say("see \u202d0123\u202c and\u2028\u2068this\u2069")
	p.awaitMessage("see 0123 and\nthis")
}

func TestARateLimitSaysHowLongItHolds(t *testing.T) {
	t.Parallel()
	parameters := guests()
	parameters["MessagesPerWindow"] = "1"
	stage := startStage(t, stagetest.Options{Parameters: parameters})
	p := newPerson(t, startBrowser(t))
	p.open(stage)
	p.awaitStatus("open")
	p.say("one")
	p.say("two")
	p.await(`/sent in \d+ s/.test(document.querySelector(".message[data-status=pending] .stamp")?.textContent)`)
	p.awaitMessage("two")
}
