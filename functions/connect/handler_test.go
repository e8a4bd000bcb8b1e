package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-lambda-go/events"
	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"signedsocket/shared/connections"
	"signedsocket/shared/grant"
	"signedsocket/shared/logging"
)

// The values that the test's page, and a client with its own secret, put into a handshake.
const (
	page      = "https://abcd.execute-api.us-east-1.amazonaws.com"
	verifier  = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk"
	challenge = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM" // its SHA-256; both are the example of RFC 7636
)

var epoch = time.Date(2026, 11, 22, 6, 0, 0, 0, time.UTC)

// fakeStore admits each ticket once.
type fakeStore struct {
	admitted []connections.Admission
	ended    connections.Admitted
	swept    []string
	err      error
	deadline time.Time
}

func (f *fakeStore) Connect(ctx context.Context, a connections.Admission, _ time.Time) (connections.Admitted, error) {
	f.deadline, _ = ctx.Deadline()
	if f.err != nil {
		return connections.Admitted{}, f.err
	}
	for _, earlier := range f.admitted {
		if earlier.Ticket == a.Ticket {
			return connections.Admitted{}, fmt.Errorf("admit connection: %w", connections.ErrTicketUsed)
		}
	}
	f.admitted = append(f.admitted, a)
	return f.ended, nil
}

// RemoveSweep records the sweep.
func (f *fakeStore) RemoveSweep(_ context.Context, sweep connections.Sweep) error {
	f.swept = append(f.swept, sweep.ConnectionID)
	return nil
}

// fakeCloser closes all connections except those in their handshake.
type fakeCloser struct {
	young  string
	closed []connections.Sweep
}

func (f *fakeCloser) CloseAtOnce(
	ctx context.Context, ended []connections.Sweep, done func(context.Context, connections.Sweep) error,
) {
	for _, sweep := range ended {
		f.closed = append(f.closed, sweep)
		if sweep.ConnectionID != f.young {
			_ = done(ctx, sweep)
		}
	}
}

func newTestHandler(t *testing.T, store store) (*handler, *bytes.Buffer) {
	t.Helper()
	signers, _, err := newSigners(account, caller, nil)
	if err != nil {
		t.Fatal(err)
	}
	origins, err := newOrigins(page, "https://other.example:8443")
	if err != nil {
		t.Fatal(err)
	}
	log := new(bytes.Buffer)
	return &handler{
		log: logging.New(log), signers: signers, origins: origins, possession: grant.PossessionRequired,
		connections: store, now: func() time.Time { return epoch },
	}, log
}

func granted() grant.Grant {
	return grant.Grant{
		Subject: "alice", Name: "Alice", Rooms: []string{"lobby"}, IssuedAt: epoch,
		ExpiresAt:     epoch.Add(10 * time.Second),
		SessionEndsAt: epoch.Add(2 * time.Hour), AuthenticatedAt: epoch.Add(-time.Minute),
		Ticket: "AAECAwQFBgcICQoLDA0ODw", Challenge: challenge,
	}
}

// connectEvent returns the event of a handshake that is in order, as API Gateway sends it.
func connectEvent(t testing.TB) events.APIGatewayWebsocketProxyRequest {
	t.Helper()
	query := granted().Values()
	query["X-Amz-Signature"] = []string{"6274cda040cab0a8d797f67f82286919729ecfe81ff85efcf66ad954b19cb3ca"}
	query["X-Amz-Security-Token"] = []string{"IQoJb3JpZ2luX2VjEJr"}
	return events.APIGatewayWebsocketProxyRequest{
		MultiValueHeaders: map[string][]string{
			"Host": {"abcd123.execute-api.us-east-1.amazonaws.com"}, "Origin": {page},
			"Sec-WebSocket-Protocol": {"chat.v1, pop." + verifier},
		},
		MultiValueQueryStringParameters: query,
		RequestContext: events.APIGatewayWebsocketProxyRequestContext{
			RouteKey: "$connect", EventType: "CONNECT", ConnectionID: "RhDBXdXgIAMCIFQ=", ConnectedAt: 1795327200123,
			Identity: signed(),
		},
	}
}

func TestConnectAdmitsTheUserOfTheGrant(t *testing.T) {
	t.Parallel()
	store := &fakeStore{}
	h, log := newTestHandler(t, store)
	response, err := h.handle(t.Context(), connectEvent(t))
	want200 := events.APIGatewayProxyResponse{
		StatusCode: 200, Headers: map[string]string{"Sec-WebSocket-Protocol": "chat.v1"},
	}
	if err != nil || !cmp.Equal(response, want200) {
		t.Fatalf("handle = %+v, %v\n%s", response, err, log)
	}
	g := granted()
	want := []connections.Admission{{
		ConnectionID: "RhDBXdXgIAMCIFQ=", ConnectedAt: time.UnixMilli(1795327200123), Subject: "alice", Name: "Alice",
		Rooms:         []string{"lobby"},
		SessionEndsAt: g.SessionEndsAt, AuthenticatedAt: g.AuthenticatedAt, Ticket: g.Ticket,
		TicketExpiresAt: g.ExpiresAt, Protocol: 1,
	}}
	if diff := cmp.Diff(want, store.admitted); diff != "" {
		t.Errorf("admitted (-want +got):\n%s", diff)
	}
	for _, secret := range []string{g.Ticket, "6274cda0", "IQoJb3JpZ2lu", "alice", verifier, challenge} {
		if strings.Contains(log.String(), secret) {
			t.Errorf("%s is in the log:\n%s", secret, log)
		}
	}
}

func TestConnectAdmitsWithTheRightsOfTheGrant(t *testing.T) {
	t.Parallel()
	for name, want := range map[string]grant.Grant{
		"an ordinary user": {Rooms: []string{"lobby", "news"}},
		"a moderator":      {Rooms: []string{"lobby", "news"}, Moderator: true},
		"a reader of news": {Rooms: []string{"lobby", "news"}, ReadOnly: []string{"news"}},
	} {
		store := &fakeStore{}
		h, _ := newTestHandler(t, store)
		g := granted()
		g.Rooms, g.Moderator, g.ReadOnly = want.Rooms, want.Moderator, want.ReadOnly
		e := connectEvent(t)
		e.MultiValueQueryStringParameters = g.Values()
		response, err := h.handle(t.Context(), e)
		if err != nil || response.StatusCode != 200 || len(store.admitted) != 1 {
			t.Fatalf("%s: handle = %+v, %v", name, response, err)
		}
		if got := store.admitted[0]; got.Moderator != want.Moderator || !cmp.Equal(got.ReadOnly, want.ReadOnly) {
			t.Errorf("%s: admitted %+v", name, got)
		}
	}
}

func TestConnectRefuses(t *testing.T) {
	t.Parallel()
	type event = events.APIGatewayWebsocketProxyRequest
	set := func(name string, values ...string) func(*event) {
		return func(e *event) { e.MultiValueQueryStringParameters[name] = values }
	}
	without := func(name string) func(*event) {
		return func(e *event) { delete(e.MultiValueQueryStringParameters, name) }
	}
	header := func(name string, values ...string) func(*event) {
		return func(e *event) { e.MultiValueHeaders[name] = values }
	}
	tests := []struct {
		name   string
		change func(*event)
		reason string
	}{
		{"another route", func(e *event) { e.RequestContext.RouteKey = "sendmessage" }, "wrong_route"},
		{"another event", func(e *event) { e.RequestContext.EventType = "MESSAGE" }, "wrong_route"},
		{"a route without authorization",
			func(e *event) { e.RequestContext.Identity = events.APIGatewayRequestIdentity{SourceIP: "203.0.113.7"} },
			"no_identity"},
		{"another signer", func(e *event) { e.RequestContext.Identity.Caller = "AROAOTHER:x" }, "unknown_signer"},
		{"a signature over nothing of ours", func(e *event) { e.MultiValueQueryStringParameters = nil }, "missing_v"},
		{"only the single-value map", func(e *event) {
			e.QueryStringParameters = map[string]string{"v": "1"}
			e.MultiValueQueryStringParameters = nil
		}, "missing_v"},
		{"an unknown parameter", set("admin", "1"), "unknown_parameter"},
		{"a parameter twice", set("sub", "alice", "bob"), "repeated_sub"},
		{"a malformed parameter", set("rm", "Lobby"), "malformed_rm"},
		{"a malformed moderator", set("md", "true"), "malformed_md"},
		{"a moderator twice", set("md", "1", "1"), "repeated_md"},
		{"a room to read that is not granted", set("ro", "news"), "malformed_ro"},
		{"an old grant", func(e *event) {
			set("iat", "1795327100")(e)
			set("exp", "1795327110")(e)
		}, "expired"},
		{"a grant of tomorrow", func(e *event) {
			set("iat", "1795413600")(e)
			set("exp", "1795413610")(e)
		}, "not_yet_valid"},
		{"a grant for a day", set("exp", "1795413600"), "wrong_lifetime"},
		{"a session that is over", set("sx", "1795327200"), "session_over"},
		{"a page of another site", header("Origin", "https://evil.example"), "wrong_origin"},
		{"no page", header("Origin"), "missing_origin"},
		{"a grant without challenge", without("cc"), "missing_cc"},
		{"no proof", header("Sec-WebSocket-Protocol", "chat.v1"), "missing_proof"},
		{"another client's proof", header("Sec-WebSocket-Protocol", "chat.v1, pop."+strings.Repeat("A", 43)),
			"wrong_proof"},
		{"a wrong origin and an old grant: the grant is older", func(e *event) {
			header("Origin", "https://evil.example")(e)
			set("iat", "1795327100")(e)
			set("exp", "1795327110")(e)
		}, "expired"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			store := &fakeStore{}
			h, log := newTestHandler(t, store)
			e := connectEvent(t)
			test.change(&e)
			checkRefusal(t, h, e, test.reason, log)
			if len(store.admitted) != 0 {
				t.Errorf("admitted %+v", store.admitted)
			}
		})
	}
}

// checkRefusal wants an answer that tells the client nothing and the log why.
func checkRefusal(
	t *testing.T, h *handler, e events.APIGatewayWebsocketProxyRequest, reason string, log *bytes.Buffer,
) {
	t.Helper()
	response, err := h.handle(t.Context(), e)
	if want := (events.APIGatewayProxyResponse{StatusCode: 403}); err != nil || !cmp.Equal(response, want) {
		t.Errorf("handle = %+v, %v; want %+v", response, err, want)
	}
	if want := `"reason":"` + reason + `"`; !strings.Contains(log.String(), want) {
		t.Errorf("log lacks %s:\n%s", want, log)
	}
}

func TestConnectRefusesAsTheTableDoes(t *testing.T) {
	t.Parallel()
	for err, reason := range map[error]string{
		connections.ErrTicketUsed: "ticket_used", connections.ErrRevoked: "revoked", connections.ErrBanned: "banned",
		connections.ErrGuestsFull: "guests_full",
	} {
		t.Run(reason, func(t *testing.T) {
			t.Parallel()
			h, log := newTestHandler(t, &fakeStore{err: fmt.Errorf("admit connection: %w", err)})
			checkRefusal(t, h, connectEvent(t), reason, log)
		})
	}
}

func TestSecondUseOfAURLIsRefused(t *testing.T) {
	t.Parallel()
	h, log := newTestHandler(t, &fakeStore{})
	if response, err := h.handle(t.Context(), connectEvent(t)); err != nil || response.StatusCode != 200 {
		t.Fatalf("handle = %+v, %v", response, err)
	}
	checkRefusal(t, h, connectEvent(t), "ticket_used", log)
}

func TestRefusedProofDoesNotSpendTheURL(t *testing.T) {
	t.Parallel()
	h, log := newTestHandler(t, &fakeStore{})
	thief := connectEvent(t)
	thief.MultiValueHeaders["Sec-WebSocket-Protocol"] = []string{"chat.v1"}
	checkRefusal(t, h, thief, "missing_proof", log)
	if response, err := h.handle(t.Context(), connectEvent(t)); err != nil || response.StatusCode != 200 {
		t.Errorf("its owner afterwards: %+v, %v", response, err)
	}
}

func TestPanicIs503(t *testing.T) {
	t.Parallel()
	h, log := newTestHandler(t, nil) // a nil store panics
	response, err := h.handle(t.Context(), connectEvent(t))
	if want := (events.APIGatewayProxyResponse{StatusCode: 503}); err != nil || !cmp.Equal(response, want) {
		t.Errorf("handle = %+v, %v; want %+v", response, err, want)
	}
	if !strings.Contains(log.String(), `"panic":"runtime.`) {
		t.Errorf("log %s", log)
	}
}

func TestFailingTableIs503(t *testing.T) {
	t.Parallel()
	h, log := newTestHandler(t, &fakeStore{err: errors.New("no route to table")})
	response, err := h.handle(t.Context(), connectEvent(t))
	if want := (events.APIGatewayProxyResponse{StatusCode: 503}); err != nil || !cmp.Equal(response, want) {
		t.Errorf("handle = %+v, %v; want %+v", response, err, want)
	}
	if !strings.Contains(log.String(), `"level":"ERROR"`) || !strings.Contains(log.String(), "no route to table") {
		t.Errorf("log %s", log)
	}
}

func TestTimeIsKeptForTheAnswer(t *testing.T) {
	t.Parallel()
	deadline := time.Now().Add(time.Hour)
	ctx, cancel := context.WithDeadline(t.Context(), deadline)
	defer cancel()
	store := &fakeStore{}
	h, _ := newTestHandler(t, store)
	if _, err := h.handle(ctx, connectEvent(t)); err != nil || !store.deadline.Equal(deadline.Add(-answerMargin)) {
		t.Errorf("the table had until %s, the invocation has until %s, %v", store.deadline, deadline, err)
	}
}

func TestOnlyOurSubprotocolIsNamed(t *testing.T) {
	t.Parallel()
	const header = "Sec-WebSocket-Protocol"
	tests := []struct {
		name    string
		headers map[string][]string
		want    string
		version int
	}{
		{"none offered", map[string][]string{}, "", 1},
		{"ours", map[string][]string{header: {"chat.v1"}}, "chat.v1", 1},
		{"another letter case of the header", map[string][]string{"sec-websocket-protocol": {"chat.v1"}}, "chat.v1", 1},
		{"ours and a secret", map[string][]string{header: {"chat.v1, pop.secret"}}, "chat.v1", 1},
		{"ours last, without space", map[string][]string{header: {"pop.secret,chat.v1"}}, "chat.v1", 1},
		{"two header lines", map[string][]string{header: {"pop.secret", "chat.v1"}}, "chat.v1", 1},
		{"both of ours", map[string][]string{header: {"chat.v2, chat.v1, pop.secret"}}, "chat.v2", 2},
		{"both, the older first", map[string][]string{header: {"chat.v1, chat.v2"}}, "chat.v2", 2},
		{"only the newer", map[string][]string{header: {"chat.v2"}}, "chat.v2", 2},
		{"only others", map[string][]string{header: {"chat.v3, pop.secret, CHAT.V1, CHAT.V2"}}, "", 1},
		{"ours in another header", map[string][]string{"X-Sec-WebSocket-Protocol": {"chat.v1"}}, "", 1},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			store := &fakeStore{}
			h, _ := newTestHandler(t, store)
			h.possession = grant.PossessionOptional
			e := connectEvent(t)
			delete(e.MultiValueQueryStringParameters, "cc")
			var want map[string]string
			if test.want != "" {
				want = map[string]string{header: test.want}
			}
			e.MultiValueHeaders = test.headers
			e.MultiValueHeaders["Origin"] = []string{page}
			response, err := h.handle(t.Context(), e)
			if err != nil || response.StatusCode != 200 || !cmp.Equal(response.Headers, want) ||
				response.MultiValueHeaders != nil {
				t.Errorf("handle = %+v, %v; want headers %v", response, err, want)
			}
			if len(store.admitted) != 1 || store.admitted[0].Protocol != test.version {
				t.Errorf("admitted %+v, want protocol %d", store.admitted, test.version)
			}
		})
	}
}

// FuzzConnectEvent holds that no event whatever is answered with anything else than 200 and 403, and that only a
// complete grant admits a user.
func FuzzConnectEvent(f *testing.F) {
	seed, err := json.Marshal(connectEvent(f))
	if err != nil {
		f.Fatal(err)
	}
	f.Add(seed)
	f.Add([]byte(`{"requestContext":{"routeKey":"$connect","eventType":"CONNECT"}}`))
	f.Add([]byte(`{"multiValueQueryStringParameters":{"v":["1"],"sub":null},` +
		`"multiValueHeaders":{"Sec-WebSocket-Protocol":[]}}`))
	f.Fuzz(func(t *testing.T, data []byte) {
		var e events.APIGatewayWebsocketProxyRequest
		if json.Unmarshal(data, &e) != nil {
			return
		}
		store := &fakeStore{}
		h, _ := newTestHandler(t, store)
		response, err := h.handle(t.Context(), e)
		if err != nil || (response.StatusCode == 200) != (len(store.admitted) == 1) ||
			response.StatusCode != 200 && response.StatusCode != 403 {
			t.Errorf("handle = %+v, %v with %d admitted", response, err, len(store.admitted))
		}
		if _, err := grant.Parse(e.MultiValueQueryStringParameters); response.StatusCode == 200 && err != nil {
			t.Errorf("admitted without a grant: %v", err)
		}
		if err := h.origins.check(e); response.StatusCode == 200 && err != nil {
			t.Errorf("admitted from nowhere: %v", err)
		}
	})
}

func TestConnectionsThatGaveWayAreClosedAtOnce(t *testing.T) {
	t.Parallel()
	store := &fakeStore{ended: connections.Admitted{Replaced: 1, Removed: []connections.Sweep{
		{ConnectionID: "old=", Reason: connections.Evicted}, {ConnectionID: "young=", Reason: connections.Evicted},
		{ConnectionID: "mine=", Reason: connections.Replaced},
	}}}
	h, log := newTestHandler(t, store)
	closer := &fakeCloser{young: "young="}
	h.closer = closer
	if response, err := h.handle(t.Context(), connectEvent(t)); err != nil || response.StatusCode != 200 {
		t.Fatalf("handle = %+v, %v", response, err)
	}
	if !cmp.Equal(closer.closed, store.ended.Removed, cmpopts.IgnoreUnexported(connections.Sweep{})) ||
		!cmp.Equal(store.swept, []string{"old=", "mine="}) {
		t.Errorf("closed %v, swept %v; want the sweep of the young one to stay", closer.closed, store.swept)
	}
	for _, want := range []string{
		`"message":"audit","action":"evict","by":"connections_per_user"`,
		`"message":"audit","action":"replace","by":"client_instance"`, `"connections":2`,
	} {
		if !strings.Contains(log.String(), want) {
			t.Errorf("log:\n%s\nwant %s", log, want)
		}
	}
}

func TestTheGrantsClientAndSignInAreHandedOn(t *testing.T) {
	t.Parallel()
	store := &fakeStore{}
	h, _ := newTestHandler(t, store)
	event := connectEvent(t)
	event.MultiValueQueryStringParameters["ci"] = []string{"AAECAwQFBgcICQoLDA0ODw"}
	event.MultiValueQueryStringParameters["si"] = []string{"BAECAwQFBgcICQoLDA0ODw"}
	if response, err := h.handle(t.Context(), event); err != nil || response.StatusCode != 200 {
		t.Fatalf("handle = %+v, %v", response, err)
	}
	if got := store.admitted[0]; got.ClientInstance != "AAECAwQFBgcICQoLDA0ODw" ||
		got.SignIn != "BAECAwQFBgcICQoLDA0ODw" {
		t.Errorf("admitted %+v", got)
	}
}

// TestGrantsOfBothVersionsAreTheSame: while a stack is updated, the signurl of one version signs for the connect of the
// other. The query is the one that the version before signed for granted; that version refused all other parameters.
func TestGrantsOfBothVersionsAreTheSame(t *testing.T) {
	t.Parallel()
	before := map[string][]string{
		"v": {"1"}, "sub": {"alice"}, "nm": {"QWxpY2U"}, "rm": {"lobby"}, "iat": {"1795327200"}, "exp": {"1795327210"},
		"sx":  {"1795334400"},
		"ait": {"1795327140"}, "jti": {"AAECAwQFBgcICQoLDA0ODw"}, "cc": {challenge},
	}
	if diff := cmp.Diff(before, map[string][]string(granted().Values())); diff != "" {
		t.Errorf("a grant without new members, for a connect of the version before (-want +got):\n%s", diff)
	}
	store := &fakeStore{}
	h, log := newTestHandler(t, store)
	event := connectEvent(t)
	event.MultiValueQueryStringParameters = before
	if response, err := h.handle(t.Context(), event); err != nil || response.StatusCode != 200 ||
		len(store.admitted) != 1 {
		t.Errorf("a grant of a signurl of the version before: %+v, %v\n%s", response, err, log)
	}
}
