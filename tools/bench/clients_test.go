package main

import (
	"io"
	"net/http"
	"net/http/httptest"
	"testing"

	"signedsocket/localstage/stagetest"
)

// A client that is compared has to do the whole work: what it sends is a post with a good signature.
func TestEveryClientSendsAGoodPost(t *testing.T) {
	t.Parallel()
	secret, err := keys().Retrieve(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range clients() {
		t.Run(c.Name, func(t *testing.T) {
			t.Parallel()
			arrived := make(chan string, 1)
			server := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
				body, _ := io.ReadAll(r.Body)
				if err := stagetest.VerifyPost(r, body, secret); err != nil {
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
