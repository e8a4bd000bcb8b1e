package browser_test

import (
	"encoding/base64"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/chromedp"

	"signedsocket/localstage"
	"signedsocket/localstage/stagetest"
)

const (
	signInButton = `document.querySelector(".card button.primary:not([disabled])")`
	alert        = `document.querySelector("[role=alert].problem")?.textContent`
)

// clickSignIn clicks the sign-in button of the welcome, which leads to the provider. A script clicks, because chromedp
// does not find elements of a page that the browser kept and shows again.
func (p *person) clickSignIn() {
	p.t.Helper()
	p.await(signInButton)
	eval[bool](p, signInButton+`.click() ?? true`)
}

// pick chooses a user at the development issuer.
func (p *person) pick(name string) {
	p.t.Helper()
	p.await(isAtProvider)
	p.do(chromedp.SetValue(chromedp.CSS("#user"), name), chromedp.Submit(chromedp.CSS("#user")))
}

// shoot takes a picture for the folder that SIGNIN_SHOTS names, if any.
func (p *person) shoot(name string) {
	p.t.Helper()
	folder := os.Getenv("SIGNIN_SHOTS")
	if folder == "" {
		return
	}
	picture, err := chromedp.Run(p.ctx, chromedp.CaptureScreenshot())
	if err != nil {
		p.t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(folder, name+".png"), picture, 0o600); err != nil {
		p.t.Fatal(err)
	}
}

// recordShown records whether the browser showed the page as the user had left it.
const recordShown = `addEventListener("pageshow", ({persisted}) => { globalThis.persisted = persisted; });`

func TestASignInCanBeBegunAgainAfterGoingBack(t *testing.T) {
	t.Parallel()
	for mode, parameters := range map[string]map[string]string{"jwt": nil, "iam": {"AuthMode": "iam"}} {
		t.Run(mode, func(t *testing.T) {
			stage, browser := startStage(t, stagetest.Options{Parameters: parameters}), startBrowser(t)
			p := newPerson(t, browser, recordShown)
			p.open(stage)
			p.clickSignIn()
			p.await(isAtProvider)
			p.do(chromedp.NavigateBack())
			p.await(signInButton + `?.textContent === "Sign in"`)
			t.Logf("the browser has kept the page: %t", eval[bool](p, `globalThis.persisted`))
			p.clickSignIn()
			p.pick("alice")
			p.awaitStatus("open")
		})
	}
}

// A page that the browser kept gets only this event.
func TestAPageThatTheBrowserHasKeptOffersToSignIn(t *testing.T) {
	t.Parallel()
	stage := startStage(t, stagetest.Options{})
	// The provider never answers, so the page stays with its pressed button.
	p := newPerson(t, startBrowser(t), `globalThis.fetch = () => new Promise(() => {});`)
	p.open(stage)
	p.clickSignIn()
	p.await(`document.querySelector(".card button.primary[disabled]")?.textContent === "One moment…"`)
	eval[bool](p, `dispatchEvent(new PageTransitionEvent("pageshow", {persisted: true}))`)
	p.await(signInButton + `?.textContent === "Sign in"`)
}

func TestATokenOfAProviderWhoseClockIsAheadConnects(t *testing.T) {
	t.Parallel()
	stage := startStage(t, stagetest.Options{Faults: localstage.Faults{IssuerAhead: 4 * time.Second}})
	p := newPerson(t, startBrowser(t), recordStatuses)
	p.signIn(stage, "alice")
	for _, status := range eval[[]string](p, `globalThis.shown`) {
		if status != "signing" && status != "connecting" && status != "open" && status != "idle" {
			t.Errorf("the page has shown %s on the way", status)
		}
	}
}

// The page cannot wait for a clock that is hours ahead: it says so and stays.
func TestATokenThatTheServerKeepsRefusingIsNamed(t *testing.T) {
	t.Parallel()
	stage := startStage(t, stagetest.Options{Faults: localstage.Faults{IssuerAhead: time.Hour}})
	browser := startBrowser(t)
	for accept, want := range map[string]string{
		"en": "The server does not accept your sign-in.",
		"ja": "サインインが拒否されました。",
	} {
		p := newPerson(t, browser, recordConsole)
		p.do(language(accept))
		p.open(stage)
		p.clickSignIn()
		p.pick("alice") // the issuer's session answers when the page leaves again
		p.awaitStatus("auth-required")
		p.await(`document.querySelector(".connection .reason")?.textContent.includes(%s)`, want)
		p.await(`globalThis.logged.some((line) => /the server refuses the access token:.*clock is ahead/.test(line))`)
		p.shoot("refused-" + accept)
	}
}

// recordConsole records what the page writes to the console for operators.
const recordConsole = `globalThis.logged = []; { const {error} = console; console.error = (...parts) => {
	globalThis.logged.push(parts.join(" ")); error(...parts); }; }`

// opaqueProvider is an OpenID Connect provider with opaque access tokens. Many providers give such tokens when the page
// asks for no audience. It signs every user in without a question.
func opaqueProvider(t *testing.T) (address string, rounds *atomic.Int32) {
	t.Helper()
	rounds = new(atomic.Int32)
	mux := http.NewServeMux()
	server := httptest.NewServer(mux)
	t.Cleanup(server.Close)
	answer := func(w http.ResponseWriter, value map[string]any) {
		w.Header().Set("Access-Control-Allow-Origin", "*")
		w.Header().Set("Content-Type", "application/json")
		_ = json.NewEncoder(w).Encode(value)
	}
	part := func(json string) string { return base64.RawURLEncoding.EncodeToString([]byte(json)) }
	mux.HandleFunc("/.well-known/openid-configuration", func(w http.ResponseWriter, _ *http.Request) {
		answer(w, map[string]any{
			"issuer": server.URL, "authorization_endpoint": server.URL + "/authorize",
			"token_endpoint": server.URL + "/token", "jwks_uri": server.URL + "/keys",
		})
	})
	mux.HandleFunc("/authorize", func(w http.ResponseWriter, r *http.Request) {
		rounds.Add(1)
		back := url.Values{"code": {"c1"}, "state": r.URL.Query()["state"]}
		http.Redirect(w, r, r.URL.Query().Get("redirect_uri")+"?"+back.Encode(), http.StatusSeeOther)
	})
	mux.HandleFunc("/token", func(w http.ResponseWriter, _ *http.Request) {
		answer(w, map[string]any{
			"access_token": "opaque", "token_type": "Bearer", "expires_in": 3600,
			"id_token": part(`{"alg":"RS256"}`) + "." + part(`{"iss":"`+server.URL+`","sub":"alice"}`) + ".c2ln",
		})
	})
	return server.URL, rounds
}

// signInAt lets the page sign in at a different provider than the one whose tokens the stage takes.
func signInAt(address string) func(string) string {
	return func(template string) string {
		before, page, _ := strings.Cut(template, "  FrontendFunction:\n")
		line := "OIDC_ISSUER: !If [UseCognito, !GetAtt UserPool.ProviderURL, !Ref OidcIssuer]"
		return before + "  FrontendFunction:\n" + strings.Replace(page, line, `OIDC_ISSUER: "`+address+`"`, 1)
	}
}

func TestAProviderWithOpaqueTokensIsNamed(t *testing.T) {
	t.Parallel()
	provider, rounds := opaqueProvider(t)
	stage, browser := startStage(t, stagetest.Options{Edit: signInAt(provider)}), startBrowser(t)
	for accept, want := range map[string]string{
		"en": "not set up for this chat", "ja": "設定が合いません",
	} {
		rounds.Store(0)
		p := newPerson(t, browser, recordConsole)
		p.do(language(accept))
		p.open(stage)
		p.clickSignIn()
		p.await(alert+`?.includes(%s)`, want)
		p.shoot("token-" + accept)
		if !eval[bool](p, `globalThis.logged.some((line) => /OidcAudience.*OidcScope/.test(line))`) {
			t.Error("the console does not name the provider's settings")
		}
		if eval[bool](p, `globalThis.logged.some((line) => line.includes("opaque"))`) {
			t.Error("the console has the token")
		}
		if n := rounds.Load(); n != 1 {
			t.Errorf("the browser was at the provider %d times", n)
		}
		if eval[bool](p, `Object.values(sessionStorage).some((value) => value.includes("opaque"))`) {
			t.Error("the page has kept the token")
		}
	}
	if n := stage.Invocations("SignUrlFunction"); n != 0 {
		t.Errorf("signurl was invoked %d times", n)
	}
}

func TestASignInThatFailsSaysSo(t *testing.T) {
	t.Parallel()
	const unused = "http://127.0.0.1:1"
	for mode, parameters := range map[string]map[string]string{"jwt": nil, "iam": {"AuthMode": "iam"}} {
		t.Run(mode, func(t *testing.T) {
			stage := startStage(t, stagetest.Options{Parameters: parameters, Edit: signInAt(unused)})
			browser := startBrowser(t)
			for accept, want := range map[string]string{
				"en": "The sign-in service cannot be reached.",
				"ja": "サインインサービスに接続できません。",
			} {
				p := newPerson(t, browser)
				p.do(language(accept))
				p.open(stage)
				p.clickSignIn()
				p.await(alert+`?.includes(%s)`, want)
				p.await(signInButton)
				p.shoot("unreachable-" + mode + "-" + accept)
				p.do(chromedp.Navigate(frontend(stage) + "?problem=signin"))
				if mode == "iam" {
					p.await(alert)
					p.await(`location.search === ""`)
					p.shoot("failed-" + accept)
				}
			}
			log := strings.Join(stage.Lines("FrontendFunction"), "\n")
			if mode == "iam" && !strings.Contains(log, "sign-in failed") {
				t.Error("the page's log does not say so")
			}
		})
	}
}

func TestASignOutThatFailsSaysSo(t *testing.T) {
	t.Parallel()
	stage := startStage(t, stagetest.Options{Parameters: map[string]string{"AuthMode": "iam"}})
	browser := startBrowser(t)
	for accept, want := range map[string]string{
		"en": "Signing out did not work", "ja": "サインアウトできませんでした。",
	} {
		p := newPerson(t, browser)
		p.do(language(accept))
		p.signIn(stage, "alice")
		block := network.SetBlockedURLsParams{URLPatterns: []*network.BlockPattern{
			{URLPattern: "*://*:*/api/signout", Block: true},
		}}
		p.do(call(network.Enable, network.EnableParams{}), call(network.SetBlockedURLs, block))
		p.click("header .self button:last-of-type")
		p.await(alert+`?.includes(%s)`, want)
		p.awaitStatus("open")
		p.shoot("signout-" + accept)
	}
}

func TestTwoTabsAtTheProviderBothComeBackSignedIn(t *testing.T) {
	t.Parallel()
	stage := startStage(t, stagetest.Options{Parameters: map[string]string{"AuthMode": "iam"}})
	p := newPerson(t, startBrowser(t))
	tab := p.secondTab()
	for _, each := range []*person{p, tab} {
		each.open(stage)
		each.clickSignIn()
		each.await(isAtProvider)
	}
	p.pick("alice") // the first one that left comes back first
	p.awaitStatus("open")
	tab.pick("alice")
	tab.awaitStatus("open")
}

func TestEveryNameOfThisMachineLeadsToThePagesAddress(t *testing.T) {
	t.Parallel()
	for mode, parameters := range map[string]map[string]string{"jwt": nil, "iam": {"AuthMode": "iam"}} {
		t.Run(mode, func(t *testing.T) {
			stage := startStage(t, stagetest.Options{Parameters: parameters})
			p := newPerson(t, startBrowser(t))
			other := strings.Replace(frontend(stage), "127.0.0.1", "localhost", 1)
			p.do(chromedp.Navigate(other + "?a=1&b=%2F"))
			p.await(`location.href === %s`, frontend(stage)+"?a=1&b=%2F")
			p.do(chromedp.Navigate(other))
			p.clickSignIn()
			p.pick("alice")
			p.awaitStatus("open")
		})
	}
}

// A page without an origin, for example in a sandbox, has no channel to other tabs.
func TestAPageWithoutAChannelToOtherTabsWorks(t *testing.T) {
	t.Parallel()
	stage := startStage(t, stagetest.Options{})
	p := newPerson(t, startBrowser(t), `globalThis.BroadcastChannel = class {
		constructor() { throw new DOMException("opaque origin", "SecurityError"); }
	};`)
	p.signIn(stage, "alice")
	p.click("header .self button:last-of-type")
	p.await(signInButton)
}
