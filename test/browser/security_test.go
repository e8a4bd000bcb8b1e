package browser_test

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	v4 "github.com/aws/aws-sdk-go-v2/aws/signer/v4"
	"github.com/chromedp/chromedp"

	"signedsocket/internal/stageclient"
	"signedsocket/internal/stageclient/clienttest"
	"signedsocket/localstage/stagetest"
)

// invokeReaper invokes the reaper as an operator does.
func invokeReaper(t *testing.T, stage *stagetest.Stage, event string) {
	t.Helper()
	client := stage.Client(t)
	credentials, err := client.Credentials(t.Context(), "admin")
	if err != nil {
		t.Fatal(err)
	}
	keys, err := credentials.Retrieve(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	address := client.Outputs.Endpoint("lambda") + "/2015-03-31/functions/" + client.Outputs.ReaperName + "/invocations"
	request, err := http.NewRequestWithContext(t.Context(), http.MethodPost, address, strings.NewReader(event))
	if err != nil {
		t.Fatal(err)
	}
	digest := sha256.Sum256([]byte(event))
	hash, region := hex.EncodeToString(digest[:]), client.Outputs.Region
	err = v4.NewSigner().SignHTTP(t.Context(), keys, request, hash, "lambda", region, time.Now())
	if err != nil {
		t.Fatal(err)
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	body, _ := io.ReadAll(response.Body)
	if response.StatusCode != http.StatusOK || response.Header.Get("X-Amz-Function-Error") != "" {
		t.Fatalf("the reaper answered %d %s", response.StatusCode, body)
	}
}

// isAtProvider is true on the page of the development issuer that asks for the user.
const isAtProvider = `document.querySelector("#user") !== null`

func TestARevokedUserStaysOutUntilAPersonSignsIn(t *testing.T) {
	t.Parallel()
	for mode, parameters := range map[string]map[string]string{"jwt": nil, "iam": {"AuthMode": "iam"}} {
		t.Run(mode, func(t *testing.T) {
			stage, browser := startStage(t, stagetest.Options{Parameters: parameters}), startBrowser(t)
			p := newPerson(t, browser)
			p.signIn(stage, "dan") // the provider's session stays open
			invokeReaper(t, stage, `{"revoke":{"user":"dan"}}`)
			p.awaitStatus("auth-required")
			p.stays(2*time.Second, `document.querySelector(".connection")?.dataset.status === "auth-required"`)

			p.open(stage) // and loaded again
			p.await(`document.querySelector(".connection[data-status=auth-required] button, .card button.primary")`)
			p.stays(time.Second, `document.querySelector("#user, .connection[data-status=open]") === null`)
			p.click(".connection button, .card button.primary")
			p.await(isAtProvider)
			if !eval[bool](p, `new URLSearchParams(location.search).get("prompt") === "login"`) {
				t.Errorf("the provider is not told to ask: %s", p.body())
			}
			p.do(chromedp.SetValue(chromedp.CSS("#user"), "dan"), chromedp.Submit(chromedp.CSS("#user")))
			p.awaitStatus("open")
			if eval[bool](p, `localStorage.getItem("signedsocket-revoked") !== null`) {
				t.Error("the page still takes the user for revoked")
			}
		})
	}
}

// The ban is the one that make revoke sets: an hour, unless the operator says another end. A person who signs in anew
// stays out until its end, here until the operator lifts it.
func TestABanKeepsThePageOutAfterANewSignIn(t *testing.T) {
	t.Parallel()
	for mode, parameters := range map[string]map[string]string{"jwt": nil, "iam": {"AuthMode": "iam"}} {
		t.Run(mode, func(t *testing.T) {
			stage, browser := startStage(t, stagetest.Options{Parameters: parameters}), startBrowser(t)
			p := newPerson(t, browser)
			p.signIn(stage, "dan")
			const order = `{"revoke":{"user":"dan","by":"an operator","bannedUntil":%d,"atLeast":true}}`
			invokeReaper(t, stage, fmt.Sprintf(order, time.Now().Add(time.Hour).Unix()))
			p.awaitStatus("auth-required")
			// The revocation ends with its second. Later only the ban refuses a new sign-in.
			p.stays(time.Second, isOut)

			p.signInAgain("dan")
			if reason := stage.AwaitRefusals(t, "SignUrlFunction", 1)[0]; reason != "revoked" {
				t.Errorf("after the new sign-in signurl refuses with %q", reason)
			}
			p.await(isOut)
			p.stays(2*time.Second, isOut)
			if n := len(stage.Gateway().Connections()); n != 0 {
				t.Errorf("the banned user has %d connections", n)
			}

			invokeReaper(t, stage, `{"revoke":{"user":"dan","by":"an operator","bannedUntil":0}}`)
			p.stays(time.Second, isOut) // a person has to act
			p.signInAgain("dan")
			p.awaitStatus("open")
		})
	}
}

// isOut is true on a page that says to a user that the access was withdrawn.
const isOut = `document.querySelector(".connection")?.dataset.status === "auth-required" &&
	/Your access was withdrawn/.test(document.querySelector("[role=status] .reason")?.textContent)`

// signInAgain signs a user in whose access was withdrawn.
func (p *person) signInAgain(name string) {
	p.t.Helper()
	p.click(".connection button")
	p.await(isAtProvider)
	p.do(chromedp.SetValue(chromedp.CSS("#user"), name), chromedp.Submit(chromedp.CSS("#user")))
}

// secondTab opens another tab of the same browser profile.
func (p *person) secondTab() *person {
	p.t.Helper()
	ctx, stop := chromedp.NewContext(p.ctx)
	p.t.Cleanup(stop)
	tab := &person{t: p.t, ctx: ctx}
	if err := chromedp.Do(ctx); err != nil {
		p.t.Fatal(err)
	}
	go tab.listen()
	return tab
}

func TestSigningOutEndsEveryTabOfTheBrowser(t *testing.T) {
	t.Parallel()
	for mode, parameters := range map[string]map[string]string{"jwt": nil, "iam": {"AuthMode": "iam"}} {
		t.Run(mode, func(t *testing.T) {
			stage, browser := startStage(t, stagetest.Options{Parameters: parameters}), startBrowser(t)
			p, other := newPerson(t, browser), newPerson(t, browser)
			p.signIn(stage, "alice")
			other.signIn(stage, "bob")
			tab := p.secondTab()
			tab.open(stage)
			tab.await(`document.querySelector(".connection[data-status=open], button.primary:not([disabled])")`)
			if eval[bool](tab, `document.querySelector(".connection") === null`) { // its tokens are its own
				tab.click("button.primary")
			}
			tab.awaitStatus("open")

			eval[bool](p, `[...document.querySelectorAll("header button")]
				.find((button) => button.textContent === "Sign out").click() ?? true`)
			tab.await(`document.querySelector(".card button.primary")`)
			p.await(`document.querySelector(".card button.primary")`)
			stage.AwaitConnections(t, 1)
			other.say("still here")
			other.awaitMessage("still here")
			tab.do(chromedp.Reload())
			tab.await(`document.querySelector(".card button.primary")`)
		})
	}
}

func TestAGuestStaysTheSameGuest(t *testing.T) {
	t.Parallel()
	stage, browser := startStage(t, stagetest.Options{Parameters: guests()}), startBrowser(t)
	p, other := newPerson(t, browser), newPerson(t, browser)
	p.open(stage)
	p.awaitStatus("open")
	const name = `document.querySelector(".self .name bdi").textContent`
	before := eval[string](p, name)
	p.say("before")
	p.awaitMessage("before")
	p.do(chromedp.Reload())
	p.awaitStatus("open")
	if after := eval[string](p, name); after != before {
		t.Errorf("%s became %s", before, after)
	}
	other.open(stage)
	other.awaitStatus("open")
	if another := eval[string](other, name); another == before {
		t.Errorf("two browsers are one guest, %s", before)
	}
}

func TestMethodsThatThePageDoesNotKnowAreRefused(t *testing.T) {
	t.Parallel()
	stage := startStage(t, stagetest.Options{})
	for _, method := range []string{"TRACE", "PUT", "DELETE", "PATCH", "PROPFIND"} {
		for _, path := range []string{"", "api/signin", "nowhere"} {
			request, err := http.NewRequestWithContext(t.Context(), method, frontend(stage)+path, nil)
			if err != nil {
				t.Fatal(err)
			}
			response, err := http.DefaultClient.Do(request)
			if err != nil {
				t.Fatal(err)
			}
			response.Body.Close()
			if response.StatusCode != http.StatusMethodNotAllowed {
				t.Errorf("%s /%s answers %d", method, path, response.StatusCode)
			}
		}
	}
}

func TestTextDoesNotDeceive(t *testing.T) {
	t.Parallel()
	stage, browser := startStage(t, stagetest.Options{}), startBrowser(t)
	reader := newPerson(t, browser)
	reader.signIn(stage, "reader")
	writer, _, err := stage.Client(t).Connect(clienttest.Within(t), "writer")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = writer.Close() })
	long := strings.Repeat("line\n", 40) + "end"
	clienttest.Send(t, writer, long, "")
	reader.awaitMessage(long)
	const height = `(([bubble]) => bubble.clientHeight / parseFloat(getComputedStyle(bubble).lineHeight))` +
		`(document.querySelectorAll(".bubble"))`
	if lines := eval[float64](reader, height); lines > 13 {
		t.Errorf("a long message takes %.1f lines", lines)
	}
	reader.click(".fold")
	if lines := eval[float64](reader, height); lines < 41 {
		t.Errorf("all of a long message takes %.1f lines", lines)
	}
	for text, want := range map[string][]string{
		"https://b\u0430nk.example/login":    {"https://xn--bnk-6cd.example/login"},
		"https://good.example@evil.example/": nil,
		"https://good.example/":              {"https://good.example/"},
	} {
		clienttest.Send(t, writer, text, "")
		reader.await(`[...document.querySelectorAll(".bubble")].some((bubble) => bubble.textContent.startsWith(%s))`,
			text)
		links := eval[[]string](reader,
			`[...document.querySelectorAll(".message:last-child .bubble a")].map((link) => link.href)`)
		if !slices.Equal(links, want) {
			t.Errorf("%s links to %q, want %q", text, links, want)
		}
		if !eval[bool](reader, `[...document.querySelectorAll(".bubble a")]
			.every((link) => link.textContent.includes(link.hostname))`) {
			t.Errorf("%s: a link does not show its host", text)
		}
	}
}

func TestTwoUsersOfOneNameAreToldApart(t *testing.T) {
	t.Parallel()
	stage, browser := startStage(t, stagetest.Options{}), startBrowser(t)
	reader := newPerson(t, browser)
	reader.signIn(stage, "reader")
	const tags = `[...document.querySelectorAll(".message .sender .tag")].map((tag) => tag.lastChild.textContent)`
	for i, sub := range []string{"one", "other"} {
		client, proof := stage.Client(t), stageclient.NewProof()
		user := stageclient.User{Sub: sub, Name: "Mallory"}
		grant := stageclient.NewGrant(user, []string{"lobby"}, proof.Challenge, time.Now())
		signed := clienttest.Presign(t, client, "SignUrlFunction", grant)
		conn, err := clienttest.Dial(t, client, signed.URL, proof.Verifier, nil)
		if err != nil {
			t.Fatal(err)
		}
		clienttest.Send(t, conn, "from "+sub, "")
		reader.awaitMessage("from " + sub)
		if got := eval[[]string](reader, tags); len(got) != 2*i {
			t.Errorf("after %d users of the name the tags are %q", i+1, got)
		}
	}
	if got := eval[[]string](reader, tags); len(got) == 2 && got[0] == got[1] {
		t.Errorf("both have the tag %q", got)
	}
}
