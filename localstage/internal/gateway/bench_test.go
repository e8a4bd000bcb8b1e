package gateway_test

import (
	"fmt"
	"io"
	"net"
	"net/http"
	"runtime"
	"strings"
	"sync/atomic"
	"testing"
)

// BenchmarkPost posts over loopback HTTP to connections that read everything. The clients and posters share the machine
// with the stage.
func BenchmarkPost(b *testing.B) {
	for _, connections := range []int{1, 100, 1000} {
		b.Run(fmt.Sprintf("connections=%d", connections), func(b *testing.B) {
			s := newStage(b, options{})
			for range connections {
				_, r := s.upgraded(b)
				go func() { _, _ = io.Copy(io.Discard, r) }()
			}
			infos := s.Connections()
			transport := &http.Transport{MaxIdleConnsPerHost: 64}
			defer transport.CloseIdleConnections()
			var next, failed atomic.Int64
			b.ReportAllocs()
			b.ResetTimer()
			b.SetParallelism(8)
			b.RunParallel(func(pb *testing.PB) {
				for pb.Next() {
					id := infos[int(next.Add(1))%len(infos)].ConnectionID
					if !postOnce(transport, "http://"+s.host+"/prod/@connections/"+id) {
						failed.Add(1)
					}
				}
			})
			b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "posts/s")
			if failed.Load() > 0 {
				b.Errorf("%d posts failed", failed.Load())
			}
		})
	}
}

func postOnce(transport *http.Transport, url string) bool {
	r, err := http.NewRequest("POST", url,
		strings.NewReader(`{"type":"message","room":"lobby","message":"hello, everybody"}`))
	if err != nil {
		return false
	}
	response, err := transport.RoundTrip(r)
	if err != nil {
		return false
	}
	response.Body.Close()
	return response.StatusCode == http.StatusOK
}

// idleConnections stays below the usual limit of open files, with both ends in one process.
const idleConnections = 4000

// BenchmarkIdleConnections measures the memory of open connections without traffic, the clients' bare sockets (about
// 0.5 KB) included.
func BenchmarkIdleConnections(b *testing.B) {
	for range b.N {
		s := newStage(b, options{})
		measureIdle(b, s.host)
	}
}

// measureIdle opens idleConnections to host and reports the memory of one.
func measureIdle(b *testing.B, host string) {
	b.Helper()
	before := memoryInUse()
	clients := make([]net.Conn, idleConnections)
	for i := range clients {
		clients[i] = dialIdle(b, host)
	}
	used := memoryInUse() - before
	b.ReportMetric(float64(used)/idleConnections, "B/conn")
	b.ReportMetric(float64(runtime.NumGoroutine())/idleConnections, "goroutines/conn")
	for _, c := range clients {
		c.Close()
	}
}

// dialIdle completes a handshake and keeps nothing but the socket.
func dialIdle(tb testing.TB, host string) net.Conn {
	tb.Helper()
	c, err := net.Dial("tcp", host)
	if err != nil {
		tb.Fatal(err)
	}
	if _, err := io.WriteString(c, upgradeHead("/prod")); err != nil {
		tb.Fatal(err)
	}
	var answer [512]byte
	n, err := c.Read(answer[:])
	if err != nil || !strings.HasPrefix(string(answer[:n]), "HTTP/1.1 101") {
		tb.Fatalf("handshake: %q %v", answer[:n], err)
	}
	return c
}

// memoryInUse returns the memory of live objects and stacks, after a collection.
func memoryInUse() int64 {
	runtime.GC()
	runtime.GC() // frees the pooled objects that the first collection kept
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return int64(m.HeapAlloc + m.StackInuse)
}
