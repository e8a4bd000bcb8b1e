package stageclient_test

import (
	"crypto/sha256"
	"encoding/base64"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/google/go-cmp/cmp"

	"signedsocket/internal/stageclient"
)

func TestGrantHasTheParametersOfTheContract(t *testing.T) {
	t.Parallel()
	now := time.Unix(1795327200, 999)
	alice := stageclient.User{Sub: "alice", Name: "アリス"}
	grant := stageclient.NewGrant(alice, []string{"lobby", "ops"}, "challenge", now)
	values := grant.Values()
	if !regexp.MustCompile(`^[A-Za-z0-9_-]{22}$`).MatchString(values.Get("jti")) {
		t.Errorf("jti %q is not 16 bytes in base64url", values.Get("jti"))
	}
	values.Del("jti")
	want := url.Values{"v": {"1"}, "sub": {"alice"}, "nm": {"44Ki44Oq44K5"}, "rm": {"lobby.ops"}, "iat": {"1795327200"},
		"exp": {"1795327210"},
		"sx":  {"1795334400"}, "ait": {"1795327200"}, "cc": {"challenge"}}
	if diff := cmp.Diff(want, values); diff != "" {
		t.Error(diff)
	}
	grant.Challenge = ""
	if grant.Values().Has("cc") {
		t.Error("an empty challenge must be left out")
	}
}

// Independent signers make the same signature of this input: one in JavaScript, botocore, and one written from the
// specification.
func TestPresignedURL(t *testing.T) {
	t.Parallel()
	client := &stageclient.Client{Outputs: stageclient.Outputs{
		WebSocketURL: "wss://abc123.execute-api.us-east-1.amazonaws.com/prod", Region: "us-east-1",
	}}
	key := credentials.NewStaticCredentialsProvider("AKIDEXAMPLE", "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY",
		"tok/en+==")
	at := time.Date(2026, 11, 22, 6, 0, 0, 0, time.UTC)
	signed, err := client.Presign(t.Context(), key, url.Values{"X-Amz-Expires": {"300"}}, at)
	if err != nil {
		t.Fatal(err)
	}
	if !strings.HasPrefix(signed, "wss://abc123.execute-api.us-east-1.amazonaws.com/prod?") ||
		!strings.HasSuffix(signed,
			"&X-Amz-Signature=6274cda040cab0a8d797f67f82286919729ecfe81ff85efcf66ad954b19cb3ca") {
		t.Error(signed)
	}
	client.Outputs.WebSocketURL = "http://127.0.0.1/prod"
	if _, err := client.Presign(t.Context(), key, nil, at); err == nil {
		t.Error("an address that is no WebSocket was signed")
	}
}

func TestSignLocallyAnswersAsSignurlDoes(t *testing.T) {
	t.Parallel()
	file := filepath.Join(t.TempDir(), "credentials")
	profile := "[SignUrlFunction]\naws_access_key_id = ASIAFILE\naws_secret_access_key = s\naws_session_token = st\n"
	if err := os.WriteFile(file, []byte(profile), 0o600); err != nil {
		t.Fatal(err)
	}
	client := &stageclient.Client{Outputs: stageclient.Outputs{WebSocketURL: "ws://127.0.0.1:3002/prod",
		Region: "us-east-1",
		Local:  stageclient.Local{CredentialsFile: file}}}
	key, err := client.Credentials(t.Context(), "SignUrlFunction")
	if err != nil {
		t.Fatal(err)
	}
	alice := stageclient.User{Sub: "alice", Name: "Alice"}
	grant := stageclient.NewGrant(alice, []string{"lobby", "news"}, "c", time.Now())
	grant.Moderator, grant.ReadOnly = true, []string{"news"}
	signed, err := client.SignLocally(t.Context(), key, grant)
	if err != nil {
		t.Fatal(err)
	}
	u, err := url.Parse(signed.URL)
	if err != nil || u.Scheme != "ws" || u.Host != "127.0.0.1:3002" || u.Path != "/prod" {
		t.Errorf("%s, %v", u, err)
	}
	query := u.Query()
	if query.Get("sub") != "alice" || query.Get("md") != "1" || query.Get("ro") != "news" ||
		query.Get("X-Amz-Security-Token") != "st" ||
		!strings.HasPrefix(query.Get("X-Amz-Credential"), "ASIAFILE/") ||
		!strings.HasSuffix(query.Get("X-Amz-Credential"), "/us-east-1/execute-api/aws4_request") {
		t.Errorf("query %v", query)
	}
	signed.URL = ""
	want := &stageclient.Signed{Protocols: []string{"chat.v1"}, ExpiresIn: 10, SessionEndsIn: 7200,
		User: stageclient.User{Sub: "alice", Name: "Alice"}, Moderator: true,
		Allowed: []stageclient.Room{{Name: "lobby"}, {Name: "news", ReadOnly: true}}}
	if !want.ReadOnly("news") || want.ReadOnly("lobby") || want.ReadOnly("ops") {
		t.Errorf("may not write to some of %+v", want.Allowed)
	}
	if diff := cmp.Diff(want, signed); diff != "" {
		t.Error(diff)
	}
	if _, err := client.Credentials(t.Context(), "Missing"); err == nil {
		t.Error("a profile that is not there was found")
	}
}

func TestProofIsTheDigestOfItsVerifier(t *testing.T) {
	t.Parallel()
	proof := stageclient.NewProof()
	digest := sha256.Sum256([]byte(proof.Verifier))
	if proof.Challenge != base64.RawURLEncoding.EncodeToString(digest[:]) || len(proof.Challenge) != 43 ||
		len(proof.Verifier) != 43 {
		t.Errorf("%+v", proof)
	}
	if proof == stageclient.NewProof() {
		t.Error("two proofs are the same")
	}
	if strings.ContainsAny(proof.Verifier, " ,;=\"") {
		t.Errorf("verifier %q does not fit a subprotocol", proof.Verifier)
	}
}
