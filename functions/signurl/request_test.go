package main

import (
	"encoding/json"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"signedsocket/shared/grant"
)

// FuzzReadRequest compares our reading of a body with the standard library's: an accepted body must mean the same to
// both.
func FuzzReadRequest(f *testing.F) {
	for _, seed := range []string{
		`{}`, `{"rooms":["lobby"],"challenge":"` + challenge + `"}`, `{"rooms":[]}`, `{"rooms":null}`,
		`{"rooms":["a"],"rooms":["b"]}`,
		`{"Rooms":["a"]}`, `{"ci":"` + instance + `","guest":"` + secret + `","name":"Zoë"}`, `{"ci":null,"guest":""}`,
		`{"user":` + named + `,"signIn":"` + signIn + `"}`, `{"ci":"a","ci":"b"}`, `{"CI":"` + instance +
			`"}`, `{"user":{}}`, `{"user":` + named + `}`, `[]`, `null`, `{}x`,
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, body string) {
		got, err := readRequest(request(body), maxServerBody)
		if err != nil {
			return
		}
		var other signRequest
		if err := json.Unmarshal([]byte(body), &other); err != nil {
			t.Fatalf("we accept %q, encoding/json does not: %v", body, err)
		}
		if diff := cmp.Diff(other, got, cmpopts.EquateEmpty()); diff != "" {
			t.Errorf("%q (-encoding/json +ours):\n%s", body, diff)
		}
		if len(got.Rooms) > 0 && !grant.ValidRooms(got.Rooms) ||
			got.Challenge != "" && !grant.ValidChallenge(got.Challenge) {
			t.Errorf("accepted against the rules: %+v", got)
		}
		if got.ClientInstance != nil && !grant.ValidClientInstance(*got.ClientInstance) || got.SignIn != nil &&
			!grant.ValidSignIn(*got.SignIn) {
			t.Errorf("accepted against the rules: %+v", got)
		}
		if got.Guest == nil {
			return
		}
		if _, ok := guestSecret(*got.Guest); ok != (len(*got.Guest) == 43 && grant.ValidChallenge(*got.Guest)) {
			t.Errorf("the secret %q counts: %t", *got.Guest, ok)
		}
	})
}
