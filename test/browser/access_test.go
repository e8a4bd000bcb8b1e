package browser_test

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/chromedp"

	"signedsocket/localstage/stagetest"
)

const runAxe = `axe.run(document, {resultTypes: ["violations"]}).then(({violations}) => violations
	.filter(({impact}) => impact === "serious" || impact === "critical")
	.map(({id, help, nodes}) => id + ": " + help + " at " + nodes.map((node) => node.target.join(" ")).join(", ")))`

// colours makes a page light or dark, and stops its animations: during an animation the contrast differs.
func colours(scheme string) chromedp.Action[chromedp.Void] {
	return call(emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{
		Features: []*emulation.MediaFeature{{Name: "prefers-color-scheme", Value: scheme},
			{Name: "prefers-reduced-motion", Value: "reduce"}},
	})
}

func TestThePageIsAccessible(t *testing.T) {
	t.Parallel()
	stage, browser := startStage(t, stagetest.Options{}), startBrowser(t)
	axe, err := os.ReadFile(filepath.Join(stagetest.Root(), "frontend", "node_modules", "axe-core", "axe.min.js"))
	if err != nil {
		t.Fatal(err)
	}
	p, other := newPerson(t, browser), newPerson(t, browser)
	check := func(where string) {
		t.Helper()
		for _, scheme := range []string{"light", "dark"} {
			p.do(colours(scheme))
			eval[bool](p, string(axe)+"; true")
			for _, fault := range eval[[]string](p, runAxe) {
				t.Errorf("%s, %s: %s", where, scheme, fault)
			}
		}
	}
	p.open(stage)
	p.await(`document.querySelector("button.primary:not([disabled])")`)
	check("welcome")
	p.signIn(stage, "alice")
	check("empty room")
	other.signIn(stage, "bob")
	other.say("こんにちは https://example.com/")
	p.awaitMessage("こんにちは https://example.com/")
	p.say("hello")
	p.awaitMessage("hello")
	check("chat")

	for selector, name := range map[string]string{
		`[role=log][aria-label]`: "the list has no role and name", `[role=status]`: "no status",
		`label[for=message]`: "the field has no label",
	} {
		if eval[int](p, `document.querySelectorAll(%s).length`, selector) != 1 {
			t.Error(name)
		}
	}
	if focused := eval[string](p, `document.activeElement.id`); focused != "message" {
		t.Errorf("after sending, the focus is at %q", focused)
	}
}

func TestTheLanguageIsTheReadersAndIsKept(t *testing.T) {
	t.Parallel()
	stage, browser := startStage(t, stagetest.Options{Parameters: guests()}), startBrowser(t)
	p := newPerson(t, browser)
	p.do(language("ja,en"))
	p.open(stage)
	p.awaitStatus("open")
	speaks := func(want, send string) {
		t.Helper()
		p.await(`document.documentElement.lang === %s &&
			document.querySelector(".composer button.primary").textContent === %s`, want, send)
	}
	speaks("ja", "送信")
	p.click("button[lang]")
	speaks("en", "Send")
	p.do(chromedp.Reload())
	speaks("en", "Send")
}
