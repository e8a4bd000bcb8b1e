package gateway

import (
	"bytes"
	"io"
	"log/slog"
	"net"
	"net/http"
	"strings"

	"signedsocket/localstage/internal/awsrest"
)

// handshake takes a request from the check of its form to an open connection. The order of the checks is assumed.
// Source: "The $connect and $disconnect routes" for the pending upgrade and for
// authorization before the invocation.
func (g *Gateway) handshake(w http.ResponseWriter, r *http.Request) {
	if bad := checkUpgrade(r); bad != nil {
		bad.write(w)
		return
	}
	fields, ok := requestFields(r)
	if !ok {
		badRequest.write(w)
		return
	}
	p := g.newPeer(r)
	var subprotocols []string
	if connect := g.routes[routeConnect]; connect != nil {
		signer, refused := g.authorizeConnect(connect, r)
		if refused != nil {
			g.log.Warn("handshake refused by authorization", slog.String("sourceIp", p.identity.SourceIP),
				reason(refused))
			refused.WriteTo(w)
			return
		}
		if !connect.limiter.AllowN(g.cfg.Clock.Now(), 1) {
			tooManyRequests.write(w)
			return
		}
		headers := connectHeaders(fields, p, connect.signed(), p.connectedAt)
		granted, failed := g.invokeConnect(connect, g.connectEvent(p, signer, headers, queryParameters(r.URL.RawQuery)))
		if failed != nil {
			g.log.Info("handshake refused by $connect", slog.String("connectionId", p.id),
				slog.Int("status", failed.status))
			failed.write(w)
			return
		}
		subprotocols = granted
	}
	g.injector.hold(g.ctx)
	g.upgrade(w, r, p, subprotocols)
}

// authorizeConnect asks the Authorizer if the route is under IAM authorization.
// Source: "Control access to a WebSocket API with IAM authorization".
func (g *Gateway) authorizeConnect(connect *route, r *http.Request) (Identity, Refusal) {
	if !connect.signed() {
		return Identity{}, nil
	}
	resource := g.arn(routeConnect)
	return g.cfg.Authorizer.Authorize(r, nil, Access{
		Action:        "execute-api:Invoke",
		Resource:      resource,
		ResourceShown: resource,
	})
}

// reason returns the log attribute of a refusal. A refusal without a log value is not printed, because it may hold data
// of the client.
func reason(r Refusal) slog.Attr {
	if v, ok := r.(slog.LogValuer); ok {
		return slog.Any("refusal", v)
	}
	return slog.Attr{}
}

// arn returns the ARN of a resource below the stage.
func (g *Gateway) arn(path string) string {
	c := &g.cfg
	return "arn:aws:execute-api:" + c.Region + ":" + c.AccountID + ":" + c.APIID + "/" + c.Stage + "/" + path
}

// newPeer gives the client of r an identifier and keeps the facts that later events need. The domain name is the host
// that the client dialled.
func (g *Gateway) newPeer(r *http.Request) *peer {
	now := g.cfg.Now()
	ip, _, err := net.SplitHostPort(r.RemoteAddr)
	if err != nil {
		ip = r.RemoteAddr
	}
	return &peer{
		id:          awsrest.NewID(now),
		connectedAt: now,
		domainName:  strings.Clone(r.Host),
		identity:    eventIdentity{SourceIP: ip, UserAgent: strings.Clone(r.UserAgent())},
	}
}

// upgrade takes the TCP connection over from net/http and opens the connection. The buffers of net/http are free for
// collection once upgrade returns.
func (g *Gateway) upgrade(w http.ResponseWriter, r *http.Request, p *peer, subprotocols []string) {
	socket, buffered, err := http.NewResponseController(w).Hijack()
	if err != nil {
		g.log.Error("take over connection", slog.Any("error", err))
		badGateway.write(w)
		g.invokeDisconnect(p, ending{code: closeAbnormal})
		return
	}
	early, _ := buffered.Reader.Peek(buffered.Reader.Buffered()) // cannot fail: it is there
	socket = bare(socket)
	input := io.Reader(socket)
	if len(early) > 0 {
		input = io.MultiReader(bytes.NewReader(bytes.Clone(early)), socket)
	}
	head := switchingProtocols(r.Header.Get("Sec-WebSocket-Key"), subprotocols, p.connectedAt)
	g.open(*p, socket, input, head)
}

// open makes p's connection postable, then sends head, its 101, before anything else, and serves the connection. So
// posts reach every client that has seen its 101.
func (g *Gateway) open(p peer, socket net.Conn, input io.Reader, head []byte) {
	c := newConnection(g, p, socket, head)
	opened := c.enter()
	work := &g.connections.work
	work.Go(c.out.release)
	work.Go(func() { c.serve(input) })
	g.log.Info("connection opened", slog.String("connectionId", p.id))
	if !opened { // the stage has been closed during $connect
		c.end(goingAway())
	}
}
