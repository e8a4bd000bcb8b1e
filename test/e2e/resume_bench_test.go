package e2e_test

import (
	"context"
	"fmt"
	"slices"
	"sync/atomic"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"golang.org/x/sync/errgroup"

	"signedsocket/internal/stageclient"
)

// speaker returns a connection that has stored so many messages, the number of the last one, and the credentials that
// opened it.
func speaker(
	b *testing.B, client *stageclient.Client, messages int,
) (*stageclient.Conn, aws.CredentialsProvider, int64) {
	b.Helper()
	credentials, err := client.Credentials(b.Context(), "SignUrlFunction")
	if err != nil {
		b.Fatal(err)
	}
	conn, err := dialBench(b.Context(), client, credentials, "speaker")
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(conn.Abort)
	return conn, credentials, store(b, conn, "first", messages)
}

// store sends messages one after the other, and returns the number of the last one.
func store(b *testing.B, conn *stageclient.Conn, text string, messages int) (last int64) {
	b.Helper()
	for i := range messages {
		out := stageclient.Outgoing{Text: text, ID: fmt.Sprint(text, "-", i), Room: "lobby"}
		if err := conn.Send(b.Context(), out); err != nil {
			b.Fatal(err)
		}
		ack, err := stageclient.Await[stageclient.Ack](b.Context(), conn)
		if err != nil {
			b.Fatal(err)
		}
		last = ack.Seq
	}
	return last
}

// BenchmarkPage asks for the newest fifty messages of a room, over the socket.
func BenchmarkPage(b *testing.B) {
	conn, _, _ := speaker(b, benchmarkClient(b), 100)
	var took []time.Duration
	for b.Loop() {
		began := time.Now()
		if err := conn.History(b.Context(), "", stageclient.WantLast("lobby", 50)); err != nil {
			b.Fatal(err)
		}
		page, err := stageclient.Await[stageclient.History](b.Context(), conn)
		if err != nil || len(page.Entries) != 50 {
			b.Fatal(len(page.Entries), err)
		}
		took = append(took, time.Since(began))
		b.StopTimer()
		<-time.After(550 * time.Millisecond) // a connection may ask twenty times in ten seconds
		b.StartTimer()
	}
	slices.Sort(took)
	b.ReportMetric(float64(took[len(took)/2].Microseconds())/1000, "p50-ms")
	b.ReportMetric(float64(took[len(took)*95/100].Microseconds())/1000, "p95-ms")
}

// BenchmarkResume lets b.N clients come back at once after a cut in which they missed twenty messages each:
//
//	go test -run '^$' -bench Resume -benchtime 1000x ./test/e2e
func BenchmarkResume(b *testing.B) {
	const missed = 20
	client := benchmarkClient(b)
	conn, credentials, position := speaker(b, client, 1)
	store(b, conn, "missed", missed)
	b.ResetTimer()
	began := time.Now()
	var incomplete atomic.Int64
	group, ctx := errgroup.WithContext(b.Context())
	group.SetLimit(256)
	for i := range b.N {
		group.Go(func() error {
			whole, err := resumes(ctx, client, credentials, fmt.Sprintf("bench-%d", i), position, missed)
			if !whole {
				incomplete.Add(1)
			}
			return err
		})
	}
	if err := group.Wait(); err != nil {
		b.Fatal(err)
	}
	b.ReportMetric(time.Since(began).Seconds(), "s-until-all-are-whole")
	b.ReportMetric(float64(incomplete.Load()), "incomplete")
}

// resumes connects a client and reads what it has missed. It reports whether that was everything, in order.
func resumes(
	ctx context.Context, client *stageclient.Client, credentials aws.CredentialsProvider, user string,
	position int64, missed int,
) (whole bool, err error) {
	conn, err := dialBench(ctx, client, credentials, user)
	if err != nil {
		return false, err
	}
	defer conn.Abort()
	if err := conn.History(ctx, "", stageclient.WantAfter("lobby", position)); err != nil {
		return false, err
	}
	page, err := stageclient.Await[stageclient.History](ctx, conn)
	if err != nil {
		return false, err
	}
	for i, entry := range page.Entries {
		if entry.Seq != position+int64(i)+1 {
			return false, nil
		}
	}
	return len(page.Entries) == missed && !page.More, nil
}
