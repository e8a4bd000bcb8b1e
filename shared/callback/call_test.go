package callback

import (
	"errors"
	"io"
	"net/http"
	"sync"
	"testing"

	smithyhttp "github.com/aws/smithy-go/transport/http"
)

// While a function is frozen, the endpoint closes connections, and the function does not notice before it uses them. No
// post may be lost by that, and none may wait for a retry's pause.
func TestAFreezeCostsNoPost(t *testing.T) {
	t.Parallel()
	const posts = 16
	var received sync.Map
	client, server, _ := newClient(t, posts, func(_ http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		received.Store(string(body), true)
	})
	for round := range 5 {
		var running sync.WaitGroup
		for i := range posts {
			running.Go(func() {
				frame := string(rune('a'+round)) + string(rune('a'+i))
				if err := client.Post(t.Context(), connectionID, []byte(frame)); err != nil {
					t.Errorf("round %d: %v", round, err)
				}
				if _, ok := received.Load(frame); !ok {
					t.Errorf("round %d: frame %s was not received", round, frame)
				}
			})
		}
		running.Wait()
		server.CloseClientConnections()
	}
}

func TestAFailedPostKeepsTheSDKsErrorForItsRetryer(t *testing.T) {
	t.Parallel()
	client, _, _ := newClient(t, 1, func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusGone) })
	err := client.Post(t.Context(), connectionID, []byte("x"))
	if failed, ok := errors.AsType[*smithyhttp.ResponseError](err); !ok || failed.HTTPStatusCode() != http.StatusGone {
		t.Errorf("%v has no *smithyhttp.ResponseError with the status in its chain", err)
	}
}

func TestNewRefusesABadAddress(t *testing.T) {
	t.Parallel()
	good, _, _ := newClient(t, 1, func(http.ResponseWriter, *http.Request) {})
	if good == nil {
		t.Fatal("no client")
	}
	for _, endpoint := range []string{"", "prod", "https://", ":"} {
		if _, err := New(newConfig(), endpoint, 1); err == nil {
			t.Errorf("%q was accepted", endpoint)
		}
	}
}
