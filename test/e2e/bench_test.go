package e2e_test

import (
	"context"
	"fmt"
	"maps"
	"os"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"golang.org/x/sync/errgroup"

	"signedsocket/internal/stageclient"
	"signedsocket/localstage/stagetest"
)

// BenchmarkBroadcast measures one message at a time, from the sender's frame through Lambda, DynamoDB and @connections
// to the last member of the room, the sender included:
//
//	go test -run '^$' -bench 'Broadcast/recipients=100$' -benchtime 200x ./test/e2e
//
// It plays the local stage that SIGNEDSOCKET_OUTPUTS names, or one of its own. While a room is measured, all its
// connections are open, and until the next room is.
func BenchmarkBroadcast(b *testing.B) {
	a := &audience{client: benchmarkClient(b), answers: make(chan stageclient.Frame, 8)}
	b.Cleanup(a.close)
	for _, recipients := range []int{1, 10, 100, 1000, 5000} {
		b.Run(fmt.Sprintf("recipients=%d", recipients), func(b *testing.B) { a.measure(b, recipients) })
	}
}

// BenchmarkHeld opens connections and leaves them alone. It ends when the stage has got rid of what opening them left
// behind. tools/bench compares the stage's memory then with that before:
//
//	go test -run '^$' -bench Held -benchtime 10000x ./test/e2e
func BenchmarkHeld(b *testing.B) {
	a := &audience{client: benchmarkClient(b), answers: make(chan stageclient.Frame, 8)}
	b.Cleanup(a.close)
	b.Run("idle", func(b *testing.B) {
		a.fill(b, b.N)
		b.StopTimer()
		<-time.After(time.Duration(b.N) * time.Second / 2000)
	})
}

// BenchmarkHistory measures what history adds to a message. It sends the same messages in turn on two stages, with
// history and without. The second stage is one of its own, or that of SIGNEDSOCKET_OUTPUTS_WITHOUT_HISTORY.
func BenchmarkHistory(b *testing.B) {
	stages := [2]*audience{}
	for i, variable := range []string{stageclient.OutputsVariable, stageclient.OutputsVariable + "_WITHOUT_HISTORY"} {
		client := stageFor(b, variable, map[string]string{"HistoryDays": []string{"7", "0"}[i]})
		stages[i] = &audience{client: client, answers: make(chan stageclient.Frame, 8)}
		b.Cleanup(stages[i].close)
	}
	for _, recipients := range []int{1, 100} {
		b.Run(fmt.Sprintf("recipients=%d", recipients), func(b *testing.B) { compare(b, stages, recipients) })
	}
}

// compare sends each message on both stages, the first one with history.
func compare(b *testing.B, stages [2]*audience, recipients int) {
	const warmUp, pace = 5, 11 * time.Millisecond
	for _, a := range stages {
		a.fill(b, recipients+1)
	}
	ticker := time.NewTicker(pace)
	defer ticker.Stop()
	var took [2][]time.Duration
	lost := 0
	once := func(n int) {
		for i, a := range stages {
			at, missed := a.send(b, fmt.Sprintf("%d-of-%d", n, recipients))
			took[i], lost = append(took[i], at), lost+missed
			<-ticker.C
		}
	}
	for n := range warmUp {
		once(-n - 1)
	}
	took = [2][]time.Duration{}
	for n := 0; b.Loop(); n++ {
		once(n)
	}
	milliseconds := func(i, percentile int) float64 {
		slices.Sort(took[i])
		return float64(took[i][len(took[i])*percentile/100].Microseconds()) / 1000
	}
	b.ReportMetric(milliseconds(0, 50), "p50-ms")
	b.ReportMetric(milliseconds(0, 95), "p95-ms")
	b.ReportMetric(milliseconds(1, 50), "without-p50-ms")
	b.ReportMetric(milliseconds(1, 95), "without-p95-ms")
	b.ReportMetric(float64(lost), "lost")
}

// benchmarkClient returns a client of a stage whose limits are not what is measured.
func benchmarkClient(b *testing.B) *stageclient.Client {
	return stageFor(b, stageclient.OutputsVariable, nil)
}

// stageFor returns a client of the stage whose outputs an environment variable names, or of one of the benchmark's own
// with the given parameters.
func stageFor(b *testing.B, variable string, parameters map[string]string) *stageclient.Client {
	b.Helper()
	path := os.Getenv(variable)
	if path == "" {
		all := map[string]string{
			"MessagesPerWindow": "1000", "ConnectionsPerUser": "100", "ConnectRate": "500", "ConnectBurst": "5000",
		}
		maps.Copy(all, parameters)
		path = stagetest.Start(b, stagetest.Options{Parameters: all}).OutputsFile()
	}
	outputs, err := stageclient.LoadOutputs(path)
	if err != nil {
		b.Fatal(err)
	}
	return &stageclient.Client{Outputs: outputs}
}

// audience is a room full of connections. The first one sends.
type audience struct {
	client    *stageclient.Client
	conns     []*stageclient.Conn
	listening sync.WaitGroup
	current   atomic.Pointer[round]
	answers   chan stageclient.Frame // to the sender
	position  atomic.Int64           // number of the newest message that the sender has got, or 0
}

// round is a message under way.
type round struct {
	text     string
	missing  atomic.Int64 // connections that have not got it
	complete chan time.Time
}

// measure sends messages to so many recipients beside the sender, one after the other.
func (a *audience) measure(b *testing.B, recipients int) {
	const (
		warmUp = 5                     // messages that do not count
		pace   = 11 * time.Millisecond // between two messages: the sender may send 100 a second
	)
	a.fill(b, recipients+1)
	ticker := time.NewTicker(pace)
	defer ticker.Stop()
	for n := range warmUp {
		a.send(b, fmt.Sprintf("warm-up-%d-of-%d", n, recipients))
		<-ticker.C
	}
	var took []time.Duration
	lost := 0
	for b.Loop() {
		once, missed := a.send(b, fmt.Sprintf("%d-of-%d", len(took), recipients))
		took, lost = append(took, once), lost+missed
		<-ticker.C
	}
	slices.Sort(took)
	b.ReportMetric(float64(took[len(took)/2].Microseconds())/1000, "p50-ms")
	b.ReportMetric(float64(took[len(took)*95/100].Microseconds())/1000, "p95-ms")
	b.ReportMetric(float64(lost), "lost")
}

// fill opens connections until there are so many, some at the same time, a hundred for a user.
func (a *audience) fill(b *testing.B, size int) {
	b.Helper()
	credentials, err := a.client.Credentials(b.Context(), "SignUrlFunction")
	if err != nil {
		b.Fatal(err)
	}
	have := len(a.conns)
	a.conns = append(a.conns, make([]*stageclient.Conn, max(0, size-have))...)
	group, ctx := errgroup.WithContext(b.Context())
	group.SetLimit(16)
	for i := have; i < size; i++ {
		group.Go(func() (err error) {
			a.conns[i], err = dialBench(ctx, a.client, credentials, fmt.Sprintf("bench-%d", i/100))
			return err
		})
	}
	if err := group.Wait(); err != nil {
		b.Fatal(err)
	}
	for i := have; i < size; i++ {
		a.listening.Go(func() { a.listen(context.WithoutCancel(b.Context()), i) })
	}
}

// dialBench opens a connection of a user without asking signurl.
func dialBench(
	ctx context.Context, client *stageclient.Client, credentials aws.CredentialsProvider, name string,
) (*stageclient.Conn, error) {
	proof := stageclient.NewProof()
	user := stageclient.User{Sub: name, Name: name}
	grant := stageclient.NewGrant(user, []string{"lobby"}, proof.Challenge, time.Now())
	signed, err := client.SignLocally(ctx, credentials, grant)
	if err != nil {
		return nil, err
	}
	return client.Dial(ctx, signed,
		stageclient.DialOptions{Verifier: proof.Verifier, Protocols: stageclient.WithHistory()})
}

// listen counts what a connection gets, until it ends.
func (a *audience) listen(ctx context.Context, i int) {
	last := ""
	for {
		frame, err := a.conns[i].Next(ctx)
		if err != nil {
			return
		}
		message, ok := frame.(stageclient.Message)
		if !ok && i == 0 {
			a.answers <- frame
		}
		if !ok || message.Text == last {
			continue
		}
		last = message.Text
		if i == 0 {
			a.position.Store(message.Seq)
		}
		if now := a.current.Load(); now != nil && message.Text == now.text && now.missing.Add(-1) == 0 {
			now.complete <- time.Now()
		}
	}
}

// send sends a message and waits until all connections have it and the sender has its answer.
func (a *audience) send(b *testing.B, text string) (took time.Duration, lost int) {
	b.Helper()
	ctx, cancel := context.WithTimeout(b.Context(), 20*time.Second)
	defer cancel()
	now := &round{text: text, complete: make(chan time.Time, 1)}
	now.missing.Store(int64(len(a.conns)))
	a.current.Store(now)
	started := time.Now()
	out := stageclient.Outgoing{Text: text, ID: text, Room: "lobby"}
	if position := a.position.Load(); position > 0 {
		out.After = &position
	}
	if err := a.conns[0].Send(ctx, out); err != nil {
		b.Fatal(err)
	}
	for answered := false; took == 0 || !answered; {
		select {
		case at := <-now.complete:
			took = at.Sub(started)
		case frame := <-a.answers:
			if _, acknowledged := frame.(stageclient.Ack); !acknowledged {
				b.Fatalf("the message was answered with %#v", frame)
			}
			answered = true
		case <-ctx.Done():
			return time.Since(started), int(now.missing.Load())
		}
	}
	return took, 0
}

// close ends every connection.
func (a *audience) close() {
	var closing sync.WaitGroup
	for _, conn := range a.conns {
		if conn != nil {
			closing.Go(conn.Abort)
		}
	}
	closing.Wait()
	a.listening.Wait()
}
