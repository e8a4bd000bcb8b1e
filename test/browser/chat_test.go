package browser_test

import (
	"slices"
	"testing"

	"signedsocket/localstage/stagetest"
)

func TestTwoPeopleChatInJapanese(t *testing.T) {
	t.Parallel()
	for name, parameters := range map[string]map[string]string{
		"jwt": nil,
		"iam": {"AuthMode": "iam"},
	} {
		t.Run(name, func(t *testing.T) {
			stage, browser := startStage(t, stagetest.Options{Parameters: parameters}), startBrowser(t)
			alice, bob := newPerson(t, browser), newPerson(t, browser)
			alice.signIn(stage, "alice")
			bob.signIn(stage, "bob")

			want := []string{"こんにちは、ボブさん。", "はい、聞こえます！"}
			alice.say(want[0])
			bob.awaitMessage(want[0])
			bob.say(want[1])
			for _, p := range []*person{alice, bob} {
				p.awaitMessage(want[1])
				if got := p.messages(); !slices.Equal(got, want) {
					t.Errorf("the list is %q, want %q", got, want)
				}
			}
			if sender := eval[string](bob,
				`document.querySelector(".message.other .sender").textContent`); sender != "Alice" {
				t.Errorf("bob sees the sender %q", sender)
			}
		})
	}
}
