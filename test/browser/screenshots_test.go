package browser_test

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/chromedp"

	"signedsocket/localstage/stagetest"
)

// TestScreenshots takes the pictures of the README and writes them into the folder that SCREENSHOTS names, if any.
func TestScreenshots(t *testing.T) {
	t.Parallel()
	folder := os.Getenv("SCREENSHOTS")
	if folder == "" {
		folder = t.TempDir()
	}
	stage, browser := startStage(t, stagetest.Options{}), startBrowser(t)
	alice, bob := newPerson(t, browser), newPerson(t, browser)
	alice.do(language("en-US"), colours("light"))
	bob.do(language("ja"), colours("dark"))
	shoot := func(p *person, name string, width, height int64) {
		t.Helper()
		p.do(chromedp.EmulateViewport(width, height, chromedp.EmulateScale(2)))
		picture, err := chromedp.Run(p.ctx, chromedp.CaptureScreenshot())
		if err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(folder, name), picture, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	alice.open(stage)
	alice.await(`document.querySelector("button.primary:not([disabled])")`)
	shoot(alice, "welcome.png", 900, 600)
	alice.signIn(stage, "alice")
	bob.signIn(stage, "bob")
	for _, line := range []struct {
		by   *person
		text string
	}{
		{alice, "Good morning! The new build is on the test stage."},
		{bob, "おはようございます。さっそく試してみます。"},
		{bob, "トンネルの中でも大丈夫そうです。"},
		{alice, "Notes are at https://example.com/notes"},
		{bob, "ありがとう！"},
	} {
		line.by.say(line.text)
		alice.awaitMessage(line.text)
		bob.awaitMessage(line.text)
	}
	shoot(alice, "chat-light-en.png", 900, 600)
	shoot(bob, "chat-dark-ja.png", 900, 600)
	shoot(bob, "chat-narrow-dark-ja.png", 390, 700)
	bob.do(colours("light"))
	shoot(bob, "chat-narrow-light-ja.png", 390, 700)
}

// language sets the languages of the browser.
func language(accept string) chromedp.Action[chromedp.Void] {
	return call(emulation.SetUserAgentOverride,
		emulation.SetUserAgentOverrideParams{UserAgent: "signedsocket", AcceptLanguage: accept})
}
