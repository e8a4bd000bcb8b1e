package stageclient_test

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/google/go-cmp/cmp"

	"signedsocket/internal/stageclient"
)

// signer is a signurl that remembers the members of the requests, and refuses some.
func signer(t *testing.T, refused ...string) (client *stageclient.Client, asked *[]map[string]any) {
	t.Helper()
	asked = new([]map[string]any)
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		var body map[string]any
		if err := json.NewDecoder(r.Body).Decode(&body); err != nil {
			t.Error(err)
		}
		*asked = append(*asked, body)
		if slices.ContainsFunc(refused, func(member string) bool { return body[member] != nil }) {
			w.WriteHeader(http.StatusBadRequest)
			fmt.Fprint(w, `{"error":"bad_request","message":"unknown member"}`)
			return
		}
		fmt.Fprint(w, `{"url":"wss://x","user":{"sub":"alice","name":"Alice"}}`)
	}))
	t.Cleanup(server.Close)
	outputs := stageclient.Outputs{SignURL: server.URL + "/signurl", Region: "us-east-1"}
	return &stageclient.Client{Outputs: outputs}, asked
}

func members(body map[string]any) string { return strings.Join(slices.Sorted(maps.Keys(body)), " ") }

func TestInstancesDiffer(t *testing.T) {
	t.Parallel()
	one, other := stageclient.NewInstance(), stageclient.NewInstance()
	if one.ID == other.ID || one.Guest == other.Guest {
		t.Error("two clients have one name or secret")
	}
	for text, size := range map[string]int{one.ID: 16, one.Guest: 32} {
		if b, err := base64.RawURLEncoding.Strict().DecodeString(text); err != nil || len(b) != size {
			t.Errorf("%q has %d bytes (%v), want %d", text, len(b), err, size)
		}
	}
}

func TestRequestsNameTheClientInstance(t *testing.T) {
	t.Parallel()
	client, asked := signer(t)
	if _, err := client.SignURL(t.Context(), "token", nil, "c"); err != nil {
		t.Fatal(err)
	}
	client.Instance = stageclient.NewInstance()
	client.Instance.Name = "Gast"
	for _, token := range []string{"token", ""} {
		if _, err := client.SignURL(t.Context(), token, nil, "c"); err != nil {
			t.Fatal(err)
		}
	}
	want := []map[string]any{
		{"challenge": "c"},
		{"challenge": "c", "ci": client.Instance.ID},
		{"challenge": "c", "ci": client.Instance.ID, "guest": client.Instance.Guest, "name": "Gast"},
	}
	if diff := cmp.Diff(want, *asked); diff != "" {
		t.Error(diff)
	}
}

func TestAStageWithoutInstancesIsAskedAgainWithoutOne(t *testing.T) {
	t.Parallel()
	client, asked := signer(t, "ci", "guest")
	client.Instance = stageclient.NewInstance()
	for range 2 {
		if _, err := client.SignURL(t.Context(), "", nil, "c"); err != nil {
			t.Fatal(err)
		}
	}
	var got []string
	for _, body := range *asked {
		got = append(got, members(body))
	}
	if want := []string{"challenge ci guest", "challenge", "challenge"}; !slices.Equal(got, want) {
		t.Errorf("asked %q, want %q", got, want)
	}
}

func TestARequestThatIsRefusedWithoutAnInstanceIsNotRepeated(t *testing.T) {
	t.Parallel()
	client, asked := signer(t, "challenge")
	client.Instance = stageclient.NewInstance()
	for range 2 {
		if _, err := client.SignURL(t.Context(), "token", nil, "c"); err == nil {
			t.Error("no error")
		}
	}
	if len(*asked) != 3 {
		t.Errorf("asked %d times, want twice and then once", len(*asked))
	}
}

func TestTrustedCallerNamesTheSignInAndEndsIt(t *testing.T) {
	t.Parallel()
	client, asked := signer(t)
	key := credentials.NewStaticCredentialsProvider("ASIAEXAMPLE", "secret", "st")
	user := stageclient.NamedUser{Sub: "auth0|alice", Issuer: "https://id.example", SignIn: strings.Repeat("s", 22)}
	if _, err := client.SignURLFor(t.Context(), key, user, nil, "c"); err != nil {
		t.Fatal(err)
	}
	if err := client.SignOutFor(t.Context(), key, user); err == nil {
		t.Error("an answer that is no 204 was taken for one")
	}
	named := map[string]any{"sub": "auth0|alice", "iss": "https://id.example"}
	want := map[string]any{"user": named, "signIn": user.SignIn}
	if diff := cmp.Diff(want, (*asked)[1]); diff != "" || (*asked)[0]["signIn"] != user.SignIn {
		t.Errorf("%s; asked %v", diff, *asked)
	}
}
