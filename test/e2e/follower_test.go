package e2e_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"testing"
	"time"

	"signedsocket/internal/load"
	"signedsocket/internal/stageclient"
	"signedsocket/localstage"
	"signedsocket/localstage/stagetest"
)

// Frames get lost, and the clients read the messages in the log.
func TestLoadFindsEveryMessageInTheHistory(t *testing.T) {
	t.Parallel()
	_, client := startStage(t, stagetest.Options{
		Parameters: map[string]string{"HistoryDays": "7"}, Faults: localstage.Faults{LosePosts: 0.03, Seed: 1},
	})
	report := putLoad(t, client, load.Plan{Clients: 6, ConnectRate: 100, Rate: 10, Duration: 3 * time.Second,
		Drain: time.Minute, Size: 100, Seed: 1})
	if missed := report.Missed(load.Goals{}); len(missed) != 0 || report.Deliveries.Arrived != 30*6 {
		t.Errorf("missed %q\n%s", missed, report.Text())
	}
	if h := report.History; h == nil || h.Entries != 30 {
		t.Errorf("history %+v, want 30 entries", h)
	}
}

// followFor reads a connection until a follower has told n messages and is up to date, and returns their texts.
func followFor(t *testing.T, f *stageclient.Follower, conn *stageclient.Conn, n int) (texts []string) {
	t.Helper()
	ctx, cancel := context.WithCancel(within(t))
	defer cancel()
	err := f.Follow(ctx, conn, func(_ time.Time, _ stageclient.Frame, events []stageclient.Event) {
		for _, event := range events {
			switch e := event.(type) {
			case stageclient.Told:
				texts = append(texts, e.Entry.Text)
			case stageclient.Missing:
				texts = append(texts, fmt.Sprint("missing behind ", e.After))
			}
		}
		if len(texts) >= n && f.Live("lobby") {
			cancel()
		}
	})
	if !errors.Is(err, context.Canceled) {
		t.Errorf("told %q, then %v", texts, err)
	}
	return texts
}

func TestAFollowerIsToldWhatWasSaidWhileItWasAway(t *testing.T) {
	t.Parallel()
	_, client := startStage(t, stagetest.Options{Parameters: map[string]string{"HistoryDays": "7"}})
	alice := connect(t, client, "alice")
	say := func(texts ...string) {
		for _, text := range texts {
			send(t, alice, text, text)
			await[stageclient.Ack](t, alice)
		}
	}
	say("before-1", "before-2", "before-3")
	f := stageclient.NewFollower([]string{"lobby"}, 2, 0)
	follow := func(n int) []string {
		conn, _, err := client.ConnectWithHistory(within(t), "bob")
		if err != nil {
			t.Fatal(err)
		}
		defer conn.Abort()
		f.Connected(time.Now(), conn.Subprotocol() == stageclient.ProtocolWithHistory)
		return followFor(t, f, conn, n)
	}
	if got, want := follow(2), []string{"before-2", "before-3"}; !slices.Equal(got, want) {
		t.Errorf("told %q first, want %q", got, want)
	}
	say("away-1", "away-2")
	if got, want := follow(2), []string{"away-1", "away-2"}; !slices.Equal(got, want) {
		t.Errorf("told %q on the second connection, want %q", got, want)
	}
}

func TestAFollowerLearnsOfDeletionsAndOfWhatWasRead(t *testing.T) {
	t.Parallel()
	_, client := startStage(t, stagetest.Options{Parameters: map[string]string{"HistoryDays": "7"}})
	withHistory := func(user string) *stageclient.Conn {
		conn, _, err := client.ConnectWithHistory(within(t), user)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(conn.Abort)
		return conn
	}
	alice := withHistory("alice")
	_, first := sayAll(t, alice, 3, 5)
	bob := withHistory("bob")
	follower := stageclient.NewFollower([]string{"lobby"}, 5, 0)
	var told []stageclient.Entry
	var read int64
	follow := func(conn *stageclient.Conn, n int) {
		t.Helper()
		ctx, cancel := context.WithCancel(within(t))
		defer cancel()
		err := follower.Follow(ctx, conn, func(_ time.Time, _ stageclient.Frame, events []stageclient.Event) {
			for _, event := range events {
				switch e := event.(type) {
				case stageclient.Told:
					told = append(told, e.Entry)
				case stageclient.CaughtUp:
					read = e.Read
				}
			}
			if len(told) >= n && follower.Live("lobby") {
				cancel()
			}
		})
		if !errors.Is(err, context.Canceled) {
			t.Fatalf("told %+v, then %v", told, err)
		}
	}
	follower.Connected(time.Now(), true)
	follow(bob, 3)
	note, err := alice.Delete(within(t), "lobby", first+1)
	if err != nil || note.Seq != first+3 || note.Recipients == 0 {
		t.Fatalf("deleted: %+v, %v", note, err)
	}
	if again, err := alice.Delete(within(t), "lobby", first+1); err != nil || again.ID != note.ID {
		t.Errorf("deleted again: %+v, %v", again, err)
	}
	follow(bob, 4)
	if live := told[3]; live.Seq != note.Seq || live.Of != first+1 || live.From != whoIs(t, client, "alice") {
		t.Errorf("bob is told %+v", live)
	}
	if _, err := bob.Delete(within(t), "lobby", first); !isRefused(err, "not_yours") {
		t.Errorf("bob deletes a message of alice: %v", err)
	}
	if _, err := bob.Delete(within(t), "lobby", first+3); !isRefused(err, "not_found") {
		t.Errorf("bob deletes a note: %v", err)
	}
	if err := bob.Ask(within(t), stageclient.Question{Read: map[string]int64{"lobby": first + 2}}); err != nil {
		t.Fatal(err)
	}
	if synced := await[stageclient.Synced](t, bob); synced.Read["lobby"] != first+2 {
		t.Errorf("bob has read up to %d: %+v", first+2, synced)
	}
	bob.Abort()
	if _, err := alice.Delete(within(t), "lobby", first); err != nil {
		t.Fatal(err)
	}
	bob = withHistory("bob")
	follower.Connected(time.Now(), true)
	follow(bob, 5)
	if missed := told[4]; missed.Of != first || read != first+2 {
		t.Errorf("bob missed %+v, and has read up to %d", missed, read)
	}
}

// isRefused reports whether a request was refused with a code.
func isRefused(err error, code string) bool {
	refused, ok := errors.AsType[stageclient.Error](err)
	return ok && refused.Code == code
}
