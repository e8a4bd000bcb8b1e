package load

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net/http"
	"sync"
	"time"

	"signedsocket/internal/stageclient"
)

const (
	connectAttempts = 6 // of a client that is refused for now
	firstBackoff    = time.Second
	longestBackoff  = 15 * time.Second
	sendTimeout     = 10 * time.Second
	// settle is how long the swarm listens after every message is complete: a second copy comes late.
	settle = 500 * time.Millisecond
)

// swarm is all clients of a run.
type swarm struct {
	plan   Plan
	stage  Stage
	ledger *ledger

	receiving sync.WaitGroup
	sending   sync.WaitGroup

	mu       sync.Mutex
	sockets  []Socket       // by client; nil: not connected, or not any more
	opened   int            // clients that have ever been connected
	ended    map[string]int // connections that ended by themselves, by reason
	refused  map[string]int // attempts to connect that failed, by reason
	finished bool           // the swarm itself ends connections now
}

func newSwarm(plan Plan, stage Stage, l *ledger) *swarm {
	return &swarm{
		plan: plan, stage: stage, ledger: l,
		sockets: make([]Socket, plan.Clients), ended: map[string]int{}, refused: map[string]int{},
	}
}

// connect opens the connections at the plan's rate and waits for them. It errs when the stage refuses a user for good,
// or when no client is connected in the end.
func (s *swarm) connect(ctx context.Context) error {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	var connecting sync.WaitGroup
	started := time.Now()
	for client := range s.plan.Clients {
		if !sleepUntil(ctx, started.Add(time.Duration(float64(client)/s.plan.ConnectRate*float64(time.Second)))) {
			break
		}
		connecting.Go(func() {
			if err := s.connectOne(ctx, client); err != nil {
				cancel(err)
			}
		})
	}
	connecting.Wait()
	if cause := context.Cause(ctx); cause != nil && !errors.Is(cause, context.Canceled) {
		return cause
	}
	if s.connected() == 0 {
		return fmt.Errorf("no client could connect: %v", s.refused)
	}
	return nil
}

// connectOne connects a client, and retries after a temporary refusal. It errs when the refusal is final.
func (s *swarm) connectOne(ctx context.Context, client int) error {
	pause := firstBackoff
	for attempt := 1; ; attempt++ {
		socket, user, err := s.stage.Connect(ctx, s.plan.user(client))
		if err == nil {
			s.add(ctx, client, socket, user)
			return nil
		}
		if ctx.Err() != nil {
			return nil
		}
		reason, wait, passing := judge(err)
		s.count(s.refused, reason)
		if !passing {
			return fmt.Errorf("connect as %s: %w", s.plan.user(client), err)
		}
		jittered := pause/2 + rand.N(pause/2) //nolint:gosec // jitter is no secret
		if attempt == connectAttempts || !sleepUntil(ctx, time.Now().Add(max(wait, jittered))) {
			return nil // the report says that this client is missing
		}
		pause = min(2*pause, longestBackoff)
	}
}

// judge returns in short why a connection failed, how long the stage asks to wait, and whether a retry can help.
func judge(err error) (reason string, wait time.Duration, passing bool) {
	later := func(status int) bool { return status == http.StatusTooManyRequests || status >= 500 }
	if sign, ok := errors.AsType[*stageclient.SignError](err); ok {
		return fmt.Sprintf("signurl %d", sign.Status), sign.RetryAfter,
			later(sign.Status) && sign.Code != "auth_not_configured"
	}
	if handshake, ok := errors.AsType[*stageclient.RefusedError](err); ok {
		return fmt.Sprintf("handshake %d", handshake.Status), 0, later(handshake.Status)
	}
	return "no answer", 0, errors.Is(err, context.DeadlineExceeded)
}

// sleepUntil returns false when ctx ends first.
func sleepUntil(ctx context.Context, at time.Time) bool {
	timer := time.NewTimer(time.Until(at))
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return false
	case <-timer.C:
		return true
	}
}

func (s *swarm) count(counts map[string]int, reason string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	counts[reason]++
}

// add takes a client's open connection and reads from it until it ends. It goes on after ctx has ended, because the
// last answers count.
func (s *swarm) add(ctx context.Context, client int, socket Socket, user stageclient.User) {
	s.mu.Lock()
	s.sockets[client] = socket
	s.opened++
	s.mu.Unlock()
	s.ledger.join(client, user)
	s.receiving.Go(func() { s.receive(context.WithoutCancel(ctx), client, socket) })
}

// receive gives the frames of a client to the ledger until its connection ends.
func (s *swarm) receive(ctx context.Context, client int, socket Socket) {
	bye := ""
	for {
		frame, err := socket.Next(ctx)
		at := time.Now()
		switch f := frame.(type) {
		case stageclient.Message:
			s.ledger.receive(client, f, at)
		case stageclient.Ack:
			s.ledger.acknowledge(client, f, at)
		case stageclient.Error:
			s.ledger.refuse(client, f)
		case stageclient.GatewayError:
			s.ledger.fail(client, f.Text)
		case stageclient.Bye:
			bye = "bye " + f.Code
		}
		if err != nil && !errors.Is(err, stageclient.ErrMalformedFrame) {
			s.lose(client, bye, err)
			return
		}
	}
}

// lose records that a connection has ended.
func (s *swarm) lose(client int, bye string, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.finished {
		return
	}
	s.sockets[client] = nil
	s.ended[whyEnded(bye, err)]++
	s.ledger.leave(client)
}

func whyEnded(bye string, err error) string {
	closed, ok := errors.AsType[*stageclient.ClosedError](err)
	switch {
	case bye != "":
		return bye
	case ok:
		return fmt.Sprintf("closed %d", closed.Code)
	default:
		return "broken"
	}
}

// connected returns the number of connected clients.
func (s *swarm) connected() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	open := 0
	for _, socket := range s.sockets {
		if socket != nil {
			open++
		}
	}
	return open
}

func (s *swarm) clientCounts() Clients {
	s.mu.Lock()
	defer s.mu.Unlock()
	return Clients{Connected: s.opened, Ended: s.ended, Refused: s.refused}
}

// drain waits until every message is complete and nothing more comes, or until the plan's Drain is over. The end of ctx
// does not end it, because the last messages still need answers.
func (s *swarm) drain(ctx context.Context) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), s.plan.Drain)
	defer cancel()
	s.sending.Wait()
	select {
	case <-ctx.Done():
	case <-s.ledger.settled():
		sleepUntil(ctx, time.Now().Add(settle))
	}
}

// close closes every connection and waits for every goroutine.
func (s *swarm) close() {
	s.mu.Lock()
	s.finished = true
	sockets := s.sockets
	s.mu.Unlock()
	var closing sync.WaitGroup
	for _, socket := range sockets {
		if socket != nil {
			closing.Go(func() { _ = socket.Close() }) // nothing depends on how it goes
		}
	}
	closing.Wait()
	s.receiving.Wait()
}
