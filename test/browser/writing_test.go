package browser_test

import (
	"context"
	"slices"
	"strings"
	"testing"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/input"
	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/chromedp"
)

// call makes a step of a command of the DevTools protocol.
func call[P, R any](command cdp.Command[P, R], parameters P) chromedp.Action[chromedp.Void] {
	return chromedp.Func(func(ctx context.Context, t *chromedp.Target) error {
		_, err := cdp.Call(ctx, t, command, parameters)
		return err
	})
}

func offline(is bool) chromedp.Action[chromedp.Void] {
	return call(network.OverrideNetworkState,
		network.OverrideNetworkStateParams{Offline: is, DownloadThroughput: -1, UploadThroughput: -1})
}

// composition shows a text as an input method does before the user confirms it.
func composition(text string) chromedp.Action[chromedp.Void] {
	end := int64(len([]rune(text)))
	return call(input.ImeSetComposition,
		input.ImeSetCompositionParams{Text: text, SelectionStart: end, SelectionEnd: end})
}

func TestEnterThatConfirmsAConversionDoesNotSend(t *testing.T) {
	t.Parallel()
	_, p := startGuest(t)
	const process = 229 // the key code of every key that an input method takes
	key := func(kind input.DispatchKeyEventType, code int64) chromedp.Action[chromedp.Void] {
		return call(input.DispatchKeyEvent,
			input.DispatchKeyEventParams{Type: kind, Key: "Enter", Code: "Enter", WindowsVirtualKeyCode: code})
	}
	p.do(chromedp.Focus(chromedp.CSS("#message")), composition("きょう"), composition("今日"),
		key(input.DispatchKeyEventTypeRawKeyDown, process),
		call(input.InsertText, input.InsertTextParams{Text: "今日"}),
		key(input.DispatchKeyEventTypeKeyUp, 13))
	if text := eval[string](p, `document.querySelector("#message").value`); text != "今日" {
		t.Errorf("the field holds %q", text)
	}
	p.say("は晴れ")
	p.awaitMessage("今日は晴れ")
	if got := p.messages(); !slices.Equal(got, []string{"今日は晴れ"}) {
		t.Errorf("the list is %q", got)
	}
}

func TestShiftEnterBeginsALine(t *testing.T) {
	t.Parallel()
	_, p := startGuest(t)
	p.write("one")
	p.do(enter(chromedp.ModifierShift)...)
	p.say("two")
	p.awaitMessage("one\ntwo")
}

func TestAMessageThatIsTooLongIsRefusedInThePage(t *testing.T) {
	t.Parallel()
	stage, p := startGuest(t)
	p.say(strings.Repeat("長", 2001))
	p.await(`document.querySelector(".composer [role=alert]").textContent.trim() &&
		document.querySelector(".composer button.primary").disabled`)
	if got := p.messages(); len(got) != 0 {
		t.Errorf("the list has %d messages", len(got))
	}
	eval[bool](p, `document.querySelector("#message").select() ?? true`)
	p.say("short")
	p.awaitMessage("short")
	if n := stage.Invocations("ConnectFunction"); n != 1 {
		t.Errorf("%d connections: the long message has ended one", n)
	}
}
