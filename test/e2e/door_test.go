package e2e_test

import (
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"signedsocket/internal/stageclient"
	"signedsocket/localstage/stagetest"
)

// handshake sends a handshake with exactly these headers, and returns the answer.
func handshake(t *testing.T, url string, header http.Header) *http.Response {
	t.Helper()
	r, err := http.NewRequestWithContext(within(t), http.MethodGet, strings.Replace(url, "ws", "http", 1), nil)
	if err != nil {
		t.Fatal(err)
	}
	r.Header = header.Clone()
	r.Header["Connection"], r.Header["Upgrade"] = []string{"Upgrade"}, []string{"websocket"}
	r.Header["Sec-WebSocket-Version"] = []string{"13"}
	r.Header["Sec-WebSocket-Key"] = []string{"dGhlIHNhbXBsZSBub25jZQ=="}
	response, err := http.DefaultTransport.RoundTrip(r)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = response.Body.Close() })
	return response
}

// TestALeakedURLIsWorthNothing tries what an attacker can do with the URL, but without the secret of the browser that
// asked for it. No attempt uses the URL up.
func TestALeakedURLIsWorthNothing(t *testing.T) {
	t.Parallel()
	stage, client := startStage(t,
		stagetest.Options{Parameters: map[string]string{"AllowedOrigins": "https://other.example"}})
	signed, proof := sign(t, client, "alice")
	_, others := sign(t, client, "mallory")
	page, protocol := client.Origin(), "chat.v1, pop."+proof.Verifier
	var reasons []string
	for _, test := range []struct {
		name               string
		origins, protocols []string
		reason             string
	}{
		{"no page", nil, []string{protocol}, "missing_origin"},
		{"another site's page", []string{"https://evil.example"}, []string{protocol}, "wrong_origin"},
		{"a page of our name with another scheme", []string{strings.Replace(page, "http:", "https:", 1)},
			[]string{protocol}, "wrong_origin"},
		{"a sandboxed page", []string{"null"}, []string{protocol}, "wrong_origin"},
		{"two pages", []string{page, "https://evil.example"}, []string{protocol}, "repeated_origin"},
		{"no proof", []string{page}, []string{"chat.v1"}, "missing_proof"},
		{"no subprotocol at all", []string{page}, nil, "missing_proof"},
		{"somebody else's proof", []string{page}, []string{"chat.v1, pop." + others.Verifier}, "wrong_proof"},
		{"the challenge as proof", []string{page}, []string{"chat.v1, pop." + proof.Challenge}, "wrong_proof"},
		{"two proofs, one of them right", []string{page}, []string{protocol + ", pop." + others.Verifier},
			"malformed_proof"},
	} {
		header := http.Header{}
		if test.origins != nil {
			header["Origin"] = test.origins
		}
		if test.protocols != nil {
			header["Sec-WebSocket-Protocol"] = test.protocols
		}
		if response := handshake(t, signed.URL, header); response.StatusCode != http.StatusForbidden {
			t.Errorf("%s: HTTP %d, want 403", test.name, response.StatusCode)
		}
		reasons = append(reasons, test.reason)
	}
	logged := stage.AwaitRefusals(t, "ConnectFunction", len(reasons))
	if !slices.Equal(logged, reasons) {
		t.Errorf("the log gives the reasons %v, want %v", logged, reasons)
	}
	if n, _ := recordsOf(t, client).live(t, "alice"); n != "0" {
		t.Errorf("alice has %s live records", n)
	}
	// Each of the two subprotocols may come in a header line of its own. The page may be on either site.
	response := handshake(t, signed.URL, http.Header{"Origin": {"https://other.example"},
		"Sec-WebSocket-Protocol": {"chat.v1", "pop." + proof.Verifier}})
	if chosen := response.Header["Sec-Websocket-Protocol"]; response.StatusCode != http.StatusSwitchingProtocols ||
		len(chosen) != 1 || chosen[0] != "chat.v1" {
		t.Errorf("the owner of the URL was answered HTTP %d and the subprotocol %q, want 101 and chat.v1",
			response.StatusCode, chosen)
	}
}

func TestAURLWithoutChallengeNeedsADeploymentThatAllowsIt(t *testing.T) {
	t.Parallel()
	grantOf := func(client *stageclient.Client) string {
		grant := stageclient.NewGrant(stageclient.User{Sub: "alice", Name: "Alice"}, []string{"lobby"}, "", time.Now())
		return presign(t, client, "SignUrlFunction", grant).URL
	}
	_, strict := startStage(t, stagetest.Options{})
	conn, err := dialURL(t, strict, grantOf(strict), stageclient.NewProof().Verifier)
	wantRefused(t, conn, err, http.StatusForbidden)

	_, lax := startStage(t, stagetest.Options{Parameters: map[string]string{"ProofOfPossession": "optional"}})
	if conn, err = dialURL(t, lax, grantOf(lax), ""); err != nil {
		t.Fatalf("without a challenge: %v", err)
	}
	_ = conn.Close()
	signed, _ := sign(t, lax, "alice") // with one, its proof is needed here too
	conn, err = dialURL(t, lax, signed.URL, "")
	wantRefused(t, conn, err, http.StatusForbidden)
}
