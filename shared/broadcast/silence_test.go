package broadcast_test

import (
	"bytes"
	"fmt"
	"net/http"
	"testing"
	"time"

	"signedsocket/shared/awsclient/awsclienttest"
	"signedsocket/shared/broadcast"
	"signedsocket/shared/callback"
	"signedsocket/shared/connections"
	"signedsocket/shared/logging"
)

// A broadcast whose posts begin on silent connections still reaches all recipients.
func TestABroadcastSurvivesASilentEndpoint(t *testing.T) {
	t.Parallel()
	endpoint := awsclienttest.New(t, http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}))
	client, err := callback.New(endpoint.Config(), endpoint.URL.String()+"/prod", 64)
	if err != nil {
		t.Fatal(err)
	}
	// The broadcaster's clock is slow, so that a busy machine has the time to open new connections.
	began := time.Now()
	slow := func() time.Time { return began.Add(time.Since(began) / 20) }
	b := &broadcast.Broadcaster{Log: logging.New(new(bytes.Buffer)), Callback: client, Now: slow, Concurrency: 64}
	room := make([]connections.Member, 10)
	for i := range room {
		room[i] = connections.Member{ConnectionID: fmt.Sprintf("m%d=", i), ConnectedAt: time.Now().Add(-time.Hour)}
	}
	deliver := func() broadcast.Result {
		result, err := b.Deliver(t.Context(), broadcast.Origin{}, []byte("frame"),
			func(yield func([]connections.Member, error) bool) { yield(room, nil) })
		if err != nil {
			t.Fatal(err)
		}
		return result
	}
	if got := deliver(); got.Delivered != len(room) {
		t.Fatalf("before the silence: %+v", got)
	}
	endpoint.Silence()
	if got := deliver(); got.Delivered != len(room) || got.Retried == 0 {
		t.Errorf("after the silence: %+v", got)
	}
}
