// Package gateway is one stage of an API Gateway WebSocket API, as an http.Handler. It accepts or refuses handshakes,
// makes Lambda events of connections and messages, and routes messages. It keeps the limits and timers of the service,
// and serves the stage's @connections management API.
//
// Three rules hold everywhere:
//
//   - A connection is open from just before its 101 leaves until the moment it begins to end. Posts reach it in that
//     time only; before and after they get 410. The gateway writes nothing ahead of the 101.
//   - A slow reader delays no other connection. Every connection has a bounded queue, and a post to a full one gets
//     429.
//   - $disconnect runs once for every connection whose $connect succeeded, after its socket is gone.
//
// The behaviours are those of API Gateway. Comments that begin with "Source:" name the developer guide's page, or say
// "observed" (recorded on AWS by others) or "assumed". localstage/FIDELITY.md lists every divergence.
package gateway

import (
	"cmp"
	"context"
	"fmt"
	"log/slog"
	"net/http"
	"slices"
	"strings"
	"time"
)

// maxURL is the length of the longest accepted address, scheme and host included.
// Source: "Quotas for configuring and running a WebSocket API".
const maxURL = 4096

// These are the keys of the three predefined routes.
// Source: "Create routes for WebSocket APIs".
const (
	routeConnect    = "$connect"
	routeDisconnect = "$disconnect"
	routeDefault    = "$default"
)

// Gateway is one running WebSocket API stage. Make it with New, serve it with
// an http.Server of HTTP/1.1, end it with Close. Its methods may be called
// from many goroutines.
type Gateway struct {
	cfg         Config
	log         *slog.Logger
	routes      map[string]*route
	selector    expression
	injector    *injector
	connections *registry

	// Close cancels ctx, and so every invocation, when its own time is over.
	ctx    context.Context
	cancel context.CancelFunc
}

// New checks cfg and returns its stage. It starts nothing: the stage works as soon as it is served. The error names the
// mistake in cfg.
func New(cfg Config) (*Gateway, error) {
	cfg = cfg.withDefaults()
	if err := cfg.check(); err != nil {
		return nil, fmt.Errorf("configure WebSocket API %q: %w", cfg.APIID, err)
	}
	selector, err := parseExpression(cfg.RouteSelectionExpression)
	if err != nil {
		return nil, fmt.Errorf("configure WebSocket API %q: %w", cfg.APIID, err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	g := &Gateway{
		cfg:         cfg,
		log:         cfg.Log,
		routes:      make(map[string]*route, len(cfg.Routes)),
		selector:    selector,
		injector:    newInjector(cfg.Faults),
		connections: newRegistry(),
		ctx:         ctx,
		cancel:      cancel,
	}
	for _, r := range cfg.Routes {
		g.routes[r.Key] = newRoute(r, cfg.Throttle)
	}
	return g, nil
}

// ServeHTTP answers handshakes at /{stage} and management requests at
// /{stage}/@connections/{connectionId}; everything else is 403.
func (g *Gateway) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if !g.connections.begin() {
		refuseAtTheEnd(w, r)
		return
	}
	defer g.connections.work.Done()
	if urlLength(r) > maxURL {
		urlTooLong.write(w)
		return
	}
	stage, rest, _ := strings.Cut(strings.TrimPrefix(r.URL.EscapedPath(), "/"), "/")
	folder, connectionID, _ := strings.Cut(rest, "/")
	switch {
	case unescapePath(stage) != g.cfg.Stage:
		forbidden.write(w)
	case rest == "":
		// Source: "Use wscat to connect to a WebSocket API" dials /test/, so both forms are the stage.
		g.handshake(w, r)
	case unescapePath(folder) == "@connections" && connectionID != "":
		// Source: "Use @connections commands in your backend service": @ and = may come encoded or not.
		g.manage(w, r, unescapePath(connectionID))
	default:
		// Source: observed, WebSocket APIs have no paths below the stage.
		forbidden.write(w)
	}
}

// refuseAtTheEnd answers for a stage that is closed, or about to be. Functions that still run get 410 for their
// connections: after a 503 they would try again for seconds.
func refuseAtTheEnd(w http.ResponseWriter, r *http.Request) {
	if strings.Contains(r.URL.Path, "/@connections/") {
		gone.write(w)
		return
	}
	stageClosed.write(w)
}

// Close ends every connection with 1001, waits until their $disconnect invocations have returned, and returns nil. From
// its start on new requests get 503, and those to @connections 410. When ctx ends first, Close cancels the remaining
// invocations, cuts the sockets and returns ctx's error once everything has stopped. That takes about two seconds at
// most if the integrations honour their context.
func (g *Gateway) Close(ctx context.Context) error {
	defer g.cancel()
	for _, c := range g.connections.close() {
		c.end(goingAway())
	}
	done := make(chan struct{})
	go func() {
		g.connections.work.Wait()
		close(done)
	}()
	select {
	case <-done:
		return nil
	case <-ctx.Done():
	}
	g.cancel()
	<-done
	return fmt.Errorf("close gateway: %w", context.Cause(ctx))
}

// ConnectionInfo describes an open connection.
type ConnectionInfo struct {
	ConnectionID string
	ConnectedAt  time.Time // when its handshake arrived
	LastActiveAt time.Time // when the last message passed, in either direction
	SourceIP     string
}

// Connections returns the open connections, oldest first.
func (g *Gateway) Connections() []ConnectionInfo {
	var infos []ConnectionInfo
	for _, c := range g.connections.all() {
		infos = append(infos, ConnectionInfo{
			ConnectionID: c.id,
			ConnectedAt:  c.connectedAt,
			LastActiveAt: c.lastActiveAt(),
			SourceIP:     c.identity.SourceIP,
		})
	}
	slices.SortFunc(infos, func(a, b ConnectionInfo) int {
		return cmp.Or(a.ConnectedAt.Compare(b.ConnectedAt), cmp.Compare(a.ConnectionID, b.ConnectionID))
	})
	return infos
}
