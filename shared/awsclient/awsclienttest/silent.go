// Package awsclienttest has an AWS endpoint that goes silent: its connections stay open, but carry no more data.
package awsclienttest

import (
	"crypto/x509"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	awshttp "github.com/aws/aws-sdk-go-v2/aws/transport/http"
	"github.com/aws/aws-sdk-go-v2/credentials"
)

// Endpoint is a TLS server that offers HTTP/2, behind a TCP proxy.
type Endpoint struct {
	URL url.URL // of the proxy

	authorities *x509.CertPool
	address     string // of the server
	opened      atomic.Int32

	mu    sync.Mutex
	links []*link
}

// link is a connection through the proxy.
type link struct {
	client, server net.Conn
	silent         atomic.Bool
}

// New starts an endpoint that ends with the test.
func New(t testing.TB, handler http.Handler) *Endpoint {
	t.Helper()
	server := httptest.NewUnstartedServer(handler)
	server.EnableHTTP2 = true
	server.StartTLS()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	e := &Endpoint{
		URL:         url.URL{Scheme: "https", Host: listener.Addr().String()},
		authorities: x509.NewCertPool(), address: server.Listener.Addr().String(),
	}
	e.authorities.AddCert(server.Certificate())
	var accepting, open sync.WaitGroup
	accepting.Go(func() { e.accept(listener, &open) })
	t.Cleanup(func() {
		_ = listener.Close()
		accepting.Wait()
		e.each((*link).close)
		open.Wait()
		server.Close()
	})
	return e
}

// Config returns the SDK's configuration of a function that trusts the endpoint.
func (e *Endpoint) Config() aws.Config {
	return aws.Config{
		Region: "us-east-1", Credentials: credentials.NewStaticCredentialsProvider("AKIDEXAMPLE", "example", ""),
		HTTPClient: awshttp.NewBuildableClient().WithTransportOptions(func(transport *http.Transport) {
			transport.TLSClientConfig.RootCAs = e.authorities
		}),
	}
}

// Opened returns how many connections there were so far.
func (e *Endpoint) Opened() int { return int(e.opened.Load()) }

// Silence makes the open connections drop all data in both directions. Later connections work.
func (e *Endpoint) Silence() { e.each(func(l *link) { l.silent.Store(true) }) }

func (e *Endpoint) each(do func(*link)) {
	e.mu.Lock()
	defer e.mu.Unlock()
	for _, l := range e.links {
		do(l)
	}
}

func (e *Endpoint) accept(listener net.Listener, open *sync.WaitGroup) {
	for {
		client, err := listener.Accept()
		if err != nil {
			return
		}
		server, err := net.Dial("tcp", e.address)
		if err != nil {
			_ = client.Close()
			continue
		}
		l := &link{client: client, server: server}
		e.opened.Add(1)
		e.mu.Lock()
		e.links = append(e.links, l)
		e.mu.Unlock()
		open.Go(func() { l.carry(client, server) })
		open.Go(func() { l.carry(server, client) })
	}
}

// carry copies data, or drops it.
func (l *link) carry(from, to net.Conn) {
	buffer := make([]byte, 16<<10)
	for {
		n, err := from.Read(buffer)
		if n > 0 && !l.silent.Load() {
			_, _ = to.Write(buffer[:n])
		}
		if err != nil {
			if !l.silent.Load() || err != io.EOF {
				l.close()
			}
			return
		}
	}
}

func (l *link) close() {
	_ = l.client.Close()
	_ = l.server.Close()
}
