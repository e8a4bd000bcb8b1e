package attack_test

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"testing"
	"time"

	"signedsocket/internal/stageclient"
	"signedsocket/internal/stageclient/clienttest"
	"signedsocket/localstage/stagetest"
)

// TestReconnectingDoesNotRaiseTheMessageLimit: a script opens connection after connection, several at a time. It sends
// as much as it may over each, and disconnects. In one window at most (connections + 1) times the messages pass, and in
// any ten seconds twice that.
func TestReconnectingDoesNotRaiseTheMessageLimit(t *testing.T) {
	t.Parallel()
	localOnly(t, "signs URLs with signurl's keys")
	const perUser, perWindow = 2, 5
	for name, leave := range map[string]func(*stageclient.Conn){
		"closing":       func(conn *stageclient.Conn) { _ = conn.Close() },
		"vanishing":     func(conn *stageclient.Conn) { conn.Abort() },
		"being evicted": func(*stageclient.Conn) {},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := openEmpty(t, stagetest.Options{Parameters: map[string]string{
				"MessagesPerWindow": fmt.Sprint(perWindow), "ConnectionsPerUser": fmt.Sprint(perUser),
			}})
			victim := clienttest.Connect(t, s.client, "victim")
			keys := clienttest.Keys(t, s.client, "SignUrlFunction")
			ctx, stop := context.WithTimeout(t.Context(), 15*time.Second)
			defer stop()
			var script sync.WaitGroup
			for range 3 {
				script.Go(func() {
					for ctx.Err() == nil {
						g, proof := grant()
						signed, err := s.client.SignLocally(ctx, keys, g)
						if err != nil {
							return
						}
						conn, err := s.client.Dial(ctx, signed, stageclient.DialOptions{Verifier: proof.Verifier})
						if err != nil {
							<-time.After(50 * time.Millisecond) // kicked, throttled, or in conflict
							continue
						}
						for i := range perWindow {
							if conn.Send(ctx, stageclient.Outgoing{Text: fmt.Sprint("flood ", i)}) != nil {
								break
							}
							if _, err := conn.Next(ctx); err != nil { // the answer comes before the next message
								break
							}
						}
						leave(conn)
					}
				})
			}
			var heard []time.Time
			for ctx.Err() == nil {
				message, err := stageclient.Await[stageclient.Message](ctx, victim)
				if err == nil && message.From.Sub == "mallory" {
					heard = append(heard, message.Time())
				}
			}
			script.Wait()
			const most = 2 * (perUser + 1) * perWindow
			slices.SortFunc(heard, time.Time.Compare)
			for i, from := range heard {
				until, _ := slices.BinarySearchFunc(heard, from.Add(10*time.Second), time.Time.Compare)
				if until-i > most {
					t.Errorf("%d messages in the ten seconds from %s, promised are at most %d", until-i, from, most)
					break
				}
			}
			if len(heard) < perWindow {
				t.Errorf("the victim received %d messages: the test needs more", len(heard))
			}
			t.Logf("%d messages in 15 s", len(heard))
		})
	}
}
