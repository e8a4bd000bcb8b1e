package attack_test

import (
	"net/http"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"signedsocket/internal/stageclient"
	"signedsocket/internal/stageclient/clienttest"
	"signedsocket/localstage/stagetest"
)

// TestALeakedURLIsWorthNothing: the attacker has read a URL in a log, before or after its owner used it.
func TestALeakedURLIsWorthNothing(t *testing.T) {
	t.Parallel()
	s := open(t, stagetest.Options{})
	signed, proof := clienttest.Sign(t, s.client, "alice")
	other := stageclient.NewProof()
	for name, verifier := range map[string]string{
		"without a verifier":            "",
		"with another's verifier":       other.Verifier,
		"with the challenge instead":    proof.Challenge,
		"with a part of the verifier":   proof.Verifier[:42],
		"with more than the verifier":   proof.Verifier + "A",
		"with the verifier in capitals": strings.ToUpper(proof.Verifier),
	} {
		s.unharmed(t, []string{connectFunction}, func() {
			conn, err := clienttest.Dial(t, s.client, signed.URL, verifier, nil)
			t.Log(name)
			clienttest.WantRefused(t, conn, err, http.StatusForbidden)
		})
	}
	// No attempt has used up the ticket of the owner. After the owner has, the URL opens nothing, not even with the
	// verifier.
	s.stillGood(t, signed, proof)
	s.settled(t, 2)
	s.unharmed(t, []string{connectFunction}, func() {
		conn, err := clienttest.Dial(t, s.client, signed.URL, proof.Verifier, nil)
		clienttest.WantRefused(t, conn, err, http.StatusForbidden)
		s.wantReason(t, connectFunction, "ticket_used")
	})
}

// TestAURLWithoutAChallengeIsRefused: a verifier without a challenge proves nothing.
func TestAURLWithoutAChallengeIsRefused(t *testing.T) {
	t.Parallel()
	s := open(t, stagetest.Options{})
	s.unharmed(t, []string{connectFunction}, func() {
		g, proof := grant(func(g *stageclient.Grant) { g.Challenge = "" })
		conn, err := clienttest.Dial(t, s.client, clienttest.Presign(t, s.client, signURLFunction, g).URL,
			proof.Verifier, nil)
		clienttest.WantRefused(t, conn, err, http.StatusForbidden)
		s.wantReason(t, connectFunction, "missing_cc")
	})
	s.unharmed(t, []string{signURLFunction}, func() {
		if status, body := s.post(t, `{}`, bearer(clienttest.Token(t, s.client,
			"mallory"))); status != http.StatusBadRequest || strings.Contains(body, "wss") {
			t.Errorf("signurl without a challenge: answered %d, want 400", status)
		}
		s.wantReason(t, signURLFunction, "bad_request")
	})
}

// TestARevokedUserGetsNeitherAURLNorAConnection: the token and the URL are older than the revocation.
func TestARevokedUserGetsNeitherAURLNorAConnection(t *testing.T) {
	t.Parallel()
	localOnly(t, "leaves a user shut out")
	for attribute, reason := range map[string]string{"notBefore": "revoked", "bannedUntil": "banned"} {
		for _, old := range []bool{false, true} { // in the table of bans, or where the previous version wrote it
			s := open(t, stagetest.Options{})
			token := clienttest.Token(t, s.client, "mallory")
			signed, proof := clienttest.Sign(t, s.client, "mallory")
			table, item := s.client.Outputs.BansTable, map[string]types.AttributeValue{
				"id": &types.AttributeValueMemberS{Value: "mallory"},
			}
			if old {
				table, item = s.client.Outputs.TableName, map[string]types.AttributeValue{
					"pk": &types.AttributeValueMemberS{Value: "USER#mallory"},
					"sk": &types.AttributeValueMemberS{Value: "USER"},
				}
			}
			until := strconv.FormatInt(time.Now().Add(time.Minute).Unix(), 10)
			item[attribute] = &types.AttributeValueMemberN{Value: until}
			if _, err := s.table.PutItem(clienttest.Within(t),
				&dynamodb.PutItemInput{TableName: &table, Item: item}); err != nil {
				t.Fatal(err)
			}
			s.unharmed(t, []string{signURLFunction}, func() {
				status, body := s.post(t, `{"challenge":"`+proof.Challenge+`"}`, bearer(token))
				if status != http.StatusUnauthorized || !strings.Contains(body, `"revoked"`) {
					t.Errorf("%s: signurl answered %d %s, want 401 revoked", attribute, status, body)
				}
				s.wantReason(t, signURLFunction, "revoked")
			})
			s.unharmed(t, []string{connectFunction}, func() {
				conn, err := clienttest.Dial(t, s.client, signed.URL, proof.Verifier, nil)
				clienttest.WantRefused(t, conn, err, http.StatusForbidden)
				s.wantReason(t, connectFunction, reason)
			})
		}
	}
}

// settled waits until the gateway and the table have only the given number of connections.
func (s *scene) settled(t *testing.T, connections int) {
	t.Helper()
	for deadline := clienttest.Within(t); ; {
		if held := s.open(); (s.Stage == nil || held == connections) && len(s.items(t).keys("CONN#")) == connections {
			return
		}
		if deadline.Err() != nil {
			t.Fatal("connections that have been closed are not forgotten")
		}
	}
}

// TestOtherSitesCannotConnect is cross-site WebSocket hijacking: the attacker's page has everything that the user's own
// page has, except its origin.
func TestOtherSitesCannotConnect(t *testing.T) {
	t.Parallel()
	s := open(t, stagetest.Options{})
	signed, proof := clienttest.Sign(t, s.client, "alice")
	ours := strings.TrimSuffix(s.client.Outputs.FrontendURL, "/")
	for name, origins := range map[string][]string{
		"another site":             {"https://evil.example"},
		"no origin to speak of":    {"null"},
		"ours as a part of a name": {ours + ".evil.example"},
		"ours behind a name":       {"https://evil.example/" + ours},
		"another scheme":           {strings.Replace(ours, "http://", "https://", 1)},
		"another port":             {ours + "0"},
		"a path":                   {ours + "/"},
		"the socket's own": {strings.Replace(strings.TrimSuffix(s.client.Outputs.WebSocketURL, "/prod"),
			"ws://", "http://", 1)},
		"capitals":    {strings.ToUpper(ours)},
		"a list":      {ours + ", https://evil.example"},
		"two headers": {ours, "https://evil.example"},
		"a wildcard":  {"*"},
	} {
		s.unharmed(t, []string{connectFunction}, func() {
			conn, err := clienttest.Dial(t, s.client, signed.URL, proof.Verifier, http.Header{"Origin": origins})
			t.Log(name)
			clienttest.WantRefused(t, conn, err, http.StatusForbidden)
			reason := "wrong_origin"
			if len(origins) > 1 {
				reason = "repeated_origin"
			}
			s.wantReason(t, connectFunction, reason)
		})
	}
	conn, err := clienttest.Dial(t, s.client, signed.URL, proof.Verifier, http.Header{"Origin": {ours}})
	if err != nil {
		t.Fatalf("the page of this stack: %v", err)
	}
	_ = conn.Close()
}

// TestAHandshakeWithoutAnOriginIsRefused: such a handshake comes neither from a browser nor from a client of this
// product.
func TestAHandshakeWithoutAnOriginIsRefused(t *testing.T) {
	t.Parallel()
	s := open(t, stagetest.Options{})
	signed, proof := clienttest.Sign(t, s.client, "alice")
	s.unharmed(t, []string{connectFunction}, func() {
		conn, err := clienttest.Dial(t, s.client, signed.URL, proof.Verifier, http.Header{})
		clienttest.WantRefused(t, conn, err, http.StatusForbidden)
		s.wantReason(t, connectFunction, "missing_origin")
	})
	s.stillGood(t, signed, proof)
}

// TestInvalidGrantsAreRefused signs invalid grants with signurl's own key, so that only connect can refuse them.
func TestInvalidGrantsAreRefused(t *testing.T) {
	t.Parallel()
	s := open(t, stagetest.Options{})
	now := time.Now()
	tests := []struct {
		name, reason string
		spoil        func(*stageclient.Grant)
	}{
		{"a second too old", "expired", func(g *stageclient.Grant) {
			g.IssuedAt, g.ExpiresAt = now.Add(-11*time.Second), now.Add(-time.Second)
		}},
		{"of tomorrow", "not_yet_valid", func(g *stageclient.Grant) {
			g.IssuedAt, g.ExpiresAt = now.Add(4*time.Minute), now.Add(4*time.Minute+10*time.Second)
		}},
		{"good for five minutes", "wrong_lifetime",
			func(g *stageclient.Grant) { g.ExpiresAt = g.IssuedAt.Add(5 * time.Minute) }},
		{"good for no time", "wrong_lifetime", func(g *stageclient.Grant) { g.ExpiresAt = g.IssuedAt }},
		{"of a session that has ended", "session_over",
			func(g *stageclient.Grant) { g.SessionEndsAt = now.Add(-time.Second) }},
		{"no room", "malformed_rm", func(g *stageclient.Grant) { g.Rooms = nil }},
		{"a room of the table's", "malformed_rm", func(g *stageclient.Grant) { g.Rooms = []string{"lobby#0"} }},
		{"a room twice", "malformed_rm", func(g *stageclient.Grant) { g.Rooms = []string{"lobby", "lobby"} }},
		{"nine rooms", "malformed_rm", func(g *stageclient.Grant) { g.Rooms = strings.Split("abcdefghi", "") }},
		{"a user that is another item", "malformed_sub", func(g *stageclient.Grant) { g.Sub = "a#b" }},
		{"a long user", "malformed_sub", func(g *stageclient.Grant) { g.Sub = strings.Repeat("a", 65) }},
		{"a name of two lines", "malformed_nm", func(g *stageclient.Grant) { g.Name = "Mallory\nAdmin" }},
		{"a name that turns round", "malformed_nm", func(g *stageclient.Grant) { g.Name = "Mallory\u202enimdA" }},
		{"a long name", "malformed_nm", func(g *stageclient.Grant) { g.Name = strings.Repeat("a", 129) }},
		{"a guessable ticket", "malformed_jti", func(g *stageclient.Grant) { g.Ticket = "AAAA" }},
		{"half a challenge", "malformed_cc", func(g *stageclient.Grant) { g.Challenge = g.Challenge[:20] }},
	}
	for _, test := range tests {
		s.unharmed(t, []string{connectFunction}, func() {
			g, proof := grant(test.spoil)
			conn, err := clienttest.Dial(t, s.client, clienttest.Presign(t, s.client, signURLFunction, g).URL,
				proof.Verifier, nil)
			t.Log(test.name)
			clienttest.WantRefused(t, conn, err, http.StatusForbidden)
			s.wantReason(t, connectFunction, test.reason)
		})
	}
	g, proof := grant()
	s.stillGood(t, clienttest.Presign(t, s.client, signURLFunction, g), proof)
}

// TestParametersThatFormNoGrantAreRefused signs sets of parameters that a grant cannot have.
func TestParametersThatFormNoGrantAreRefused(t *testing.T) {
	t.Parallel()
	s := open(t, stagetest.Options{})
	keys := clienttest.Keys(t, s.client, signURLFunction)
	tests := []struct {
		name, reason string
		spoil        func(map[string][]string)
	}{
		{"two users", "repeated_sub", func(v map[string][]string) { v["sub"] = []string{"mallory", "victim"} }},
		{"two rooms parameters", "repeated_rm", func(v map[string][]string) { v["rm"] = []string{"lobby", "vault"} }},
		{"two tickets", "repeated_jti",
			func(v map[string][]string) { v["jti"] = append(v["jti"], "AAAAAAAAAAAAAAAAAAAAAA") }},
		{"no ticket", "missing_jti", func(v map[string][]string) { delete(v, "jti") }},
		{"no end", "missing_exp", func(v map[string][]string) { delete(v, "exp") }},
		{"no user", "missing_sub", func(v map[string][]string) { delete(v, "sub") }},
		{"no version", "missing_v", func(v map[string][]string) { delete(v, "v") }},
		{"another version", "malformed_v", func(v map[string][]string) { v["v"] = []string{"2"} }},
		{"a name of no parameter", "unknown_parameter", func(v map[string][]string) { v["admin"] = []string{"1"} }},
		{"another case", "unknown_parameter", func(v map[string][]string) { v["Sub"] = []string{"victim"} }},
		{"a time with a sign", "malformed_exp", func(v map[string][]string) { v["exp"][0] = "+" + v["exp"][0] }},
		{"a time with a zero", "malformed_sx", func(v map[string][]string) { v["sx"][0] = "0" + v["sx"][0] }},
		{"a time of many digits", "malformed_sx",
			func(v map[string][]string) { v["sx"] = []string{"99999999999999999999"} }},
		{"two moderators", "repeated_md", func(v map[string][]string) { v["md"] = []string{"1", "1"} }},
		{"a moderator in words", "malformed_md", func(v map[string][]string) { v["md"] = []string{"true"} }},
		{"a room to read that is not granted", "malformed_ro",
			func(v map[string][]string) { v["ro"] = []string{"vault"} }},
		{"two lists of rooms to read", "repeated_ro",
			func(v map[string][]string) { v["ro"] = []string{"lobby", "lobby"} }},
		{"a room with its flag", "malformed_rm", func(v map[string][]string) { v["rm"] = []string{"lobby:r"} }},
		{"an escaped user", "malformed_sub", func(v map[string][]string) { v["sub"] = []string{"mal%6cory"} }},
		{"a padded name", "malformed_nm", func(v map[string][]string) { v["nm"] = []string{"TWFsbG9yeQ=="} }},
	}
	for _, test := range tests {
		s.unharmed(t, []string{connectFunction}, func() {
			g, proof := grant()
			values := g.Values()
			test.spoil(values)
			signed, err := s.client.Presign(clienttest.Within(t), keys, values, time.Now())
			if err != nil {
				t.Fatal(err)
			}
			conn, err := clienttest.Dial(t, s.client, signed, proof.Verifier, nil)
			t.Log(test.name)
			clienttest.WantRefused(t, conn, err, http.StatusForbidden)
			s.wantReason(t, connectFunction, test.reason)
		})
	}
}

// TestOtherSignersAreRefused: other principals of the account sign a grant. IAM refuses the roles of the functions.
// connect refuses principals that IAM allows.
func TestOtherSignersAreRefused(t *testing.T) {
	t.Parallel()
	localOnly(t, "has the keys of every role")
	s := open(t, stagetest.Options{})
	for _, profile := range []string{connectFunction, disconnectFunction, sendFunction} {
		s.unharmed(t, nil, func() {
			g, proof := grant()
			conn, err := clienttest.Dial(t, s.client, clienttest.Presign(t, s.client, profile, g).URL, proof.Verifier,
				nil)
			if got := clienttest.WantRefused(t, conn, err,
				http.StatusForbidden).Header.Get("X-Amzn-Errortype"); got != "AccessDeniedException" {
				t.Errorf("%s: refused by %q, want IAM", profile, got)
			}
		})
	}
	s.unharmed(t, []string{connectFunction}, func() {
		g, proof := grant()
		conn, err := clienttest.Dial(t, s.client, clienttest.Presign(t, s.client, "admin", g).URL, proof.Verifier, nil)
		clienttest.WantRefused(t, conn, err, http.StatusForbidden)
		s.wantReason(t, connectFunction, "unknown_signer")
	})
}
