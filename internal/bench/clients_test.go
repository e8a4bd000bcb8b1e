package main

import (
	"io"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"signedsocket/internal/localstage/sigv4"
)

// keyring finds the key of the clients.
type keyring struct{ key *sigv4.Key }

func (k keyring) FindKey(id string) (*sigv4.Key, bool) { return k.key, id == k.key.ID() }

// A client that is compared has to do the whole work: what it sends is a post with a good signature.
func TestEveryClientSendsAGoodPost(t *testing.T) {
	t.Parallel()
	secret, err := keys().Retrieve(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	key := sigv4.NewKey(sigv4.Credentials{AccessKeyID: secret.AccessKeyID, SecretAccessKey: secret.SecretAccessKey, SessionToken: secret.SessionToken})
	verifier := sigv4.NewVerifier(sigv4.Config{Region: awsRegion, Keys: keyring{key}})
	for _, c := range clients() {
		t.Run(c.Name, func(t *testing.T) {
			t.Parallel()
			arrived := make(chan string, 1)
			server := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
				body, _ := io.ReadAll(r.Body)
				if _, err := verifier.Verify(sigv4.Input{Request: r, Body: body, Service: sigv4.ServiceExecuteAPI, Now: time.Now()}); err != nil {
					t.Error(err)
				}
				arrived <- r.URL.Path + " " + string(body)
			}))
			t.Cleanup(server.Close)
			post, err := c.open(server.URL + "/prod")
			if err != nil {
				t.Fatal(err)
			}
			if err := post(t.Context(), connectionID(7), []byte("hello")); err != nil {
				t.Fatal(err)
			}
			if got := <-arrived; got != "/prod/@connections/Bench0000000007= hello" {
				t.Errorf("posted %q", got)
			}
		})
	}
}
