package gateway_test

import (
	"context"
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/coder/websocket"
	"github.com/gobwas/ws"
)

// BenchmarkIdleLibraries measures the memory of an idle connection in a server that only reads, with each of the two
// libraries in its cheapest way: the handler has returned. Decision 0002 rests on it.
func BenchmarkIdleLibraries(b *testing.B) {
	servers := map[string]http.HandlerFunc{
		"coder": func(w http.ResponseWriter, r *http.Request) {
			c, err := websocket.Accept(w, r, nil)
			if err != nil {
				return
			}
			go func() {
				defer c.CloseNow()
				_, _, _ = c.Read(context.Background())
			}()
		},
		"gobwas": func(w http.ResponseWriter, r *http.Request) {
			c, _, _, err := ws.UpgradeHTTP(r, w)
			if err != nil {
				return
			}
			go func() {
				defer c.Close()
				_, _ = ws.ReadHeader(c)
			}()
		},
	}
	for name, handler := range servers {
		b.Run(name, func(b *testing.B) {
			for range b.N {
				server := httptest.NewServer(handler)
				b.Cleanup(server.Close)
				measureIdle(b, server.Listener.Addr().String())
			}
		})
	}
}
