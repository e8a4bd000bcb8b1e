package browser_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/chromedp"

	"signedsocket/internal/stageclient"
	"signedsocket/internal/stageclient/clienttest"
	"signedsocket/localstage/stagetest"
)

// askAgain makes the page ask what is new, as it does when the network is back.
const askAgain = `(dispatchEvent(new Event("online")), true)`

// awaitAsking waits until an expression of the page is true, and lets the page ask the server meanwhile.
func (p *person) awaitAsking(expression string, arguments ...any) {
	p.t.Helper()
	look := time.NewTicker(time.Second)
	defer look.Stop()
	for end := time.Now().Add(patience); !eval[bool](p, "!!("+expression+")", arguments...); <-look.C {
		if time.Now().After(end) {
			p.t.Fatalf("asked in vain for %s\nthe page says: %s", filled(expression, arguments), p.body())
		}
		eval[bool](p, askAgain)
	}
}

// awaitDeleted waits until the list shows so many deleted messages and not the text.
func (p *person) awaitDeleted(count int, text string) {
	p.t.Helper()
	p.await(`document.querySelectorAll(".bubble.deleted").length === %s &&
		document.querySelector(".bubble.deleted").textContent === "This message was deleted." &&
		!document.body.textContent.includes(%s)`, count, text)
}

func TestADeletedMessageDisappearsForEverybody(t *testing.T) {
	t.Parallel()
	stage, browser := startStage(t, stagetest.Options{}), startBrowser(t)
	alice, bob := newPerson(t, browser), newPerson(t, browser)
	alice.signIn(stage, "alice")
	bob.signIn(stage, "bob")
	alice.say("a secret")
	bob.awaitMessage("a secret")
	alice.await(`document.querySelector(".message.own .remove")?.textContent === "Delete"`)
	if eval[bool](bob, `document.querySelector(".remove") !== null`) {
		t.Error("bob may delete what alice wrote")
	}
	alice.click(".message.own .remove")
	alice.await(`document.querySelector(".remove")?.textContent === "Delete for everybody"`)
	bob.awaitMessage("a secret")
	alice.click(".message.own .remove")
	alice.awaitDeleted(1, "a secret")
	alice.await(`document.activeElement?.id === "message"`)
	bob.awaitDeleted(1, "a secret")

	alice.say("another secret")
	bob.awaitMessage("another secret")
	alice.await(`document.querySelector(".message.own .remove")`)
	alice.do(chromedp.Focus(chromedp.CSS(".message.own .remove")))
	alice.do(enter(0)...)
	alice.await(`document.querySelector(".remove")?.textContent === "Delete for everybody"`)
	alice.do(enter(0)...)
	bob.awaitDeleted(2, "another secret")

	carol := newPerson(t, browser)
	carol.signIn(stage, "carol")
	carol.awaitDeleted(2, "secret")
	bob.do(chromedp.Reload())
	bob.awaitDeleted(2, "secret")
}

func TestAModeratorDeletesWhatOthersWrote(t *testing.T) {
	t.Parallel()
	parameters := map[string]string{"ModeratorClaim": "moderator"}
	stage, browser := startStage(t, stagetest.Options{Parameters: parameters}), startBrowser(t)
	carol, bob := newPerson(t, browser), newPerson(t, browser)
	carol.signInWith(stage, "carol", "moderator=true")
	bob.signIn(stage, "bob")
	bob.say("an insult")
	carol.awaitMessage("an insult")
	for range 2 {
		carol.click(".message.other .remove")
	}
	for _, p := range []*person{carol, bob} {
		p.awaitDeleted(1, "an insult")
	}
}

func TestTheListShowsUsersOfTheRoom(t *testing.T) {
	t.Parallel()
	stage, browser := startStage(t, stagetest.Options{}), startBrowser(t)
	alice, bob := newPerson(t, browser), newPerson(t, browser)
	const names = `[...document.querySelectorAll("ul.roster[aria-label='In this room'] bdi")]
		.map((name) => name.textContent).sort().join() === %s`
	alice.signIn(stage, "alice")
	alice.awaitAsking(names, "Alice")
	bob.signIn(stage, "bob")
	for _, p := range []*person{alice, bob} {
		p.awaitAsking(names, "Alice,Bob")
	}
	bob.do(chromedp.Navigate("about:blank"))
	alice.awaitAsking(names, "Alice")
}

func TestARoomToReadHasNoField(t *testing.T) {
	t.Parallel()
	parameters := map[string]string{"RoomsClaim": "rooms", "DefaultRooms": "lobby,news"}
	stage, browser := startStage(t, stagetest.Options{Parameters: parameters}), startBrowser(t)
	alice, bob := newPerson(t, browser), newPerson(t, browser)
	alice.signInWith(stage, "alice", "rooms=lobby rooms=news:r")
	bob.signInWith(stage, "bob", "rooms=lobby rooms=news")
	alice.await(`document.querySelector("#message")`)
	for _, p := range []*person{alice, bob} {
		p.click(".room:nth-of-type(2)")
	}
	bob.say("extra, extra")
	alice.awaitMessage("extra, extra")
	alice.await(`!document.querySelector("#message") &&
		document.querySelector(".read-only")?.textContent === "You may only read in this room."`)
	alice.click(".room:nth-of-type(1)")
	alice.await(`document.querySelector("#message")`)
}

func TestUnreadCountsAgreeInTwoBrowsersOfAUser(t *testing.T) {
	t.Parallel()
	parameters := map[string]string{"DefaultRooms": "lobby,news"}
	stage, browser := startStage(t, stagetest.Options{Parameters: parameters}), startBrowser(t)
	bob := clienttest.Connect(t, stage.Client(t), "bob")
	first, second := newPerson(t, browser), newPerson(t, browser)
	first.signIn(stage, "alice")
	second.signIn(stage, "alice")
	say := func(text string) {
		t.Helper()
		if err := bob.Send(clienttest.Within(t), stageclient.Outgoing{Room: "news", Text: text}); err != nil {
			t.Fatal(err)
		}
		clienttest.Await[stageclient.Ack](t, bob)
	}
	for _, text := range []string{"one", "two", "three"} {
		say(text)
	}
	const counts = `(document.querySelector(".room:nth-of-type(2) .count > span")?.textContent ?? "") === %s`
	for _, p := range []*person{first, second} {
		p.await(counts, "3")
	}
	first.click(".room:nth-of-type(2)")
	first.await(counts, "")
	// The browser puts the page away, which tells the server how far alice has read.
	eval[bool](first, `(Object.defineProperty(document, "visibilityState", {value: "hidden"}),
		document.dispatchEvent(new Event("visibilitychange")))`)
	second.awaitAsking(counts, "")
	say("four")
	for _, p := range []*person{first, second} {
		p.await(counts, "1")
	}
	titles := []string{eval[string](first, `document.title`), eval[string](second, `document.title`)}
	if slices.ContainsFunc(titles, func(title string) bool { return !strings.HasPrefix(title, "(1) ") }) {
		t.Errorf("the titles are %q", titles)
	}
}
