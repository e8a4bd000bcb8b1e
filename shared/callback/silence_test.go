package callback

import (
	"net/http"
	"sync"
	"testing"

	"signedsocket/shared/awsclient/awsclienttest"
)

func TestPostsSurviveASilentEndpoint(t *testing.T) {
	t.Parallel()
	endpoint := awsclienttest.New(t, http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}))
	client, err := New(endpoint.Config(), endpoint.URL.String()+"/prod", 64)
	if err != nil {
		t.Fatal(err)
	}
	post := func() {
		var posts sync.WaitGroup
		for range 8 {
			posts.Go(func() {
				if err := client.Post(t.Context(), connectionID, []byte("hello")); err != nil {
					t.Error(err)
				}
			})
		}
		posts.Wait()
	}
	post()
	endpoint.Silence()
	post()
	if err := client.Close(t.Context(), connectionID); err != nil {
		t.Error(err)
	}
}
