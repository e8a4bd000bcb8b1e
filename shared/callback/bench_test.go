package callback

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"syscall"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	awshttp "github.com/aws/aws-sdk-go-v2/aws/transport/http"
	"github.com/aws/aws-sdk-go-v2/service/apigatewaymanagementapi"
)

// serveVariable makes the test binary an @connections endpoint that takes every post. It is a process of its own, so
// that its cost is not counted as the function's.
const serveVariable = "CALLBACK_BENCHMARK_SERVES"

func TestMain(m *testing.M) {
	if os.Getenv(serveVariable) != "" {
		serve()
		return
	}
	os.Exit(m.Run())
}

// serve answers until its standard input ends, which it does together with the benchmark.
func serve() {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
		w.Header().Set("X-Amzn-Requestid", "0b9a2b4e-7c1f-4a86-9d3b-7d0e2f1a5c66")
	}))
	fmt.Println(server.URL)
	_, _ = io.Copy(io.Discard, os.Stdin)
}

// endpoint starts the process that serves.
func endpoint(b *testing.B) string {
	b.Helper()
	server := exec.CommandContext(b.Context(), os.Args[0])
	server.Env = append(os.Environ(), serveVariable+"=1")
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
	line, err := bufio.NewReader(output).ReadString('\n')
	if err != nil {
		b.Fatal(err)
	}
	return line[:len(line)-1] + "/prod"
}

// BenchmarkPost compares posts, 64 at a time as in a function of 256 MB, with those of the SDK's client as it comes,
// which is the measure (x-sdk), and of the same with a connection for each of them:
//
//	go test -run '^$' -bench Post ./shared/callback
func BenchmarkPost(b *testing.B) {
	const concurrency = 64
	id := connectionID
	frame := []byte(`{"type":"message","id":"4ZDUDGJTZKAPE2ZSXKQ4TUQMQY","room":"lobby",` +
		`"from":{"sub":"alice","name":"Alice"},"message":"hello","sentAt":1795327200123}`)
	url := endpoint(b)
	client, err := New(newConfig(), url, concurrency)
	if err != nil {
		b.Fatal(err)
	}
	input := &apigatewaymanagementapi.PostToConnectionInput{ConnectionId: &id, Data: frame}
	sdk := func(http *awshttp.BuildableClient) func(context.Context) error {
		config := newConfig()
		config.HTTPClient = http
		api := apigatewaymanagementapi.NewFromConfig(config,
			func(o *apigatewaymanagementapi.Options) { o.BaseEndpoint = aws.String(url) })
		return func(ctx context.Context) error { _, err := api.PostToConnection(ctx, input); return err }
	}
	perSecond := make(map[string]float64)
	for _, variant := range []struct {
		name string
		post func(context.Context) error
	}{
		{"sdk", sdk(awshttp.NewBuildableClient())},
		{"pooled", sdk(awshttp.NewBuildableClient().WithTransportOptions(func(t *http.Transport) {
			t.MaxIdleConns, t.MaxIdleConnsPerHost = concurrency, concurrency
		}))},
		{"ours", func(ctx context.Context) error { return client.Post(ctx, id, frame) }},
	} {
		b.Run(variant.name, func(b *testing.B) {
			b.ReportAllocs()
			b.SetParallelism(concurrency / 2) // times the processors
			before := processorTime(b)
			b.RunParallel(func(pb *testing.PB) {
				for pb.Next() {
					if err := variant.post(b.Context()); err != nil {
						b.Error(err)
					}
				}
			})
			spent := processorTime(b) - before
			perSecond[variant.name] = float64(b.N) / spent.Seconds()
			b.ReportMetric(perSecond[variant.name], "posts/cpu-s")
			b.ReportMetric(float64(spent.Microseconds())/float64(b.N), "cpu-µs/post")
			b.ReportMetric(perSecond[variant.name]/perSecond["sdk"], "x-sdk")
		})
	}
}

// processorTime returns the processor time that this process has used so far.
func processorTime(b *testing.B) time.Duration {
	b.Helper()
	var usage syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &usage); err != nil {
		b.Fatal(err)
	}
	return time.Duration(usage.Utime.Nano() + usage.Stime.Nano())
}
