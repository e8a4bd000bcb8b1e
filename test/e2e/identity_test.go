package e2e_test

import (
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"testing"
	"time"

	"signedsocket/internal/stageclient"
	"signedsocket/localstage/stagetest"
)

// subOf asks for a URL for the user with this sub at the issuer, and returns the id of the user in it.
func subOf(t *testing.T, c *stageclient.Client, sub string) string {
	t.Helper()
	token := devToken(t, c, url.Values{"user": {"x"}, "sub": {sub}})
	signed, err := c.SignURL(within(t), token, nil, stageclient.NewProof().Challenge)
	if err != nil {
		t.Fatalf("%q: %v", sub, err)
	}
	return signed.User.Sub
}

// TestTwoSubsAreTwoUsers: one sub may look like the other user's id, now or in the previous version.
func TestTwoSubsAreTwoUsers(t *testing.T) {
	t.Parallel()
	_, client := startStage(t, stagetest.Options{})
	const victim = "victim@example.com"
	hashed := subOf(t, client, victim)
	if !regexp.MustCompile(`^h--[A-Za-z0-9_-]{32}$`).MatchString(hashed) || subOf(t, client, victim) != hashed {
		t.Errorf("%s is %s, and then %s", victim, hashed, subOf(t, client, victim))
	}
	ids := map[string]string{hashed: victim}
	for _, sub := range []string{hashed, hashed[3:], "h--", "h--alice", "guest-pool", "guest-alice", "alice",
		strings.Repeat("a", 255), "山田 花子", "a|b"} {
		id := subOf(t, client, sub)
		if other, taken := ids[id]; taken || strings.HasPrefix(id, "guest-") {
			t.Errorf("%q is %s, as %q is", sub, id, other)
		}
		ids[id] = sub
	}
}

// TestANamedUserHasTheIDThatItsTokenGives: the page's server and the user's own token lead to the same user.
func TestANamedUserHasTheIDThatItsTokenGives(t *testing.T) {
	t.Parallel()
	_, tokens := startStage(t, stagetest.Options{})
	_, servers := startIam(t)
	for _, sub := range []string{"alice", "auth0|alice", "guest-alice"} {
		body := namedBody(t, func(user map[string]any) {
			user["sub"], user["iss"] = sub, issuerOf(t, tokens)
		})
		status, answer := post(t, servers, body, signedAs(t, servers, webProfile, body))
		if status != http.StatusOK {
			t.Fatalf("%s: answered %d %+v", sub, status, answer)
		}
		signed, err := url.Parse(answer.URL)
		if want := subOf(t, tokens, sub); err != nil || signed.Query().Get("sub") != want {
			t.Errorf("%s: named %s, by token %s", sub, signed.Query().Get("sub"), want)
		}
	}
}

// TestUsersKeepTheirIDsInAStateFolder: bans and messages in the folder name users by id. A hashed id depends on stack
// and issuer. The issuer of the stage has another port in each run, so the caller names one.
func TestUsersKeepTheirIDsInAStateFolder(t *testing.T) {
	t.Parallel()
	state, ids := t.TempDir(), make([]string, 2)
	for run := range ids {
		stage, client := startIamIn(t, state)
		body := namedBody(t, func(user map[string]any) {
			user["sub"], user["iss"] = "auth0|alice", "https://issuer.example"
		})
		status, answer := post(t, client, body, signedAs(t, client, webProfile, body))
		signed, err := url.Parse(answer.URL)
		if status != http.StatusOK || err != nil {
			t.Fatalf("answered %d %+v, %v", status, answer, err)
		}
		ids[run] = signed.Query().Get("sub")
		if err := stage.Close(within(t)); err != nil {
			t.Fatal(err)
		}
	}
	if ids[0] != ids[1] || !strings.HasPrefix(ids[0], "h--") {
		t.Errorf("the user is %s in the first run and %s in the second", ids[0], ids[1])
	}
}

// issuerOf returns the issuer of a stage's tokens.
func issuerOf(t *testing.T, c *stageclient.Client) string {
	t.Helper()
	at, err := url.Parse(c.Outputs.Local.DevTokenURL)
	if err != nil {
		t.Fatal(err)
	}
	return at.Scheme + "://" + at.Host
}

// TestASessionEndsSoonAfterItsToken: a token that is about to expire does not open a session of two hours.
func TestASessionEndsSoonAfterItsToken(t *testing.T) {
	t.Parallel()
	for grace, want := range map[string]struct{ least, most int }{
		"0": {1, 20}, "300": {301, 320}, "7200": {7200, 7200},
	} {
		_, client := startStage(t, stagetest.Options{Parameters: map[string]string{"SessionGraceSeconds": grace}})
		token := devToken(t, client, url.Values{"user": {"alice"}, "expires_in": {"20"}})
		signed, err := client.SignURL(within(t), token, nil, stageclient.NewProof().Challenge)
		if err != nil || signed.SessionEndsIn < want.least || signed.SessionEndsIn > want.most {
			t.Errorf("grace %s: session ends in %d s, %v; want %d to %d", grace, signed.SessionEndsIn, err, want.least,
				want.most)
		}
	}
}

// TestASilentSignInDoesNotUndoARevocation: the session at the provider continues, and gives the user new tokens.
func TestASilentSignInDoesNotUndoARevocation(t *testing.T) {
	t.Parallel()
	_, client := startStage(t, stagetest.Options{})
	conn := connect(t, client, "alice")
	revoke(t, client, "alice", 1)
	wantBye(t, conn, "revoked")
	sign := func(authenticatedAgo string) error {
		token := devToken(t, client, url.Values{"user": {"alice"}, "auth_time_ago": {authenticatedAgo}})
		_, err := client.SignURL(within(t), token, nil, stageclient.NewProof().Challenge)
		return err
	}
	for ctx := within(t); ; { // until the second of the revocation is over
		err := sign("0")
		if err == nil {
			break
		}
		wantSignError(t, err, http.StatusUnauthorized, "revoked")
		select {
		case <-ctx.Done():
			t.Fatal("a new sign-in is refused")
		case <-time.After(100 * time.Millisecond):
		}
	}
	wantSignError(t, sign("60"), http.StatusUnauthorized, "revoked") // a new token of the old session
}

// TestAStageAsksForScopes: the route and signurl require one of the scopes.
func TestAStageAsksForScopes(t *testing.T) {
	t.Parallel()
	_, client := startStage(t,
		stagetest.Options{Parameters: map[string]string{"AuthorizationScopes": "chat,chat.write"}})
	for scope, want := range map[string]int{
		"": 403, "openid profile": 403, "chats": 403, "openid chat": 200, "chat.write": 200,
	} {
		token := devToken(t, client, url.Values{"user": {"alice"}, "scope": {scope}})
		body := `{"challenge":"` + stageclient.NewProof().Challenge + `"}`
		if status, answer := post(t, client, body, bearer(token)); status != want {
			t.Errorf("scope %q: answered %d %+v, want %d", scope, status, answer, want)
		}
	}
}

// guestBody is a request for a URL with the secret that a guest keeps.
func guestBody(secret string, proof stageclient.Proof) string {
	return `{"guest":"` + secret + `","name":"Zoë","challenge":"` + proof.Challenge + `"}`
}

// TestAGuestKeepsItsID: with the same secret a guest is the same user in every connection.
func TestAGuestKeepsItsID(t *testing.T) {
	t.Parallel()
	_, client := startGuests(t, nil)
	ids := make(map[string]bool)
	for _, secret := range []string{strings.Repeat("A", 43), strings.Repeat("A", 43), strings.Repeat("A", 42) + "E"} {
		proof := stageclient.NewProof()
		status, answer := post(t, client, guestBody(secret, proof), nil)
		if status != http.StatusOK {
			t.Fatalf("answered %d %+v", status, answer)
		}
		address, err := url.Parse(answer.URL)
		if err != nil {
			t.Fatal(err)
		}
		signed := &stageclient.Signed{URL: answer.URL, Protocols: []string{stageclient.Protocol}}
		conn := mustEnter(t, client, signed, proof)
		send(t, conn, "hello", "1")
		id := address.Query().Get("sub")
		if got := await[stageclient.Message](t, conn); got.From != (stageclient.User{Sub: id, Name: "Zoë"}) {
			t.Errorf("sent as %+v, signed for %s", got.From, id)
		}
		ids[id] = true
	}
	if len(ids) != 2 {
		t.Errorf("two guests were %v", ids)
	}
}

// TestTheURLsOfEachUserAreLimited: a user gets 30 in a minute, and at most 60 when a minute ends meanwhile. Other users
// notice nothing.
func TestTheURLsOfEachUserAreLimited(t *testing.T) {
	t.Parallel()
	_, client := startStage(t, stagetest.Options{})
	// Unlike the client of the suite, this one does not wait after a 429.
	hasty := checked(t, &stageclient.Client{Outputs: client.Outputs})
	ask := func(user string) error {
		token := devToken(t, client, url.Values{"user": {user}})
		_, err := hasty.SignURL(within(t), token, nil, stageclient.NewProof().Challenge)
		return err
	}
	granted, err := 0, error(nil)
	for ; err == nil && granted <= 60; granted++ {
		err = ask("mallory")
	}
	refused := wantSignError(t, err, http.StatusTooManyRequests, "too_many_requests")
	if granted <= 30 || refused.RetryAfter < time.Second || refused.RetryAfter > time.Minute {
		t.Errorf("after %d URLs: retry after %s", granted-1, refused.RetryAfter)
	}
	if err := ask("alice"); err != nil {
		t.Errorf("alice: %v", err)
	}
}
