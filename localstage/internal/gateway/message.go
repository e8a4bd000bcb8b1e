package gateway

import (
	"bytes"
	"errors"
	"log/slog"
	"net/http"
	"sync"
	"time"

	"signedsocket/localstage/internal/awsrest"
)

// message is one message of a client on its way to an integration.
type message struct {
	id        string // messageId
	requestID string
	at        time.Time
	body      []byte
}

// receive takes a message from the wire and starts its handling.
func (c *connection) receive(text []byte) {
	g := c.gateway
	c.touch()
	if g.injector.occurs(g.injector.DropTCP) {
		_ = c.socket.Close() // the reader notices
		return
	}
	now := g.cfg.Now()
	m := message{id: awsrest.NewID(now), requestID: awsrest.NewID(now), at: now, body: text}
	switch g.cfg.Ordering {
	case Serial:
		c.turns.add(func() { c.handle(m) })
	case Shuffled:
		g.connections.work.Go(func() {
			g.injector.shuffle(g.ctx)
			c.handle(m)
		})
	default:
		g.connections.work.Go(func() { c.handle(m) })
	}
}

// handle routes a message, invokes the integration, and sends the gateway's own answers. The connection stays open in
// every case.
func (c *connection) handle(m message) {
	g := c.gateway
	r := g.selectRoute(m.body)
	if r == nil {
		// Source: observed.
		c.report("Forbidden", m.requestID)
		return
	}
	if !r.limiter.AllowN(g.cfg.Clock.Now(), 1) {
		// Source: assumed; no throttled message has been recorded.
		c.report("Too Many Requests", m.requestID)
		return
	}
	response, err := g.invokeMessage(r, g.messageEvent(&c.peer, r.Key, m))
	if err != nil {
		g.log.Warn("message integration failed", slog.String("routeKey", r.Key),
			slog.String("connectionId", c.id), slog.Any("error", err))
		// Source: observed, for every kind of failure, also on one-way routes.
		c.report("Internal server error", m.requestID)
		return
	}
	if response.status >= http.StatusInternalServerError {
		g.log.Warn("message integration answered an error", slog.String("routeKey", r.Key),
			slog.String("connectionId", c.id), slog.Int("statusCode", response.status))
	}
	if r.TwoWay && response.body != "" {
		// Source: "Set up a route response for a WebSocket API". That the status makes no
		// difference is assumed; the reports disagree.
		c.tell(response.body)
	}
}

// selectRoute returns the route of a message: the one whose key equals the selected text, else $default, else nil.
// Source: "Create routes for WebSocket APIs"; that $connect and $disconnect
// cannot be selected is assumed.
func (g *Gateway) selectRoute(body []byte) *route {
	key, ok := g.selector.evaluate(body)
	if r := g.routes[key]; ok && r != nil && key != routeConnect && key != routeDisconnect {
		return r
	}
	return g.routes[routeDefault]
}

// invokeMessage runs a message's integration. A result of null counts as an empty answer.
// Source: observed for malformed responses; the tolerance of null is assumed.
func (g *Gateway) invokeMessage(r *route, e event) (proxyResponse, error) {
	answer, err := g.invoke(r, e)
	if err != nil {
		return proxyResponse{}, err
	}
	if answer = bytes.TrimSpace(answer); len(answer) == 0 || string(answer) == "null" {
		return proxyResponse{}, nil
	}
	return decodeProxyResponse(answer)
}

// report sends one of the gateway's own frames, in the service's literal spacing. Neither identifier needs escaping.
// Source: observed.
func (c *connection) report(text, requestID string) {
	c.tell(`{"message": "` + text + `", "connectionId":"` + c.id + `", "requestId":"` + requestID + `"}`)
}

// tell sends text, unless the client is gone or does not read.
func (c *connection) tell(text string) {
	if err := c.send(newTextFrame(text)); errors.Is(err, errFull) {
		c.gateway.log.Warn("frame dropped: the client reads too slowly", slog.String("connectionId", c.id))
	}
}

// turns runs functions one after the other, in the order of add, on a goroutine that exists while functions wait.
type turns struct {
	work *sync.WaitGroup

	mu      sync.Mutex
	running bool
	waiting []func()
}

func (t *turns) add(f func()) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.waiting = append(t.waiting, f)
	if !t.running {
		t.running = true
		t.work.Go(t.run)
	}
}

func (t *turns) run() {
	for {
		t.mu.Lock()
		if len(t.waiting) == 0 {
			t.running = false
			t.mu.Unlock()
			return
		}
		next := t.waiting[0]
		t.waiting = t.waiting[1:]
		t.mu.Unlock()
		next()
	}
}
