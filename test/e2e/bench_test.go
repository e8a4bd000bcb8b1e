package e2e_test

import (
	"fmt"
	"slices"
	"sync"
	"testing"
	"time"

	"signedsocket/internal/stageclient"
	"signedsocket/localstage/stagetest"
)

// BenchmarkMessage measures one message at a time, from the sender through Lambda, DynamoDB and @connections to the
// last recipient:
//
//	go test -run '^$' -bench Message ./test/e2e
func BenchmarkMessage(b *testing.B) {
	for _, recipients := range []int{2, 100, 1000} {
		b.Run(fmt.Sprintf("recipients=%d", recipients), func(b *testing.B) { benchmarkMessage(b, recipients) })
	}
}

func benchmarkMessage(b *testing.B, recipients int) {
	stage := stagetest.Start(b, stagetest.Options{
		Parameters: map[string]string{
			"MessagesPerWindow": "1000", "ConnectionsPerUser": "100",
			// High limits, so that they do not change the measurement.
			"SignUrlRate": "10000", "SignUrlBurst": "5000", "ConnectRate": "500", "ConnectBurst": "5000",
		},
	})
	outputs, err := stageclient.LoadOutputs(stage.OutputsFile())
	if err != nil {
		b.Fatal(err)
	}
	client := &stageclient.Client{Outputs: outputs}
	conns := make([]*stageclient.Conn, recipients)
	for i := range conns {
		conn, _, err := client.Connect(b.Context(), fmt.Sprintf("user-%d", i/50))
		if err != nil {
			b.Fatal(err)
		}
		defer conn.Close()
		conns[i] = conn
	}
	var took []time.Duration
	pace := time.NewTicker(12 * time.Millisecond) // stays below the sender's 100 messages a second
	defer pace.Stop()
	for n := 0; b.Loop(); n++ {
		took = append(took, roundOf(b, conns, n))
		<-pace.C
	}
	slices.Sort(took)
	b.ReportMetric(float64(took[len(took)/2].Microseconds())/1000, "p50-ms")
	b.ReportMetric(float64(took[len(took)*95/100].Microseconds())/1000, "p95-ms")
}

// roundOf sends one message and returns when the last connection has it, sender included.
func roundOf(b *testing.B, conns []*stageclient.Conn, n int) time.Duration {
	id := fmt.Sprintf("n-%d", n)
	var received sync.WaitGroup
	started := time.Now()
	for _, conn := range conns {
		received.Go(func() {
			if _, err := stageclient.Await[stageclient.Message](b.Context(), conn); err != nil {
				b.Error(err)
			}
		})
	}
	if err := conns[0].Send(b.Context(), stageclient.Outgoing{Text: "hello", ID: id}); err != nil {
		b.Fatal(err)
	}
	received.Wait()
	return time.Since(started)
}
