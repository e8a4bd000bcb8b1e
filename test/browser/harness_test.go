// Package browser_test plays people in a real Chromium against a local stage with the built page: it tests what they
// see, type and click.
package browser_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/chromedp/cdproto/input"
	"github.com/chromedp/cdproto/page"
	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/chromedp"

	"signedsocket/localstage"
	"signedsocket/localstage/stagetest"
	"signedsocket/test/tool"
)

// patience is how long a test waits for a change in the page. The machine may be slow.
const patience = 60 * time.Second

// guests are the parameters of a stage without a sign-in.
func guests() map[string]string {
	return map[string]string{"AuthMode": "guest", "GuestRooms": "lobby"}
}

// forgetful are the parameters of a stage for guests that keeps no messages.
func forgetful() map[string]string {
	parameters := guests()
	parameters["HistoryDays"] = "0"
	return parameters
}

// startStage starts a stage with the page.
func startStage(t *testing.T, o stagetest.Options) *stagetest.Stage {
	t.Helper()
	tool.Node(t)
	o.Page = true
	return stagetest.Start(t, o)
}

// shared is the Chromium of all tests: a start takes as much time as a short test. Each person has a profile of their
// own in it. A variable, because a test binary has no other place that outlives one test.
var shared struct {
	sync.Mutex
	browser context.Context // nil until a test asks for it
	stop    func()
}

// TestMain stops the browser after the last test.
func TestMain(m *testing.M) {
	code := m.Run()
	if shared.browser != nil {
		shared.stop()
	}
	os.Exit(code)
}

// startBrowser returns the Chromium of all tests, which the first caller starts.
func startBrowser(t *testing.T) context.Context {
	t.Helper()
	shared.Lock()
	defer shared.Unlock()
	if shared.browser != nil {
		return shared.browser
	}
	options := append(chromedp.DefaultExecAllocatorOptions[:], chromedp.ExecPath(chromium(t)),
		chromedp.Flag("disable-quic", true), chromedp.Flag("disable-component-update", true),
		chromedp.Flag("lang", "en-US"))
	allocator, stopAllocator := chromedp.NewExecAllocator(context.Background(), options...)
	browser, stopBrowser := chromedp.NewContext(allocator)
	if err := chromedp.Do(browser); err != nil {
		stopAllocator()
		t.Fatalf("start Chromium: %v", err)
	}
	shared.browser, shared.stop = browser, func() { stopBrowser(); stopAllocator() }
	return browser
}

// chromium returns the program.
func chromium(t *testing.T) string {
	t.Helper()
	programs := []string{"chromium", "chromium-browser", "google-chrome"}
	if program := os.Getenv("CHROMIUM"); program != "" {
		programs = append([]string{program}, programs...)
	}
	return tool.Path(t, "make setup-ci installs Chromium on Debian; or set CHROMIUM to the program", programs...)
}

// person is one user in an own browser profile, with one window.
type person struct {
	t   *testing.T
	ctx context.Context

	mu         sync.Mutex
	complaints []string // of the browser: violations of the content security policy, exceptions
}

// newPerson opens an empty window with its own storage. A violation of the content security policy or an uncaught
// exception in it fails the test.
func newPerson(t *testing.T, browser context.Context, scripts ...string) *person {
	t.Helper()
	ctx, stop := chromedp.NewContext(browser, chromedp.WithNewBrowserContext())
	t.Cleanup(stop)
	p := &person{t: t, ctx: ctx}
	if err := chromedp.Do(ctx); err != nil { // the window lives as long as the context that opens it
		t.Fatal(err)
	}
	p.do(chromedp.EmulateViewport(900, 700))
	for _, script := range append(scripts, reportViolations) {
		if _, err := chromedp.Call(ctx, page.AddScriptToEvaluateOnNewDocument,
			page.AddScriptToEvaluateOnNewDocumentParams{Source: script}); err != nil {
			t.Fatal(err)
		}
	}
	go p.listen()
	t.Cleanup(func() {
		p.mu.Lock()
		defer p.mu.Unlock()
		for _, complaint := range p.complaints {
			t.Errorf("the browser complains: %s", complaint)
		}
	})
	return p
}

// reportViolations makes every violation of the content security policy an entry of the console.
const reportViolations = `document.addEventListener("securitypolicyviolation", (event) =>
	console.error("CSP VIOLATION", event.effectiveDirective, event.blockedURI, event.sourceFile ?? ""));`

func (p *person) listen() {
	for message, err := range chromedp.Console(p.ctx) {
		if err != nil {
			return
		}
		if message.Type == chromedp.ConsoleException || strings.Contains(message.Text, "CSP VIOLATION") {
			p.mu.Lock()
			p.complaints = append(p.complaints, message.Text)
			p.mu.Unlock()
		}
	}
}

// within bounds the acts and waits of a person.
func (p *person) within() (context.Context, context.CancelFunc) {
	return context.WithTimeout(p.ctx, patience)
}

func (p *person) do(steps ...chromedp.Action[chromedp.Void]) {
	p.t.Helper()
	ctx, cancel := p.within()
	defer cancel()
	if err := chromedp.Do(ctx, steps...); err != nil {
		p.t.Fatalf("%v\nthe page says: %s", err, p.body())
	}
}

// click clicks on the element that a CSS selector finds. It looks again for an element that the page replaces.
func (p *person) click(selector string) {
	p.t.Helper()
	ctx, cancel := p.within()
	defer cancel()
	err := errors.New("not tried")
	for err != nil && ctx.Err() == nil {
		err = chromedp.Do(ctx, chromedp.Click(chromedp.CSS(selector)))
		if err != nil && !strings.Contains(err.Error(), "Could not find node") {
			break
		}
	}
	if err != nil {
		p.t.Fatalf("click on %s: %v\nthe page says: %s", selector, err, p.body())
	}
}

// eval returns the value of an expression of the page.
func eval[T any](p *person, expression string, arguments ...any) T {
	p.t.Helper()
	ctx, cancel := p.within()
	defer cancel()
	awaitPromise := func(e *runtime.EvaluateParams) { e.AwaitPromise = new(true) }
	value, err := chromedp.Run(ctx, chromedp.Evaluate[T](filled(expression, arguments), awaitPromise))
	if err != nil {
		p.t.Fatalf("%s: %v", filled(expression, arguments), err)
	}
	return value
}

// await waits until an expression of the page is true. Errors and other values before that do not matter.
func (p *person) await(expression string, arguments ...any) {
	p.t.Helper()
	ctx, cancel := p.within()
	defer cancel()
	look := time.NewTicker(20 * time.Millisecond)
	defer look.Stop()
	for {
		met, err := chromedp.Run(ctx, chromedp.Evaluate[bool]("!!("+filled(expression, arguments)+")"))
		if err == nil && met {
			return
		}
		select {
		case <-ctx.Done():
			p.t.Fatalf("waited in vain for %s (%v)\nthe page says: %s", filled(expression, arguments), err, p.body())
		case <-look.C:
		}
	}
}

// stays checks again and again for a while that an expression of the page is true.
func (p *person) stays(d time.Duration, expression string) {
	p.t.Helper()
	look := time.NewTicker(20 * time.Millisecond)
	defer look.Stop()
	for end := time.Now().Add(d); time.Now().Before(end); <-look.C {
		if !eval[bool](p, expression) {
			p.t.Fatalf("this is no longer true: %s\nthe page says: %s", expression, p.body())
		}
	}
}

// filled puts arguments as JSON into the places of %s in an expression.
func filled(expression string, arguments []any) string {
	encoded := make([]any, len(arguments))
	for i, argument := range arguments {
		text, err := json.Marshal(argument)
		if err != nil {
			panic(err)
		}
		encoded[i] = string(text)
	}
	if len(encoded) == 0 {
		return expression
	}
	return fmt.Sprintf(expression, encoded...)
}

func (p *person) body() string {
	ctx, cancel := context.WithTimeout(p.ctx, 5*time.Second)
	defer cancel()
	text, err := chromedp.Run(ctx,
		chromedp.Evaluate[string](`location.origin + location.pathname + " " + document.body?.innerText`))
	if err != nil {
		return err.Error()
	}
	return text
}

// open goes to the page of a stage.
func (p *person) open(stage *stagetest.Stage) {
	p.t.Helper()
	p.do(chromedp.Navigate(frontend(stage)))
}

func frontend(stage *stagetest.Stage) string { return stage.Outputs().Template["FrontendUrl"] + "/" }

// signIn opens the page, signs in as name at the development issuer, and waits for the connection.
func (p *person) signIn(stage *stagetest.Stage, name string) {
	p.t.Helper()
	p.signInWith(stage, name, "")
}

// signInWith is signIn with claims such as rooms=lobby in the token.
func (p *person) signInWith(stage *stagetest.Stage, name, claims string) {
	p.t.Helper()
	p.open(stage)
	p.await(`document.querySelector("button.primary:not([disabled])")`)
	p.click("button.primary")
	p.await(`document.querySelector("#user")`)
	eval[bool](p, `(document.querySelector("#claims").value = %s, true)`, claims)
	p.do(chromedp.SetValue(chromedp.CSS("#user"), name), chromedp.Submit(chromedp.CSS("#user")))
	p.awaitStatus("open")
}

// awaitStatus waits until the page shows a state of the client.
func (p *person) awaitStatus(statuses ...string) {
	p.t.Helper()
	p.await(`%s.includes(document.querySelector(".connection")?.dataset.status)`, statuses)
}

// write types a text into the field without sending it.
func (p *person) write(text string) {
	p.t.Helper()
	p.do(chromedp.Focus(chromedp.CSS("#message")), call(input.InsertText, input.InsertTextParams{Text: text}))
}

// say types a text and presses Enter.
func (p *person) say(text string) {
	p.t.Helper()
	p.write(text)
	p.do(enter(0)...)
}

// enter presses and releases Enter as a keyboard does. A page that handles the key press gets no character from it.
func enter(modifiers chromedp.Modifier) []chromedp.Action[chromedp.Void] {
	key := input.DispatchKeyEventParams{Type: input.DispatchKeyEventTypeKeyDown, Key: "Enter", Code: "Enter",
		WindowsVirtualKeyCode: 13, Text: "\r", Modifiers: int64(modifiers)}
	up := key
	up.Type, up.Text = input.DispatchKeyEventTypeKeyUp, ""
	return []chromedp.Action[chromedp.Void]{call(input.DispatchKeyEvent, key), call(input.DispatchKeyEvent, up)}
}

// awaitMessage waits until the list has a text as delivered.
func (p *person) awaitMessage(text string) {
	p.t.Helper()
	p.await(`[...document.querySelectorAll(".message[data-status=delivered] .bubble")]
		.some((bubble) => bubble.textContent === %s)`, text)
}

// messages returns the texts in the list in their order.
func (p *person) messages() []string {
	p.t.Helper()
	return eval[[]string](p, `[...document.querySelectorAll(".message .bubble")].map((bubble) => bubble.textContent)`)
}

// startGuest starts a stage for guests, and opens its page in a browser.
func startGuest(t *testing.T, scripts ...string) (*stagetest.Stage, *person) {
	t.Helper()
	return startGuestAt(t, guests(), scripts...)
}

// startGuestAt is startGuest on a stage with other parameters.
func startGuestAt(t *testing.T, parameters map[string]string, scripts ...string) (*stagetest.Stage, *person) {
	t.Helper()
	stage := startStage(t, stagetest.Options{Parameters: parameters})
	p := newPerson(t, startBrowser(t), scripts...)
	p.open(stage)
	p.awaitStatus("open")
	return stage, p
}

// stageAt returns options for a stage on fixed ports with its own state folder. Such a stage can start there again.
func stageAt(listen, state string, parameters map[string]string) stagetest.Options {
	return stagetest.Options{Parameters: parameters, State: state,
		Configure: func(c *localstage.Config) { c.Listen = listen }}
}
