package browser_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/chromedp/chromedp"

	"signedsocket/localstage/stagetest"
)

// The test takes the lines for a page of your own from the README.
func TestTheLinesOfTheReadmeConnectAPageOfYourOwn(t *testing.T) {
	t.Parallel()
	readme, err := os.ReadFile(filepath.Join(stagetest.Root(), "README.md"))
	if err != nil {
		t.Fatal(err)
	}
	_, rest, _ := strings.Cut(string(readme), "## Connect your own page")
	_, rest, _ = strings.Cut(rest, "```js\n")
	recipe, _, found := strings.Cut(rest, "```\n")
	if !found {
		t.Fatal("the README has no ```js block under \"Connect your own page\"")
	}
	origin := strangers(t)
	stage := stagetest.Start(t, stagetest.Options{Parameters: map[string]string{"AllowedOrigins": origin}})
	token, err := stage.Client(t).Token(t.Context(), "alice")
	if err != nil {
		t.Fatal(err)
	}
	p := newPerson(t, startBrowser(t))
	p.do(chromedp.Navigate(origin))
	connected := eval[bool](p, `(async (SIGN_URL, accessToken) => {
		globalThis.received = [];
		const show = (frame) => globalThis.received.push(frame);
		const input = {value: "こんにちは"}, button = {};
	`+recipe+`
		await new Promise((resolve) => (socket.onopen = resolve));
		button.onclick();
		return true;
	})(%s, %s)`, stage.Outputs().Template["SignUrl"], token)
	if !connected {
		t.Fatal("not connected")
	}
	p.await(`globalThis.received.some(({type, message, from}) =>
		type === "message" && message === "こんにちは" && from.sub === "alice")`)
	p.await(`globalThis.received.some(({type}) => type === "ack")`)
}
