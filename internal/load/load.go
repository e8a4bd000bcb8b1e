// Package load drives a stage with many clients and accounts for every message: each one that the stage acknowledged
// must have reached every client that stayed, once, unchanged, and from its sender. On a stage that keeps history it
// must also be in the log of its room, exactly once.
//
// Pacing is open-loop. Every message has a planned time, which does not depend on the messages before it. Latency
// counts from the planned time. So when a stage stalls, the stall counts for every message that was due meanwhile.
package load

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"time"

	"signedsocket/internal/stageclient"
)

// Plan describes the load. Every number but Size, Seed and PerUser must be positive.
type Plan struct {
	Clients     int           `json:"clients"`
	PerUser     int           `json:"perUser"`     // clients that share a user; 0 counts as 1
	ConnectRate float64       `json:"connectRate"` // clients connected per second
	Rate        float64       `json:"rate"`        // messages per second, of all clients together
	Duration    time.Duration `json:"durationNs"`  // of sending
	Drain       time.Duration `json:"drainNs"`     // how long to wait for answers and deliveries afterwards
	Size        int           `json:"size"`        // bytes of a text at least
	Seed        uint64        `json:"seed"`        // of senders, times and texts
}

// Check returns what is wrong with the plan.
func (p Plan) Check() error {
	switch {
	case p.Clients < 1:
		return errors.New("there must be at least one client")
	case p.PerUser < 0:
		return errors.New("a negative number of clients cannot share a user")
	case p.ConnectRate <= 0:
		return errors.New("the rate of connecting must be more than 0")
	case p.Rate <= 0 || p.Duration <= 0:
		return errors.New("rate and duration must be more than 0")
	case p.messages() < 1:
		return fmt.Errorf("%v at %g messages a second is not one message", p.Duration, p.Rate)
	}
	return nil
}

// messages returns the number of messages of the plan.
func (p Plan) messages() int { return int(p.Rate * p.Duration.Seconds()) }

// user returns the user of a client: load-1, load-2 and so on.
func (p Plan) user(client int) string {
	return fmt.Sprintf("load-%d", client/max(p.PerUser, 1)+1)
}

// Socket is what a client needs of its connection; *stageclient.Conn is one.
type Socket interface {
	stageclient.FollowedConn
	Send(ctx context.Context, m stageclient.Outgoing) error
	Close() error
}

// Member is a connected client.
type Member struct {
	Socket  Socket
	User    stageclient.User // as the stage names it
	Rooms   []string
	History bool // the connection takes requests for history
}

// Stage opens connections.
type Stage interface {
	// Connect opens a connection as a user. A refusal is a *stageclient.SignError or a *stageclient.RefusedError.
	Connect(ctx context.Context, user string) (Member, error)
}

// StageFunc is a function that is a Stage.
type StageFunc func(ctx context.Context, user string) (Member, error)

// Connect calls the function.
func (f StageFunc) Connect(ctx context.Context, user string) (Member, error) { return f(ctx, user) }

// Run connects the clients of a plan, lets them send, and returns what happened to every message. When ctx ends, it
// sends no more, and reports on what it has sent. It calls note at each phase. The error says that the stage refuses
// the users for good, or that no client could connect.
func Run(ctx context.Context, plan Plan, stage Stage, note func(string)) (*Report, error) {
	if err := plan.Check(); err != nil {
		return nil, err
	}
	s := newSwarm(plan, stage, newLedger(newRunID(), plan.Clients))
	defer s.close()
	note(fmt.Sprintf("connecting %d clients, %g a second", plan.Clients, plan.ConnectRate))
	if err := s.connect(ctx); err != nil {
		return nil, err
	}
	note(fmt.Sprintf("%d of %d clients are connected; sending %g messages a second for %v", s.connected(), plan.Clients,
		plan.Rate, plan.Duration))
	s.send(ctx)
	note(fmt.Sprintf("waiting for the last answers, %v at most; a second Ctrl-C gives up", plan.Drain))
	s.drain(ctx)
	report := s.ledger.report()
	report.Plan, report.Clients, report.Interrupted = plan, s.clientCounts(), ctx.Err() != nil
	s.close()
	report.History = s.checkHistory(ctx, note)
	return report, nil
}

// newRunID returns an id that separates the texts of this run from those of every other run, also with the same seed.
func newRunID() string {
	id := make([]byte, 6)
	_, _ = rand.Read(id) // never fails
	return hex.EncodeToString(id)
}
