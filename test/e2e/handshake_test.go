package e2e_test

import (
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"signedsocket/internal/stageclient"
	"signedsocket/localstage/stagetest"
)

func TestAnUnsignedHandshakeIsRefused(t *testing.T) {
	t.Parallel()
	client := anyStage(t)
	conn, err := dialURL(t, client, client.Outputs.WebSocketURL, "")
	refused := wantRefused(t, conn, err, http.StatusForbidden)
	if got := refused.Header.Get("X-Amzn-Errortype"); got != "MissingAuthenticationTokenException" {
		t.Errorf("x-amzn-ErrorType is %q, want MissingAuthenticationTokenException", got)
	}
}

func TestOneChangedCharacterOfAnySignedParameterIsRefused(t *testing.T) {
	t.Parallel()
	client := anyStage(t)
	signed, proof := sign(t, client, "alice")
	original, err := url.Parse(signed.URL)
	if err != nil {
		t.Fatal(err)
	}
	parameters := original.Query()
	if len(parameters) < 14 {
		t.Fatalf("the signed URL has only %d parameters", len(parameters))
	}
	for name := range parameters {
		tampered := *original
		query := original.Query()
		query.Set(name, changeLast(query.Get(name)))
		tampered.RawQuery = query.Encode()
		conn, err := dialURL(t, client, tampered.String(), proof.Verifier)
		t.Log("changed", name)
		wantRefused(t, conn, err, http.StatusForbidden)
	}
	// None of the attempts has used the URL up.
	conn, err := client.Dial(within(t), signed, stageclient.DialOptions{Verifier: proof.Verifier})
	if err != nil {
		t.Fatalf("the untouched URL: %v", err)
	}
	_ = conn.Close()
}

// changeLast replaces the last character with another one of the same kind.
func changeLast(value string) string {
	last := value[len(value)-1]
	replacement := byte('A')
	switch {
	case last >= '0' && last <= '8':
		replacement = last + 1
	case last == '9':
		replacement = '0'
	case last == 'A':
		replacement = 'B'
	case last >= 'a' && last < 'z':
		replacement = last + 1
	}
	return value[:len(value)-1] + string(replacement)
}

func TestAnAddedOrRepeatedParameterIsRefused(t *testing.T) {
	t.Parallel()
	client := anyStage(t)
	signed, proof := sign(t, client, "alice")
	for _, addition := range []string{"&admin=1", "&sub=bob", "&SUB=bob", "&rm=vault"} {
		conn, err := dialURL(t, client, signed.URL+addition, proof.Verifier)
		t.Log("added", addition)
		wantRefused(t, conn, err, http.StatusForbidden)
	}
}

func TestASignedURLWorksOnce(t *testing.T) {
	t.Parallel()
	client := anyStage(t)
	signed, proof := sign(t, client, "alice")
	options := stageclient.DialOptions{Verifier: proof.Verifier}
	conn, err := client.Dial(within(t), signed, options)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close() })
	again, err := client.Dial(within(t), signed, options)
	wantRefused(t, again, err, http.StatusForbidden)
}

// TestGrantsThatNoSignerMayMakeAreRefused signs with signurl's own role, so that only the content of the grant can be
// the reason.
func TestGrantsThatNoSignerMayMakeAreRefused(t *testing.T) {
	t.Parallel()
	client := anyStage(t)
	cases := map[string]func(*stageclient.Grant, time.Time){
		"past its exp": func(g *stageclient.Grant, now time.Time) {
			g.IssuedAt, g.ExpiresAt = now.Add(-30*time.Second), now.Add(-20*time.Second)
		},
		"from the future": func(g *stageclient.Grant, now time.Time) {
			g.IssuedAt, g.ExpiresAt = now.Add(time.Minute), now.Add(70*time.Second)
		},
		"too long a life":       func(g *stageclient.Grant, now time.Time) { g.ExpiresAt = now.Add(5 * time.Minute) },
		"no life":               func(g *stageclient.Grant, _ time.Time) { g.ExpiresAt = g.IssuedAt },
		"session already ended": func(g *stageclient.Grant, now time.Time) { g.SessionEndsAt = now.Add(-time.Second) },
		"no room":               func(g *stageclient.Grant, _ time.Time) { g.Rooms = nil },
		"bad room":              func(g *stageclient.Grant, _ time.Time) { g.Rooms = []string{"Lobby!"} },
		"nine rooms": func(g *stageclient.Grant,
			_ time.Time) {
			g.Rooms = strings.Split("a.b.c.d.e.f.g.h.i", ".")
		},
		"bad user id":  func(g *stageclient.Grant, _ time.Time) { g.Sub = "a b" },
		"short ticket": func(g *stageclient.Grant, _ time.Time) { g.Ticket = "abc" },
	}
	for name, spoil := range cases {
		now := time.Now()
		grant := stageclient.NewGrant(stageclient.User{Sub: "alice", Name: "Alice"}, []string{"lobby"}, "", now)
		spoil(&grant, now)
		conn, err := dialGrant(t, client, "SignUrlFunction", grant)
		t.Log(name)
		wantRefused(t, conn, err, http.StatusForbidden)
	}
	good := stageclient.NewGrant(stageclient.User{Sub: "alice", Name: "Alice"}, []string{"lobby"}, "", time.Now())
	conn, err := dialGrant(t, client, "SignUrlFunction", good)
	if err != nil {
		t.Fatalf("the grant that all others were made from: %v", err)
	}
	_ = conn.Close()
}

func TestAURLForAnotherStageOrPathIsRefused(t *testing.T) {
	t.Parallel()
	client := anyStage(t)
	signed, proof := sign(t, client, "alice")
	for _, path := range []string{"/test", "/prod/", "/prod/more", "/"} {
		conn, err := dialURL(t, client, strings.Replace(signed.URL, "/prod?", path+"?", 1), proof.Verifier)
		t.Log("path", path)
		wantRefused(t, conn, err, http.StatusForbidden)
	}
}

func TestOnlyKnownSignersOpenConnections(t *testing.T) {
	t.Parallel()
	stage, client := startStage(t, stagetest.Options{})
	grant := func() stageclient.Grant {
		return stageclient.NewGrant(stageclient.User{Sub: "alice", Name: "Alice"}, []string{"lobby"}, "", time.Now())
	}
	// IAM refuses: these roles may not invoke $connect.
	for _, profile := range []string{"ConnectFunction", "DisconnectFunction", "SendMessageFunction"} {
		conn, err := dialGrant(t, client, profile, grant())
		refused := wantRefused(t, conn, err, http.StatusForbidden)
		if got := refused.Header.Get("X-Amzn-Errortype"); got != "AccessDeniedException" {
			t.Errorf("%s: x-amzn-ErrorType is %q, want AccessDeniedException", profile, got)
		}
	}
	// IAM lets admin through, and connect does not know admin.
	conn, err := dialGrant(t, client, "admin", grant())
	wantRefused(t, conn, err, http.StatusForbidden)
	if n := len(stage.Gateway().Connections()); n != 0 {
		t.Errorf("the stage holds %d connections after refusals only", n)
	}
}

func TestAnExtraSignerSignsOnALaptop(t *testing.T) {
	t.Parallel()
	_, client := startStage(t,
		stagetest.Options{Parameters: map[string]string{"ExtraSignerArns": "arn:aws:iam::111122223333:user/admin"}})
	grant := stageclient.NewGrant(stageclient.User{Sub: "dev", Name: "Dev"}, []string{"lobby"}, "", time.Now())
	conn, err := dialGrant(t, client, "admin", grant)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close() })
	send(t, conn, "signed with my own key", "1")
	if got := await[stageclient.Message](t, conn); got.From.Sub != "dev" {
		t.Errorf("received %+v", got)
	}
}
