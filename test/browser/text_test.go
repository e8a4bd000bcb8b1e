package browser_test

import (
	"slices"
	"testing"

	"signedsocket/internal/stageclient/clienttest"
	"signedsocket/localstage/stagetest"
)

// corpus are texts that would run as a program in a page that reads text as HTML, as an address or as a template.
func corpus() []string {
	return []string{
		`<script>globalThis.harmed = 1</script>`,
		`<img src=x onerror="globalThis.harmed = 1">`,
		`<svg/onload=globalThis.harmed=1>`,
		`"><iframe srcdoc="<script>parent.harmed = 1</script>">`,
		`<style>body { display: none }</style>`,
		`<a href="javascript:globalThis.harmed=1">click</a>`,
		`javascript:globalThis.harmed=1`,
		`https://example.com/"onmouseover="globalThis.harmed=1`,
		`https://example.com/'><script>globalThis.harmed=1</script>`,
		`data:text/html,<script>globalThis.harmed=1</script>`,
		`{{constructor.constructor("globalThis.harmed=1")()}}`,
		`${globalThis.harmed=1}`,
		`&lt;script&gt;globalThis.harmed=1&lt;/script&gt;`,
		`<math><mtext><table><mglyph><style><!--</style>` +
			`<img title="--&gt;&lt;img src=x onerror=globalThis.harmed=1&gt;">`,
		`<!--<img src="--><img src=x onerror=globalThis.harmed=1//">`,
		`</textarea><script>globalThis.harmed=1</script>`,
	}
}

func TestTextNeverRunsAsAProgram(t *testing.T) {
	t.Parallel()
	stage, browser := startStage(t,
		stagetest.Options{Parameters: map[string]string{"MessagesPerWindow": "1000"}}), startBrowser(t)
	reader := newPerson(t, browser) // a violation of the content security policy fails the test
	reader.signIn(stage, "reader")
	writer, _, err := stage.Client(t).Connect(clienttest.Within(t), "writer")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = writer.Close() })
	for _, text := range corpus() {
		clienttest.Send(t, writer, text, "")
		reader.awaitMessage(text)
	}
	// One connection's messages may overtake each other.
	got, want := reader.messages(), corpus()
	slices.Sort(got)
	if slices.Sort(want); !slices.Equal(got, want) {
		t.Errorf("the list is %q", got)
	}
	for _, expression := range []string{
		`Number(globalThis.harmed ?? 0)`,
		`document.querySelectorAll(".log :is(script, img, svg, iframe, style, math, form)").length`,
		`[...document.querySelectorAll(".log a")].filter((link) => !/^https?:$/.test(link.protocol)).length`,
		`[...document.querySelectorAll(".log a")].filter((link) => !/noopener/.test(link.rel)).length`,
		`[...document.querySelectorAll(".log *")]
			.filter((e) => e.getAttributeNames().some((n) => n.startsWith("on"))).length`,
	} {
		if got := eval[int](reader, expression); got != 0 {
			t.Errorf("%s is %d, want 0", expression, got)
		}
	}
}
