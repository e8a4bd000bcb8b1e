package gateway_test

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/coder/websocket"
	"go.uber.org/goleak"

	"signedsocket/localstage/internal/gateway"
)

// patience is the time for which a test waits for an immediate event.
const patience = 10 * time.Second

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// integration is a function behind a route. It keeps its events.
type integration struct {
	answer func(ctx context.Context, event []byte) ([]byte, error)
	events chan []byte
}

func newIntegration(answer string) *integration {
	return respond(func(context.Context, []byte) ([]byte, error) { return []byte(answer), nil })
}

func respond(answer func(ctx context.Context, event []byte) ([]byte, error)) *integration {
	return &integration{answer: answer, events: make(chan []byte, 1<<16)}
}

// held accepts every event and answers once release is closed.
func held() (function *integration, release chan struct{}) {
	release = make(chan struct{})
	return respond(func(context.Context, []byte) ([]byte, error) {
		<-release
		return []byte(`{"statusCode":200}`), nil
	}), release
}

func (i *integration) Invoke(ctx context.Context, event []byte) ([]byte, error) {
	i.events <- event
	return i.answer(ctx, event)
}

// next returns the next event.
func (i *integration) next(t *testing.T) proxyEvent {
	t.Helper()
	select {
	case raw := <-i.events:
		var e proxyEvent
		if err := json.Unmarshal(raw, &e); err != nil {
			t.Fatalf("event is not JSON: %v", err)
		}
		e.raw = raw
		return e
	case <-time.After(patience):
		t.Fatal("the integration was not invoked")
		panic("unreachable")
	}
}

// proxyEvent is the part of an event that tests look at.
type proxyEvent struct {
	raw               []byte
	Headers           map[string]string
	MultiValueHeaders map[string][]string
	Body              *string
	RequestContext    struct {
		RouteKey             string
		EventType            string
		ConnectionID         string
		RequestID            string
		MessageID            string
		DisconnectStatusCode *int
		DisconnectReason     *string
	}
}

// authorizer allows one signer everything, unless told otherwise.
type authorizer struct {
	refuse       func(r *http.Request, access gateway.Access) gateway.Refusal
	organization string

	mu   sync.Mutex
	seen []gateway.Access
}

func (a *authorizer) Authorize(r *http.Request, _ []byte, access gateway.Access) (gateway.Identity, gateway.Refusal) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.seen = append(a.seen, access)
	if a.refuse != nil {
		if refusal := a.refuse(r, access); refusal != nil {
			return gateway.Identity{}, refusal
		}
	}
	return gateway.Identity{
		UserARN:   "arn:aws:sts::111122223333:assumed-role/ROLE/SESSION",
		AccountID: "111122223333",
		Caller:    "AROAEXAMPLE:SESSION",
		AccessKey: "ASIAEXAMPLE",
		User:      "AROAEXAMPLE:SESSION",

		PrincipalOrgID: a.organization,
	}, nil
}

// accesses returns all accesses that the authorizer has judged.
func (a *authorizer) accesses() []gateway.Access {
	a.mu.Lock()
	defer a.mu.Unlock()
	return append([]gateway.Access(nil), a.seen...)
}

type textRefusal struct {
	status int
	body   string
}

func (r textRefusal) WriteTo(w http.ResponseWriter) { http.Error(w, r.body, r.status) }

// stage is a served gateway with the fakes behind it.
type stage struct {
	*gateway.Gateway
	host                         string
	auth                         *authorizer
	connect, disconnect, message *integration
}

// options changes what newStage builds.
type options struct {
	cfg                          gateway.Config
	connectAuth                  string
	connect, disconnect, message *integration
	routes                       func(routes []gateway.Route) []gateway.Route
	auth                         *authorizer
	plainListener                bool
}

// newStage serves a stage, "prod" unless named, with the routes $connect, $disconnect and
// $default, and closes it when the test ends.
func newStage(t testing.TB, o options) *stage {
	t.Helper()
	s := &stage{auth: o.auth, connect: o.connect, disconnect: o.disconnect, message: o.message}
	for _, i := range []**integration{&s.connect, &s.disconnect, &s.message} {
		if *i == nil {
			*i = newIntegration(`{"statusCode":200}`)
		}
	}
	if s.auth == nil {
		s.auth = &authorizer{}
	}
	cfg := o.cfg
	cfg.APIID, cfg.Stage, cfg.Region, cfg.AccountID = "abcd123", cmp.Or(cfg.Stage, "prod"), "us-east-1", "111122223333"
	cfg.Authorizer = s.auth
	cfg.Routes = []gateway.Route{
		{Key: "$connect", AuthorizationType: o.connectAuth, Integration: s.connect},
		{Key: "$disconnect", Integration: s.disconnect},
		{Key: "$default", Integration: s.message},
	}
	if o.routes != nil {
		cfg.Routes = o.routes(cfg.Routes)
	}
	g, err := gateway.New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	s.Gateway = g
	s.serve(t, o.plainListener)
	return s
}

func (s *stage) serve(t testing.TB, plain bool) {
	t.Helper()
	server := httptest.NewUnstartedServer(s.Gateway)
	if !plain {
		server.Listener = gateway.RecordHeads(server.Listener)
		server.Config.ConnContext = gateway.ConnContext
	}
	server.Start()
	s.host = server.Listener.Addr().String()
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), patience)
		defer cancel()
		if err := s.Close(ctx); err != nil {
			t.Errorf("close stage: %v", err)
		}
		server.Close()
	})
}

// dial connects a client, and cuts it off when the test ends.
func (s *stage) dial(t testing.TB) *websocket.Conn {
	t.Helper()
	c, _ := s.dialWith(t, "/prod", nil)
	return c
}

func (s *stage) dialWith(t testing.TB, target string, o *websocket.DialOptions) (*websocket.Conn, *http.Response) {
	t.Helper()
	c, response, err := websocket.Dial(t.Context(), "ws://"+s.host+target, o)
	if err != nil {
		t.Fatalf("dial: %v", err)
	}
	c.SetReadLimit(1 << 20)
	t.Cleanup(func() { c.CloseNow() })
	return c, response
}

// connected dials and returns the connection's id, too.
func (s *stage) connected(t *testing.T) (*websocket.Conn, string) {
	t.Helper()
	c := s.dial(t)
	return c, s.connect.next(t).RequestContext.ConnectionID
}

// manage sends one request to @connections, with the id as it stands.
func (s *stage) manage(t testing.TB, method, id, body string) *http.Response {
	t.Helper()
	return s.request(t, method, "/prod/@connections/"+id, body)
}

func (s *stage) request(t testing.TB, method, target, body string) *http.Response {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), method, "http://"+s.host+target, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	transport := &http.Transport{DisableKeepAlives: true}
	response, err := transport.RoundTrip(r)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { response.Body.Close() })
	return response
}

// post posts and requires the status.
func (s *stage) post(t testing.TB, id, body string, want int) {
	t.Helper()
	if got := s.manage(t, http.MethodPost, id, body).StatusCode; got != want {
		t.Errorf("post answered %d, want %d", got, want)
	}
}

// disconnected returns the code and reason of the next $disconnect.
func (s *stage) disconnected(t *testing.T) (int, string) {
	t.Helper()
	e := s.disconnect.next(t)
	return *e.RequestContext.DisconnectStatusCode, *e.RequestContext.DisconnectReason
}

func readText(t *testing.T, c *websocket.Conn) string {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	kind, text, err := c.Read(ctx)
	if err != nil {
		t.Fatalf("read: %v", err)
	}
	if kind != websocket.MessageText {
		t.Fatalf("frame is %v, want text", kind)
	}
	return string(text)
}

func writeText(t testing.TB, c *websocket.Conn, text string) {
	t.Helper()
	if err := c.Write(t.Context(), websocket.MessageText, []byte(text)); err != nil {
		t.Fatalf("write: %v", err)
	}
}

// wantClose reads until the client's connection is closed, which must be in order.
func wantClose(t *testing.T, c *websocket.Conn, code websocket.StatusCode, reason string) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	_, _, err := c.Read(ctx)
	var closed websocket.CloseError
	if !errors.As(err, &closed) {
		t.Fatalf("read ended with %v, want a close frame", err)
	}
	if closed.Code != code || closed.Reason != reason {
		t.Errorf("closed with %d %q, want %d %q", closed.Code, closed.Reason, code, reason)
	}
}

func bodyOf(t testing.TB, r *http.Response) string {
	t.Helper()
	body, err := io.ReadAll(r.Body)
	if err != nil {
		t.Fatal(err)
	}
	return string(body)
}

// dialTCP opens a bare connection to the stage and writes a text.
func (s *stage) dialTCP(t testing.TB, text string) *net.TCPConn {
	t.Helper()
	c, err := net.Dial("tcp", s.host)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	if err := c.SetDeadline(time.Now().Add(patience)); err != nil {
		t.Fatal(err)
	}
	if _, err := io.WriteString(c, text); err != nil {
		t.Fatal(err)
	}
	return c.(*net.TCPConn)
}
