package load

import (
	"context"
	"fmt"
	"math/rand/v2"
	"strings"
	"time"
)

// send sends the plan's messages, each at its time, and returns at the end or when ctx ends.
func (s *swarm) send(ctx context.Context) {
	dice := rand.New(rand.NewPCG(s.plan.Seed, 0)) //nolint:gosec // the seed repeats a load test
	turns := dice.Perm(s.plan.Clients)
	started := time.Now()
	for n := range s.plan.messages() {
		intended := started.Add(time.Duration(float64(n) / s.plan.Rate * float64(time.Second)))
		if !sleepUntil(ctx, intended) {
			return
		}
		sender, m := s.sender(turns, n)
		if m == nil {
			return // no client is connected
		}
		text := s.ledger.text(n) + filler(dice, s.plan.Size)
		s.ledger.send(n, sender, text, intended)
		// In a goroutine, so that a slow socket does not delay the next message.
		s.sending.Go(func() {
			ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), sendTimeout)
			defer cancel()
			err := m.Socket.Send(ctx, s.outgoing(sender, m, text, s.ledger.clientID(n)))
			s.ledger.sent(n, time.Now(), err)
		})
	}
}

// sender returns the client that sends message n, and its connection. All clients send equally often, in an order from
// the seed, so that all connections reach their limit together. sender skips clients that have left.
func (s *swarm) sender(turns []int, n int) (int, *member) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for i := range turns {
		client := turns[(n+i)%len(turns)]
		if m := s.members[client]; m != nil {
			return client, m
		}
	}
	return 0, nil
}

const letters = "abcdefghijklmnopqrstuvwxyz "

// filler is seeded text of size bytes that does not end in a space.
func filler(dice *rand.Rand, size int) string {
	var text strings.Builder
	for range size {
		text.WriteByte(letters[dice.IntN(len(letters))])
	}
	text.WriteString(".")
	return text.String()
}

// text returns the beginning of the text of message n.
func (l *ledger) text(n int) string { return fmt.Sprintf("%s%d ", l.prefix(), n) }

func (l *ledger) prefix() string { return "load " + l.run + " " }

// clientID returns the id that the sender gives message n.
func (l *ledger) clientID(n int) string { return fmt.Sprintf("%s-%d", l.run, n) }
