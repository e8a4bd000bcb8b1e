package roomlog

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"signedsocket/shared/dynamo/dynamotest"
)

// benchmarkLog returns a log in a table of the local stage's engine, over HTTP, and the number of its last message.
func benchmarkLog(b *testing.B, messages int) (*Log, int64) {
	b.Helper()
	client := dynamotest.Client(http.DefaultTransport)
	l := New(client, dynamotest.CreateTable(b, client, "pk", "sk"), 7)
	last := int64(0)
	for i := range messages {
		last = appendText(b, l, i, last)
	}
	return l, last
}

// appendText appends a message of a hundred bytes of a client that is up to date.
func appendText(b *testing.B, l *Log, i int, last int64) int64 {
	stored, _, err := l.Append(b.Context(), l.Look(b.Context(), lobby, last), Entry{
		ID: fmt.Sprintf("%026d", i), Subject: "a7c81f5e-2b2d-4a36-9f43-000000000000", Name: "Alice",
		Text: strings.Repeat("x", 100), At: time.Now(),
	})
	if err != nil {
		b.Fatal(err)
	}
	return stored.Seq
}

// BenchmarkAppend stores one message after the other in one room. The time without the read, which sendmessage makes
// while it counts the message, is the metric append-ms.
func BenchmarkAppend(b *testing.B) {
	l, last := benchmarkLog(b, 20)
	looking := time.Duration(0)
	for i := 20; b.Loop(); i++ {
		began := time.Now()
		look := l.Look(b.Context(), lobby, last)
		looking += time.Since(began)
		stored, _, err := l.Append(b.Context(), look, Entry{
			ID: fmt.Sprintf("%026d", i), Subject: "alice", Name: "Alice", Text: strings.Repeat("x", 100),
			At: time.Now(),
		})
		if err != nil {
			b.Fatal(err)
		}
		last = stored.Seq
	}
	appending := b.Elapsed() - looking
	b.ReportMetric(float64(appending.Microseconds())/1000/float64(b.N), "append-ms")
	b.ReportMetric(float64(looking.Microseconds())/1000/float64(b.N), "look-ms")
}

// BenchmarkPage reads the newest fifty messages of a room, and fifty older ones, in logs of two lengths.
func BenchmarkPage(b *testing.B) {
	for _, messages := range []int{100, 100_000} {
		l, last := benchmarkLog(b, messages)
		b.Run(fmt.Sprintf("newest/messages=%d", messages), func(b *testing.B) {
			for b.Loop() {
				if page, err := l.Last(b.Context(), lobby, 50); err != nil || len(page.Entries) != 50 {
					b.Fatal(len(page.Entries), err)
				}
			}
		})
		b.Run(fmt.Sprintf("older/messages=%d", messages), func(b *testing.B) {
			for b.Loop() {
				before := last - int64(messages)/2
				if page, err := l.Before(b.Context(), lobby, before, 50); err != nil || len(page.Entries) < 49 {
					b.Fatal(len(page.Entries), err)
				}
			}
		})
	}
}
