package attack_test

import (
	"context"
	"fmt"
	"net/http"
	"regexp"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"golang.org/x/sync/errgroup"

	"signedsocket/internal/stageclient"
	"signedsocket/internal/stageclient/clienttest"
	"signedsocket/localstage"
	"signedsocket/localstage/stagetest"
)

const (
	crowdSize    = 1000
	crowdPerUser = 100
	floodPause   = time.Millisecond // between two handshakes of the flood
	floodBetween = 200              // handshakes between two messages
)

// TestACrowdGetsEveryMessageDuringAFlood: a thousand connections listen to a room. Meanwhile up to a thousand unsigned
// handshakes a second come in, as many as this machine can send. The flood causes no invocation, and each connection
// gets every message. The test runs alone: it needs the whole machine.
func TestACrowdGetsEveryMessageDuringAFlood(t *testing.T) {
	s := openEmpty(t, stagetest.Options{
		Parameters: map[string]string{"MessagesPerWindow": "1000", "ConnectionsPerUser": fmt.Sprint(crowdPerUser)},
		Edit: func(template string) string { // the crowd itself must not be throttled
			return regexp.MustCompile(`(Throttling(?:Rate|Burst)Limit): \d+`).ReplaceAllString(template, "$1: 100000")
		},
		// This test does not close a thousand connections one by one, and does not search their log for secrets: both
		// take long.
		Faults:    localstage.Faults{LoseDisconnects: 1},
		Configure: func(c *localstage.Config) { c.Log, c.Logs = nil, nil },
	})
	crowd := gather(t, s.client)
	before := s.invocations()
	flood := startFlood(t, s.client)
	const messages = 10
	hearing := receiveAll(t, crowd, messages)
	for i := range messages {
		flood.await(t, i*floodBetween)
		clienttest.Send(t, crowd[0], fmt.Sprint("message ", i), fmt.Sprint("m-", i))
	}
	hearing()
	refused := flood.stop()
	after := s.invocations()
	for _, function := range []string{connectFunction, disconnectFunction, signURLFunction} {
		if after[function] != before[function] {
			t.Errorf("%s was invoked %d times by a flood that no function need look at", function,
				after[function]-before[function])
		}
	}
	if sent := after[sendFunction] - before[sendFunction]; sent != messages {
		t.Errorf("%s was invoked %d times for %d messages", sendFunction, sent, messages)
	}
	if open := len(s.Gateway().Connections()); open != crowdSize {
		t.Errorf("%d of %d connections are open", open, crowdSize)
	}
	t.Logf("%d connections received %d messages each, beside %d handshakes that were refused", crowdSize, messages,
		refused)
}

// gather opens the connections of the crowd, and closes them when the test ends. Its keys sign for every user.
func gather(t *testing.T, client *stageclient.Client) []*stageclient.Conn {
	t.Helper()
	keys, crowd := clienttest.Keys(t, client, "SignUrlFunction"), make([]*stageclient.Conn, crowdSize)
	group, ctx := errgroup.WithContext(t.Context())
	group.SetLimit(16)
	for i := range crowd {
		group.Go(func() error {
			name, proof := fmt.Sprintf("listener-%d", i/crowdPerUser), stageclient.NewProof()
			grant := stageclient.NewGrant(stageclient.User{Sub: name, Name: name}, []string{"lobby"}, proof.Challenge,
				time.Now())
			signed, err := client.SignLocally(ctx, keys, grant)
			if err == nil {
				crowd[i], err = client.Dial(ctx, signed, stageclient.DialOptions{Verifier: proof.Verifier})
			}
			return err
		})
	}
	t.Cleanup(func() {
		var leaving sync.WaitGroup
		for _, conn := range crowd {
			if conn != nil {
				leaving.Go(conn.Abort)
			}
		}
		leaving.Wait()
	})
	if err := group.Wait(); err != nil {
		t.Fatal(err)
	}
	return crowd
}

// receiveAll lets every connection wait for the given number of different messages. The returned function waits for all
// of them.
func receiveAll(t *testing.T, crowd []*stageclient.Conn, messages int) (wait func()) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 6*clienttest.Patience) // for a slow machine
	var listening sync.WaitGroup
	for i, conn := range crowd {
		listening.Go(func() {
			heard := map[string]bool{}
			for len(heard) < messages {
				message, err := stageclient.Await[stageclient.Message](ctx, conn)
				if err != nil {
					t.Errorf("connection %d received %d of %d messages: %v", i, len(heard), messages, err)
					return
				}
				heard[message.Text] = true
			}
		})
	}
	return func() {
		listening.Wait()
		cancel()
	}
}

// flood sends unsigned handshakes. Every one has to be refused.
type flood struct {
	refused   atomic.Int64
	cancel    context.CancelFunc
	transport *http.Transport
	senders   sync.WaitGroup
}

func startFlood(t *testing.T, client *stageclient.Client) *flood {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	f := &flood{cancel: cancel, transport: &http.Transport{MaxIdleConnsPerHost: 8}}
	address := "http" + client.Outputs.WebSocketURL[len("ws"):]
	ticker := time.NewTicker(floodPause)
	for range 8 {
		f.senders.Go(func() {
			for ctx.Err() == nil {
				<-ticker.C
				status, err := unsignedHandshake(ctx, f.transport, address)
				if ctx.Err() != nil {
					return
				}
				if err != nil || status != http.StatusForbidden {
					t.Errorf("an unsigned handshake was answered %d (%v), want 403", status, err)
					return
				}
				f.refused.Add(1)
			}
		})
	}
	t.Cleanup(ticker.Stop)
	return f
}

// await waits until the given number of handshakes has been refused.
func (f *flood) await(t *testing.T, refused int) {
	t.Helper()
	for look := time.Tick(5 * time.Millisecond); int(f.refused.Load()) < refused && !t.Failed(); <-look {
	}
}

// stop ends the flood and returns how many handshakes were refused.
func (f *flood) stop() int {
	f.cancel()
	f.senders.Wait()
	f.transport.CloseIdleConnections()
	return int(f.refused.Load())
}

func unsignedHandshake(ctx context.Context, transport *http.Transport, address string) (int, error) {
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, address, nil)
	if err != nil {
		return 0, err
	}
	for name, value := range map[string]string{
		"Connection": "Upgrade", "Upgrade": "websocket", "Sec-WebSocket-Version": "13",
		"Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25jZQ==",
	} {
		r.Header.Set(name, value)
	}
	response, err := transport.RoundTrip(r)
	if err != nil {
		return 0, err
	}
	defer response.Body.Close()
	// so that the connection can be used again
	_, _ = http.MaxBytesReader(nil, response.Body, 1<<10).Read(make([]byte, 1<<10))
	return response.StatusCode, nil
}
