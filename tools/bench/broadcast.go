package main

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/sync/errgroup"

	"signedsocket/internal/stageclient"
)

// BroadcastResult is how long messages to a room took, from the sender's frame to the last receiver.
type BroadcastResult struct {
	Recipients int     `json:"recipients"` // beside the sender, who gets it, too
	Messages   int     `json:"messages"`
	P50Ms      float64 `json:"p50Ms"`
	P95Ms      float64 `json:"p95Ms"`
	Lost       int     `json:"lost"`
	FunctionMB float64 `json:"functionMB"` // peak memory of the largest process that posted, so far
	StageMB    float64 `json:"stageMB"`    // memory of the stage that holds the connections
}

// level is a room of a size, and how many messages are sent to it.
type level struct{ recipients, messages int }

const (
	connectLimit = 16                    // connections opened at the same time
	perUser      = 100                   // connections of one user
	warmUpRounds = 5                     // messages that do not count
	roundLimit   = 20 * time.Second      // for a message; what has not arrived by then is lost
	pace         = 11 * time.Millisecond // between two messages, for the sender may send 100 a second
)

// measureBroadcasts fills a room step by step and sends messages to it at each.
func measureBroadcasts(ctx context.Context, w workshop, levels []level, progress func(string)) (results []BroadcastResult, err error) {
	s, err := startStage(ctx, w, "broadcast")
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, s.close()) }()
	r := &room{client: &stageclient.Client{Outputs: s.outputs}, answers: make(chan stageclient.Frame, 8)}
	defer r.close()
	for _, l := range levels {
		progress(fmt.Sprintf("broadcasts to %d recipients", l.recipients))
		if err := r.fill(ctx, l.recipients+1); err != nil {
			return results, err
		}
		result, err := r.measure(ctx, l)
		if err != nil {
			return results, fmt.Errorf("%d recipients: %w", l.recipients, err)
		}
		for _, name := range []string{"SendMessageFunction", "FanoutFunction"} {
			result.FunctionMB = max(result.FunctionMB, peakMemoryOf(filepath.Join(w.functions, name, "bootstrap")))
		}
		result.StageMB = residentMemory(s.process.Process.Pid)
		results = append(results, result)
	}
	return results, nil
}

// room is a room full of clients, of whom the first sends.
type room struct {
	client *stageclient.Client
	conns  []*stageclient.Conn

	listening sync.WaitGroup
	current   atomic.Pointer[round]
	answers   chan stageclient.Frame // to the sender
}

// round is a message under way.
type round struct {
	text     string
	missing  atomic.Int64 // clients that have not got it
	complete chan time.Time
}

// fill opens connections until there are so many.
func (r *room) fill(ctx context.Context, size int) error {
	credentials, err := r.client.Credentials(ctx, "SignUrlFunction")
	if err != nil {
		return err
	}
	have := len(r.conns)
	r.conns = append(r.conns, make([]*stageclient.Conn, size-have)...)
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(connectLimit)
	for i := have; i < size; i++ {
		group.Go(func() error {
			proof, name := stageclient.NewProof(), fmt.Sprintf("bench-%d", i/perUser)
			grant := stageclient.NewGrant(stageclient.User{Sub: name, Name: name}, []string{"lobby"}, proof.Challenge, time.Now())
			signed, err := r.client.SignLocally(ctx, credentials, grant)
			if err != nil {
				return err
			}
			if r.conns[i], err = r.client.Dial(ctx, signed, stageclient.DialOptions{Verifier: proof.Verifier}); err != nil {
				return fmt.Errorf("connection %d: %w", i+1, err)
			}
			return nil
		})
	}
	if err := group.Wait(); err != nil {
		return err
	}
	for i := have; i < size; i++ {
		r.listening.Go(func() { r.listen(context.WithoutCancel(ctx), i) })
	}
	return nil
}

// listen counts what a client gets, until its connection ends.
func (r *room) listen(ctx context.Context, i int) {
	last := ""
	for {
		frame, err := r.conns[i].Next(ctx)
		if err != nil {
			return
		}
		message, ok := frame.(stageclient.Message)
		if !ok && i == 0 {
			r.answers <- frame
		}
		if !ok || message.Text == last {
			continue
		}
		last = message.Text
		if now := r.current.Load(); now != nil && message.Text == now.text && now.missing.Add(-1) == 0 {
			now.complete <- time.Now()
		}
	}
}

// measure sends messages, one after the other.
func (r *room) measure(ctx context.Context, l level) (BroadcastResult, error) {
	result := BroadcastResult{Recipients: l.recipients, Messages: l.messages}
	var took []time.Duration
	for n := range l.messages + warmUpRounds {
		started := time.Now()
		once, lost, err := r.send(ctx, fmt.Sprintf("%d-of-%d", n, l.recipients))
		if err != nil {
			return result, err
		}
		result.Lost += lost
		if n >= warmUpRounds {
			took = append(took, once)
		}
		time.Sleep(pace - time.Since(started))
	}
	slices.Sort(took)
	result.P50Ms, result.P95Ms = milliseconds(took[len(took)/2]), milliseconds(took[len(took)*95/100])
	return result, nil
}

// send sends a message and waits until everybody has it and the sender its answer.
func (r *room) send(ctx context.Context, text string) (took time.Duration, lost int, err error) {
	ctx, cancel := context.WithTimeout(ctx, roundLimit)
	defer cancel()
	now := &round{text: text, complete: make(chan time.Time, 1)}
	now.missing.Store(int64(len(r.conns)))
	r.current.Store(now)
	started := time.Now()
	if err := r.conns[0].Send(ctx, stageclient.Outgoing{Text: text, ID: text}); err != nil {
		return 0, 0, err
	}
	for answered := false; took == 0 || !answered; {
		select {
		case at := <-now.complete:
			took = at.Sub(started)
		case frame := <-r.answers:
			if _, acknowledged := frame.(stageclient.Ack); !acknowledged {
				return 0, 0, fmt.Errorf("the message was answered with %#v", frame)
			}
			answered = true
		case <-ctx.Done():
			return time.Since(started), int(now.missing.Load()), nil
		}
	}
	return took, 0, nil
}

// close ends every connection.
func (r *room) close() {
	var closing sync.WaitGroup
	for _, conn := range r.conns {
		if conn != nil {
			closing.Go(conn.Abort)
		}
	}
	closing.Wait()
	r.listening.Wait()
}
