package load

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net/http"
	"slices"
	"sync"
	"time"

	"signedsocket/internal/load/checker"
	"signedsocket/internal/stageclient"
)

const (
	connectAttempts = 6 // of a client that is refused for now
	firstBackoff    = time.Second
	longestBackoff  = 15 * time.Second
	sendTimeout     = 10 * time.Second
	// settle is how long the swarm listens after every message is complete: a second copy comes late.
	settle = 500 * time.Millisecond
	// lookAgain is how long the swarm waits for the last messages before its clients look into the logs.
	lookAgain = 2 * time.Second
)

// member is a connected client with what it knows of its rooms.
type member struct {
	Member
	follower *stageclient.Follower
}

// swarm is all clients of a run.
type swarm struct {
	plan   Plan
	stage  Stage
	ledger *ledger

	recorder  *checker.Recorder
	receiving sync.WaitGroup
	sending   sync.WaitGroup

	mu       sync.Mutex
	members  []*member        // by client; nil: not connected, or not any more
	logs     map[string]int64 // by room with history: the number behind which the run began
	opened   int              // clients that have ever been connected
	ended    map[string]int   // connections that ended by themselves, by reason
	refused  map[string]int   // attempts to connect that failed, by reason
	finished bool             // the swarm itself ends connections now
}

func newSwarm(plan Plan, stage Stage, l *ledger) *swarm {
	return &swarm{
		plan: plan, stage: stage, ledger: l,
		recorder: checker.NewRecorder(), members: make([]*member, plan.Clients), logs: map[string]int64{},
		ended: map[string]int{}, refused: map[string]int{},
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

// connectOne connects a client. It errs when the refusal is final.
func (s *swarm) connectOne(ctx context.Context, client int) error {
	connected, final, err := s.open(ctx, s.plan.user(client))
	switch {
	case err == nil:
		s.add(ctx, client, connected)
	case final:
		return fmt.Errorf("connect as %s: %w", s.plan.user(client), err)
	}
	return nil // the report says that this client is missing
}

// open opens a connection as a user, and retries after a temporary refusal. final says that no retry can help.
func (s *swarm) open(ctx context.Context, user string) (connected Member, final bool, err error) {
	pause := firstBackoff
	for attempt := 1; ; attempt++ {
		connected, err := s.stage.Connect(ctx, user)
		if err == nil || ctx.Err() != nil {
			return connected, false, err
		}
		reason, wait, passing := judge(err)
		s.count(s.refused, reason)
		jittered := pause/2 + rand.N(pause/2) //nolint:gosec // jitter is no secret
		if !passing || attempt == connectAttempts || !sleepUntil(ctx, time.Now().Add(max(wait, jittered))) {
			return Member{}, !passing, err
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
func (s *swarm) add(ctx context.Context, client int, connected Member) {
	m := &member{connected, stageclient.NewFollower(connected.Rooms, 0, 0)}
	m.follower.Connected(time.Now(), m.History)
	s.mu.Lock()
	s.members[client] = m
	s.opened++
	s.mu.Unlock()
	s.ledger.join(client, m.User)
	s.receiving.Go(func() { s.receive(context.WithoutCancel(ctx), client, m) })
}

// receive gives the frames of a client to the ledger until its connection ends.
func (s *swarm) receive(ctx context.Context, client int, m *member) {
	bye := ""
	conn := recordedConn{m.Socket, client, s.recorder}
	err := m.follower.Follow(ctx, conn, func(at time.Time, frame stageclient.Frame, events []stageclient.Event) {
		switch f := frame.(type) {
		case stageclient.Message:
			s.ledger.receive(client, f, asAFrame, at)
		case stageclient.Ack:
			s.ledger.acknowledge(client, f, at)
		case stageclient.Error:
			s.ledger.refuse(client, f)
		case stageclient.GatewayError:
			s.ledger.fail(client, f.Text)
		case stageclient.Bye:
			bye = "bye " + f.Code
		}
		s.recorder.Receive(client, at, frame, events)
		s.follow(client, events, at)
	})
	s.lose(client, bye, err)
}

// lose records that a connection has ended.
func (s *swarm) lose(client int, bye string, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.finished {
		return
	}
	s.members[client] = nil
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
	for _, m := range s.members {
		if m != nil {
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
	look := time.NewTicker(lookAgain)
	defer look.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-s.ledger.settled():
			sleepUntil(ctx, time.Now().Add(settle))
			return
		case <-look.C:
			s.sync(ctx)
		}
	}
}

// close closes every connection and waits for every goroutine.
func (s *swarm) close() {
	s.mu.Lock()
	s.finished = true
	members := slices.Clone(s.members)
	s.mu.Unlock()
	var closing sync.WaitGroup
	for _, m := range members {
		if m != nil {
			closing.Go(func() { _ = m.Socket.Close() }) // nothing depends on how it goes
		}
	}
	closing.Wait()
	s.receiving.Wait()
}
