package attack_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"signedsocket/internal/stageclient"
	"signedsocket/internal/stageclient/clienttest"
	"signedsocket/localstage/stagetest"
)

// rightsStage returns options of a stage with a room to read and a claim for moderators.
func rightsStage(more map[string]string) stagetest.Options {
	parameters := map[string]string{
		"DefaultRooms": "lobby,news:r", "ModeratorClaim": "moderator", "MessagesPerWindow": "1000",
	}
	for name, value := range more {
		parameters[name] = value
	}
	return stagetest.Options{Parameters: parameters}
}

// rightsOf returns the parameters md and ro of the URL in an answer of signurl.
func rightsOf(t *testing.T, status int, body string) (moderator, readOnly string) {
	t.Helper()
	var answer struct{ URL string }
	if err := json.Unmarshal([]byte(body), &answer); err != nil || status != http.StatusOK {
		t.Fatalf("answered %d %s", status, body)
	}
	signed, err := url.Parse(answer.URL)
	if err != nil {
		t.Fatal("a signed URL does not parse")
	}
	return signed.Query().Get("md"), signed.Query().Get("ro")
}

// TestTheRightsInAURLAreSigned: the owner of a URL changes the rights in it.
func TestTheRightsInAURLAreSigned(t *testing.T) {
	t.Parallel()
	s := open(t, stagetest.Options{})
	g, proof := grant(func(g *stageclient.Grant) { g.Rooms = []string{"lobby", "news"} })
	values := g.Values()
	values.Set("ro", "news")
	address, err := s.client.Presign(clienttest.Within(t), clienttest.Keys(t, s.client, signURLFunction), values,
		g.IssuedAt)
	if err != nil {
		t.Fatal(err)
	}
	target := targetOf(t, address)
	for name, change := range map[string]func(*testing.T, string) string{
		"no room to read": func(_ *testing.T, target string) string {
			return strings.Replace(target, "&ro=news&", "&", 1)
		},
		"an empty list":          rewrite("ro", set("")),
		"another room to read":   rewrite("ro", set("lobby")),
		"a second list":          appended("&ro=lobby"),
		"the list in capitals":   func(_ *testing.T, t string) string { return strings.Replace(t, "ro=", "RO=", 1) },
		"a moderator":            appended("&md=1"),
		"a room that is no news": rewrite("rm", set("lobby")),
	} {
		s.unharmed(t, nil, func() {
			protocols := "Sec-WebSocket-Protocol: chat.v1, pop." + proof.Verifier
			if status := s.handshake(t, "", change(t, target), protocols); status != http.StatusForbidden {
				t.Errorf("%s: answered %d, want 403", name, status)
			}
		})
	}
	s.stillGood(t, &stageclient.Signed{URL: address}, proof)
}

// TestAUserCannotWriteMoreThanItsRights: the request of a user cannot widen the rights that signurl reads elsewhere.
func TestAUserCannotWriteMoreThanItsRights(t *testing.T) {
	t.Parallel()
	s := openEmpty(t, rightsStage(map[string]string{"RoomsClaim": "groups"}))
	for _, test := range []struct {
		groups []string
		want   string
	}{
		{[]string{"lobby", "news:r"}, "news"},
		{[]string{"lobby", "news:r", "news"}, "news"},
		{[]string{"lobby", "news", "news:r"}, "news"},
		{[]string{"lobby:r", "news:r", "news:x", "news:rw", "news:w"}, "lobby.news"},
	} {
		token := s.devToken(t, url.Values{"user": {"mallory"}, "claim.groups": test.groups})
		status, body := s.post(t, `{"rooms":["lobby","news"],`+wish()[1:], bearer(token))
		if _, readOnly := rightsOf(t, status, body); readOnly != test.want {
			t.Errorf("%q: to read are %q, want %q", test.groups, readOnly, test.want)
		}
	}
	for _, groups := range [][]string{{"vault:x", "lobby"}, {"vault:", "lobby"}, {"vault:R", "lobby"},
		{"vault:r:r", "lobby"}, {"vault: r", "lobby"}, {":r", "lobby"}, {"vault:w", "lobby"}} {
		token := s.devToken(t, url.Values{"user": {"mallory"}, "claim.groups": groups})
		if status, body := s.post(t, `{"rooms":["vault"],`+wish()[1:], bearer(token)); status != http.StatusForbidden ||
			strings.Contains(body, "wss") {
			t.Errorf("%q: answered %d %s, want 403", groups, status, body)
		}
	}
}

// TestOnlyTheClaimMakesAModerator: users choose the values of some claims, and the names of others.
func TestOnlyTheClaimMakesAModerator(t *testing.T) {
	t.Parallel()
	s := openEmpty(t, rightsStage(nil))
	for name, claims := range map[string]url.Values{
		"no claim":               {},
		"another claim":          {"claim.Moderator": {"true"}, "claim.moderators": {"true"}, "claim.md": {"1"}},
		"a number":               {"claim.moderator": {"1"}},
		"another letter case":    {"claim.moderator": {"True"}},
		"the text false":         {"claim.moderator": {"false"}},
		"a list":                 {"claim.moderator": {"true", "true"}},
		"a text that has it":     {"claim.moderator": {"true,false"}},
		"space":                  {"claim.moderator": {"true "}},
		"the name of the user":   {"name": {"moderator"}},
		"a room of the name":     {"claim.rooms": {"moderator"}},
		"a scope":                {"scope": {"moderator"}},
		"an empty text":          {"claim.moderator": {""}},
		"JSON in a text":         {"claim.moderator": {`{"moderator":true}`}},
		"a claim beside a claim": {"claim.moderator": {"no"}, "claim.md": {"true"}},
	} {
		claims.Set("user", "mallory")
		status, body := s.post(t, wish(), bearer(s.devToken(t, claims)))
		if moderator, _ := rightsOf(t, status, body); moderator != "" || strings.Contains(body, `"moderator":`) {
			t.Errorf("%s: mallory is a moderator: %s", name, body)
		}
	}
	token := s.devToken(t, url.Values{"user": {"friend"}, "claim.moderator": {"true"}})
	status, body := s.post(t, wish(), bearer(token))
	if moderator, _ := rightsOf(t, status, body); moderator != "1" || !strings.Contains(body, `"moderator":true`) {
		t.Errorf("the friend is no moderator: %s", body)
	}
}

// TestNoGuestBecomesAModerator: a guest brings a claim, a user or the member of an answer.
func TestNoGuestBecomesAModerator(t *testing.T) {
	t.Parallel()
	s := openEmpty(t, rightsStage(map[string]string{"AuthMode": "guest", "GuestRooms": "lobby,news:r"}))
	token := s.devToken(t, url.Values{"user": {"mallory"}, "claim.moderator": {"true"}})
	guest := fmt.Sprintf(`{"guest":%q,`, strings.Repeat("A", 43))
	for name, header := range map[string]http.Header{"no token": nil, "a moderator's token": bearer(token)} {
		status, body := s.post(t, guest+wish()[1:], header)
		if moderator, readOnly := rightsOf(t, status, body); moderator != "" || readOnly != "news" ||
			strings.Contains(body, `"moderator":`) {
			t.Errorf("%s: a guest has the rights %q and %q: %s", name, moderator, readOnly, body)
		}
	}
	now := time.Now().Unix()
	for _, member := range []string{
		`"moderator":true`, `"md":"1"`, `"rooms":["news:r"]`,
		fmt.Sprintf(`"user":{"sub":"mallory","sessionStart":%d,"sessionEndsAt":%d,"moderator":true}`, now, now+600),
	} {
		if status, body := s.post(t, guest+member+`,`+wish()[1:], nil); status != http.StatusBadRequest ||
			strings.Contains(body, "wss") {
			t.Errorf("%s: answered %d %s, want 400", member, status, body)
		}
	}
}

// TestOnlyTheTrustedCallerNamesModerators: another principal of the account names a moderator.
func TestOnlyTheTrustedCallerNamesModerators(t *testing.T) {
	t.Parallel()
	s := openEmpty(t, rightsStage(map[string]string{"AuthMode": "iam"}))
	now := time.Now().Unix()
	body := fmt.Sprintf(`{"user":{"sub":"mallory","sessionStart":%d,"sessionEndsAt":%d,"moderator":true},%s`, now-1,
		now+600, wish()[1:])
	ask := func(profile string) (int, string) {
		r, err := http.NewRequestWithContext(clienttest.Within(t), http.MethodPost, s.client.Outputs.SignURL,
			strings.NewReader(body))
		if err != nil {
			t.Fatal(err)
		}
		r.Header.Set("Content-Type", "application/json")
		if profile != "" {
			keys := clienttest.Keys(t, s.client, profile)
			if err := s.client.SignRequest(clienttest.Within(t), keys, r, []byte(body)); err != nil {
				t.Fatal(err)
			}
		}
		response, answer := clienttest.Fetch(t, s.client.HTTP.Do, r)
		return response.StatusCode, answer
	}
	status, answer := ask(pageFunction)
	if moderator, readOnly := rightsOf(t, status, answer); moderator != "1" || readOnly != "news" {
		t.Errorf("the page's server has named a user with the rights %q and %q", moderator, readOnly)
	}
	for _, profile := range []string{"", connectFunction, sendFunction, signURLFunction, reaperFunction, "admin"} {
		if status, answer := ask(profile); status != http.StatusForbidden || strings.Contains(answer, "wss") {
			t.Errorf("signed by %q: answered %d %s, want 403", profile, status, answer)
		}
	}
}
