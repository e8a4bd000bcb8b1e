package broadcast

import (
	"context"
	"io"
	"net/http"
	"net/http/httptest"
	"runtime"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"

	"signedsocket/shared/callback"
	"signedsocket/shared/connections"
)

// BenchmarkMemory measures the memory of a broadcast while the last recipient gets the frame, in KB. Everything
// but the room itself, of which a recipient is about a hundred bytes, is as large for five thousand recipients as for
// five hundred. One reading of a heap is no bound for a test: it depends on when the collector ran.
func BenchmarkMemory(b *testing.B) {
	for _, recipients := range []int{500, 5000} {
		b.Run(strconv.Itoa(recipients), func(b *testing.B) {
			var total int64
			for range b.N {
				total += memoryOf(b, recipients)
			}
			b.ReportMetric(float64(total)/float64(b.N)/1024, "KB")
			b.ReportMetric(0, "ns/op")
		})
	}
}

// memoryOf returns the memory of a broadcast to so many, through a real client, while the last of them get it.
func memoryOf(b testing.TB, recipients int) int64 {
	b.Helper()
	var arrived atomic.Int32
	last, measured := make(chan struct{}), make(chan struct{})
	server := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
		if strings.HasSuffix(r.URL.Path, "/m"+strconv.Itoa(recipients-1)) {
			close(last)
			<-measured
		}
		arrived.Add(1)
	}))
	defer server.Close()
	client, err := callback.New(aws.Config{Region: "us-east-1",
		Credentials: aws.CredentialsProviderFunc(func(context.Context) (aws.Credentials, error) {
			return aws.Credentials{AccessKeyID: "AKIDEXAMPLE", SecretAccessKey: "example"}, nil
		})}, server.URL, 64)
	if err != nil {
		b.Fatal(err)
	}
	broadcaster := &Broadcaster{Callback: client, Now: time.Now, Concurrency: 64}
	result := make(chan Result)
	go func() {
		done, err := broadcaster.Deliver(b.Context(), Origin{}, []byte("frame"),
			func(yield func([]connections.Member, error) bool) {
				for from := 0; from < recipients; from += 250 {
					page := make([]connections.Member, 250)
					for i := range page {
						page[i] = connections.Member{ConnectionID: "m" + strconv.Itoa(from+i), ConnectedAt: time.Now()}
					}
					yield(page, nil)
				}
			})
		if err != nil {
			b.Error(err)
		}
		result <- done
	}()
	<-last
	var memory runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&memory)
	close(measured)
	if done := <-result; done.Delivered != recipients || int(arrived.Load()) != recipients {
		b.Errorf("%d of %d arrived: %+v", arrived.Load(), recipients, done)
	}
	return int64(memory.HeapAlloc + memory.StackInuse)
}
