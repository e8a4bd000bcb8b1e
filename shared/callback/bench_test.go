package callback

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"
)

// latencyVariable makes the test binary an @connections endpoint that takes so long for a post. The endpoint is a
// process of its own, so that its cost is not counted with the cost of a post for the function.
const latencyVariable = "CALLBACK_BENCHMARK_LATENCY"

func TestMain(m *testing.M) {
	if latency, err := time.ParseDuration(os.Getenv(latencyVariable)); err == nil {
		serve(latency)
		return
	}
	os.Exit(m.Run())
}

// endpoint notes which posts have come, and which connections have no request.
type endpoint struct {
	mu   sync.Mutex
	got  map[string]bool // by connection ID
	idle map[net.Conn]struct{}
}

// serve takes posts, and orders from its standard input. It ends with the input, which ends with the benchmark.
func serve(latency time.Duration) {
	e := &endpoint{got: map[string]bool{}, idle: map[net.Conn]struct{}{}}
	server := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
		if latency > 0 {
			<-time.After(latency)
		}
		e.mu.Lock()
		defer e.mu.Unlock()
		e.got[r.URL.Path] = true
		w.Header().Set("X-Amzn-Requestid", "0b9a2b4e-7c1f-4a86-9d3b-7d0e2f1a5c66")
	}))
	server.Config.ConnState = e.follow
	server.Start()
	fmt.Println(server.URL)
	for orders := bufio.NewScanner(os.Stdin); orders.Scan(); {
		if orders.Text() == "freeze" {
			e.freeze()
		}
		fmt.Println(e.arrived())
	}
}

// follow notes which connections have no request.
func (e *endpoint) follow(c net.Conn, state http.ConnState) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if state == http.StateIdle {
		e.idle[c] = struct{}{}
	} else {
		delete(e.idle, c)
	}
}

// freeze stops the benchmark's process, as Lambda stops a function between two events. Meanwhile it closes every
// connection without a request, as API Gateway does sooner or later.
func (e *endpoint) freeze() {
	_ = syscall.Kill(os.Getppid(), syscall.SIGSTOP)
	defer func() { _ = syscall.Kill(os.Getppid(), syscall.SIGCONT) }()
	e.mu.Lock()
	defer e.mu.Unlock()
	for c := range e.idle {
		_ = c.Close() // the benchmark notices
	}
}

// arrived returns how many different posts have come since the last call.
func (e *endpoint) arrived() int {
	e.mu.Lock()
	defer e.mu.Unlock()
	defer clear(e.got)
	return len(e.got)
}

// runningEndpoint is an endpoint in a process of its own.
type runningEndpoint struct {
	url     string // with the API's stage
	orders  io.Writer
	answers *bufio.Reader
}

func startEndpoint(b *testing.B, latency time.Duration) *runningEndpoint {
	b.Helper()
	server := exec.CommandContext(b.Context(), os.Args[0])
	server.Env = append(os.Environ(), latencyVariable+"="+latency.String())
	input, err := server.StdinPipe()
	if err != nil {
		b.Fatal(err)
	}
	output, err := server.StdoutPipe()
	if err != nil {
		b.Fatal(err)
	}
	if err := server.Start(); err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { _ = input.Close(); _ = server.Wait() })
	e := &runningEndpoint{orders: input, answers: bufio.NewReader(output)}
	e.url = e.answer(b) + "/prod"
	return e
}

// answer returns the next line that the endpoint prints.
func (e *runningEndpoint) answer(b *testing.B) string {
	b.Helper()
	line, err := e.answers.ReadString('\n')
	if err != nil {
		b.Fatal(err)
	}
	return strings.TrimSpace(line)
}

// do has the endpoint carry out an order, and returns how many different posts have come since the last one.
func (e *runningEndpoint) do(b *testing.B, order string) int {
	b.Helper()
	_, _ = fmt.Fprintln(e.orders, order) // no answer comes after an error
	arrived, err := strconv.Atoi(e.answer(b))
	if err != nil {
		b.Fatal(err)
	}
	return arrived
}

// BenchmarkPost compares the ways to post, against an endpoint that answers at once or after 10 ms. The CPU time is
// that of the sender alone:
//
//	go test -run '^$' -bench Post ./shared/callback
func BenchmarkPost(b *testing.B) {
	for _, latency := range []time.Duration{0, 10 * time.Millisecond} {
		endpoint := startEndpoint(b, latency)
		for _, w := range ways() {
			post := w.open(b, endpoint.url)
			b.Run(fmt.Sprintf("%dms/%s", latency.Milliseconds(), w.name), func(b *testing.B) {
				b.ReportAllocs()
				endpoint.do(b, "count")
				before := processorTime(b)
				postAll(b.Context(), post, w.parallel, 0, b.N)
				spent := processorTime(b) - before
				b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "posts/s")
				b.ReportMetric(float64(spent.Microseconds())/float64(b.N), "cpu-µs/post")
				b.ReportMetric(float64(b.N-endpoint.do(b, "count")), "lost")
			})
		}
	}
}

// BenchmarkFreeze posts in rounds. Before each of them the process is frozen, and the endpoint closes its idle
// connections:
//
//	go test -run '^$' -bench Freeze -benchtime 10x ./shared/callback
func BenchmarkFreeze(b *testing.B) {
	const posts = 48 // in a round
	endpoint := startEndpoint(b, 0)
	for _, w := range ways() {
		post := w.open(b, endpoint.url)
		b.Run(w.name, func(b *testing.B) {
			postAll(b.Context(), post, w.parallel, 0, posts) // opens the connections
			endpoint.do(b, "count")
			var slowest time.Duration
			arrived := 0
			for round := range b.N {
				arrived += endpoint.do(b, "freeze")
				started := time.Now()
				postAll(b.Context(), post, w.parallel, round*posts, posts)
				slowest = max(slowest, time.Since(started))
			}
			arrived += endpoint.do(b, "count")
			b.ReportMetric(float64(b.N*posts), "posts")
			b.ReportMetric(float64(b.N*posts-arrived), "lost")
			b.ReportMetric(slowest.Seconds()*1000, "slowest-ms")
		})
	}
}

// postAll posts a frame to so many connections, some at a time. A post that fails is lost, and the endpoint tells.
func postAll(ctx context.Context, post post, parallel, first, posts int) {
	frame := []byte(`{"type":"message","id":"4ZDUDGJTZKAPE2ZSXKQ4TUQMQY","room":"lobby",` +
		`"from":{"sub":"alice","name":"Alice"},"message":"hello","sentAt":1795327200123}`)
	var next atomic.Int64
	var working sync.WaitGroup
	for range parallel {
		working.Go(func() {
			for n := int(next.Add(1)) - 1; n < posts; n = int(next.Add(1)) - 1 {
				_ = post(ctx, numbered(first+n), frame)
			}
		})
	}
	working.Wait()
}

// numbered returns a connection ID, as long as the gateway's.
func numbered(n int) string { return fmt.Sprintf("Bench%010d=", n) }

// processorTime returns what this process has used so far.
func processorTime(b *testing.B) time.Duration {
	b.Helper()
	var usage syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &usage); err != nil {
		b.Fatal(err)
	}
	return time.Duration(usage.Utime.Nano() + usage.Stime.Nano())
}
