package browser_test

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/chromedp/chromedp"

	"signedsocket/internal/stageclient/clienttest"
	"signedsocket/localstage/stagetest"
)

func TestWithoutASessionNothingIsSigned(t *testing.T) {
	t.Parallel()
	stage := startStage(t, stagetest.Options{Parameters: map[string]string{"AuthMode": "iam"}})
	for _, path := range []string{"api/signurl", "signurl"} {
		request, err := http.NewRequestWithContext(t.Context(), http.MethodPost, frontend(stage)+path,
			strings.NewReader(`{}`))
		if err != nil {
			t.Fatal(err)
		}
		request.Header.Set("Content-Type", "application/json")
		request.Header.Set("Origin", strings.TrimSuffix(frontend(stage), "/"))
		response, err := http.DefaultClient.Do(request)
		if err != nil {
			t.Fatal(err)
		}
		response.Body.Close()
		if want := map[string]int{"api/signurl": 401, "signurl": 403}[path]; response.StatusCode != want {
			t.Errorf("POST /%s answers %d, want %d", path, response.StatusCode, want)
		}
	}
	if n := stage.Invocations("SignUrlFunction"); n != 0 {
		t.Errorf("signurl was invoked %d times", n)
	}
}

// API Gateway leaves a preflight to the route $default. Browsers require a success.
func TestThePagesServerAnswersOptions(t *testing.T) {
	t.Parallel()
	stage := startStage(t, stagetest.Options{})
	for _, path := range []string{"signurl", ""} {
		request, err := http.NewRequestWithContext(t.Context(), http.MethodOptions, frontend(stage)+path, nil)
		if err != nil {
			t.Fatal(err)
		}
		response, err := http.DefaultClient.Do(request)
		if err != nil {
			t.Fatal(err)
		}
		response.Body.Close()
		if response.StatusCode != http.StatusNoContent {
			t.Errorf("OPTIONS /%s answers %d", path, response.StatusCode)
		}
	}
}

// strangers serves an empty page of another site.
func strangers(t *testing.T) string {
	t.Helper()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/html")
		fmt.Fprint(w, "<!doctype html><title>elsewhere</title>")
	}))
	t.Cleanup(server.Close)
	return server.URL
}

const (
	openSocket = `new Promise((resolve) => {
		const socket = new WebSocket(%s, ["chat.v1", "pop." + %s]);
		socket.onopen = () => { resolve("open"); socket.close(); };
		socket.onclose = () => resolve("refused");
	})`
	askForURL = `fetch(%s, {method: "POST",
		headers: {"Content-Type": "application/json", Authorization: "Bearer " + %s},
		body: JSON.stringify({challenge: %s})}).then((answer) => answer.status, () => 0)`
)

func TestPagesOfOtherSitesCannotConnectEvenWithAStolenURL(t *testing.T) {
	t.Parallel()
	stage, browser := startStage(t, stagetest.Options{}), startBrowser(t)
	client := stage.Client(t)
	thief, owner := newPerson(t, browser), newPerson(t, browser)
	thief.do(chromedp.Navigate(strangers(t)))
	owner.do(chromedp.Navigate(frontend(stage) + "healthz")) // of the page's origin, and without a policy

	signed, proof := clienttest.Sign(t, client, "alice")
	if got := eval[string](thief, openSocket, signed.URL, proof.Verifier); got != "refused" {
		t.Errorf("another site: %s", got)
	}
	if reasons := stage.AwaitRefusals(t, "ConnectFunction", 1); !strings.Contains(reasons[0], "origin") {
		t.Errorf("refused for %q", reasons)
	}
	if got := eval[string](owner, openSocket, signed.URL, proof.Verifier); got != "open" {
		t.Errorf("the page itself, with the URL that the other site could not use: %s", got)
	}
}

func TestPagesOfOtherSitesMayAskOnlyWhenNamed(t *testing.T) {
	t.Parallel()
	browser, elsewhere := startBrowser(t), strangers(t)
	for name, test := range map[string]struct {
		parameters map[string]string
		want       int
	}{
		"not named": {nil, 0},
		"named":     {map[string]string{"AllowedOrigins": elsewhere}, http.StatusOK},
	} {
		t.Run(name, func(t *testing.T) {
			stage := stagetest.Start(t, stagetest.Options{Parameters: test.parameters})
			client := stage.Client(t)
			stranger := newPerson(t, browser)
			stranger.do(chromedp.Navigate(elsewhere))
			token, err := client.Token(t.Context(), "alice")
			if err != nil {
				t.Fatal(err)
			}
			challenge := strings.Repeat("A", 43)
			if got := eval[int](stranger, askForURL, stage.Outputs().Template["SignUrl"], token,
				challenge); got != test.want {
				t.Errorf("the other site's page sees the status %d, want %d", got, test.want)
			}
		})
	}
}
