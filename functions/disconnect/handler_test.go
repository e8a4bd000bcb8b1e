package main

import (
	"bytes"
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-lambda-go/events"

	"signedsocket/shared/function"
	"signedsocket/shared/logging"
)

// fakeStore holds ids of connections.
type fakeStore struct {
	known map[string]bool
	err   error
	calls int
}

func (f *fakeStore) Remove(_ context.Context, connectionID string, connectedAt time.Time) (bool, error) {
	f.calls++
	if f.err != nil || !connectedAt.IsZero() || !f.known[connectionID] {
		return false, f.err
	}
	delete(f.known, connectionID)
	return true, nil
}

func event(routeKey string) events.APIGatewayWebsocketProxyRequest {
	return events.APIGatewayWebsocketProxyRequest{RequestContext: events.APIGatewayWebsocketProxyRequestContext{
		RouteKey: routeKey, EventType: "DISCONNECT", ConnectionID: "c1=", ConnectedAt: 1, DisconnectStatusCode: 1001,
	}}
}

func TestDisconnectRemovesTheConnection(t *testing.T) {
	t.Parallel()
	var log bytes.Buffer
	store := &fakeStore{known: map[string]bool{"c1=": true, "c2=": true}}
	h := &handler{log: logging.New(&log), connections: store}
	for range 2 { // twice is fine, and so is an unknown connection
		if response, err := h.handle(t.Context(), event("$disconnect")); err != nil || response.StatusCode != 200 {
			t.Errorf("handle = %+v, %v", response, err)
		}
	}
	if len(store.known) != 1 || !store.known["c2="] {
		t.Errorf("known after it: %v", store.known)
	}
	for _, want := range []string{
		`"connectionId":"c1=","removed":true,"code":1001`,
		`"connectionId":"c1=","removed":false`,
	} {
		if !strings.Contains(log.String(), want) {
			t.Errorf("log %s lacks %s", &log, want)
		}
	}
}

func TestDisconnectReportsAFault(t *testing.T) {
	t.Parallel()
	var log bytes.Buffer
	broken := errors.New("table gone")
	h := &handler{log: logging.New(&log), connections: &fakeStore{err: broken}}
	if _, err := h.handle(t.Context(), event("$disconnect")); !errors.Is(err, broken) ||
		!strings.Contains(log.String(), "table gone") {
		t.Errorf("err = %v, log %s", err, &log)
	}
}

func TestDisconnectServesNoOtherRoute(t *testing.T) {
	t.Parallel()
	store := &fakeStore{known: map[string]bool{"c1=": true}}
	h := &handler{log: logging.New(&bytes.Buffer{}), connections: store}
	if _, err := h.handle(t.Context(), event("sendmessage")); err == nil || store.calls != 0 {
		t.Errorf("err = %v after %d calls", err, store.calls)
	}
}

func TestTableNameIsNeeded(t *testing.T) {
	t.Parallel()
	if _, err := function.Read[config](map[string]string{"TABLE_NAME": ""}); err == nil ||
		!strings.Contains(err.Error(), "TABLE_NAME") {
		t.Errorf("err = %v", err)
	}
}
