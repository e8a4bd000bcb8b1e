package main

import (
	"context"
	"iter"
	"log/slog"
	"slices"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"

	"signedsocket/shared/broadcast"
	"signedsocket/shared/connections"
	"signedsocket/shared/function"
)

// handOvers is how many segments are handed over at the same time.
const handOvers = 8

// outcome is the result of a message: that of this invocation's own posts, and the number of recipients handed to
// fanout.
type outcome struct {
	broadcast.Result
	queued int
}

// members lists the members of a room who get a frame, page by page.
type members func(ctx context.Context, room string, now time.Time) iter.Seq2[[]connections.Member, error]

// membersOfV2 lists the members who speak chat.v2. Others would get a frame that they do not know.
func (h *handler) membersOfV2(
	ctx context.Context, room string, now time.Time,
) iter.Seq2[[]connections.Member, error] {
	return func(yield func([]connections.Member, error) bool) {
		for page, err := range h.connections.NamedMembers(ctx, room, now, true) {
			page = slices.DeleteFunc(page, func(m connections.Member) bool {
				return m.Protocol < 2 // mutate:deleted-frame-v2 => return false
			})
			if !yield(page, err) {
				return
			}
		}
	}
}

// deliver posts a frame to the sender and to the other members of the room. It hands members beyond the threshold to
// fanout, and returns when every other recipient has a result. The posts begin before the room has been read: the
// sender is known, and the others follow page by page. The error is a fault in reading the room; then only some have
// the frame.
func (h *handler) deliver(
	ctx context.Context, sender connections.Connection, origin broadcast.Origin, frame []byte, to members,
) (outcome, error) {
	ctx, cancel := function.Before(ctx, reportMargin)
	defer cancel()
	s := &split{
		handler: h, left: h.threshold,
		segment: broadcast.Segment{Frame: frame, Room: origin.Room, SentAt: origin.Arrived, BroadcastID: origin.ID},
	}
	room := to(ctx, origin.Room, h.now())
	result, err := h.broadcaster.Deliver(ctx, origin, frame, s.pages(ctx, sender, room))
	result.NoteSender(s.sender)
	return outcome{result, s.queued}, err
}

// split divides the recipients of one message between this invocation and those of fanout.
type split struct {
	*handler
	left    int                // how many more recipients this invocation takes
	segment broadcast.Segment  // being filled
	sender  connections.Member // as the room lists it
	sending errgroup.Group

	mu      sync.Mutex
	queued  int                  // recipients handed over
	refused []connections.Member // and those that Lambda refused
}

// pages returns the recipients that this invocation posts to: the sender, those of the others who are within the
// threshold and, at the end, members of segments that Lambda refused.
func (s *split) pages(
	ctx context.Context, sender connections.Connection, room iter.Seq2[[]connections.Member, error],
) iter.Seq2[[]connections.Member, error] {
	return func(yield func([]connections.Member, error) bool) {
		s.sending.SetLimit(handOvers)
		defer s.sending.Wait() //nolint:errcheck // no hand-over returns an error
		first := connections.Member{ConnectionID: sender.ID, Subject: sender.Subject, ConnectedAt: sender.ConnectedAt}
		if !yield([]connections.Member{first}, nil) {
			return
		}
		for page, err := range room {
			if err != nil {
				yield(nil, err)
				return
			}
			page = slices.DeleteFunc(page, func(m connections.Member) bool {
				if m.ConnectionID != sender.ID {
					return false
				}
				s.sender = m
				return true
			})
			own := page[:min(len(page), s.left)]
			s.left -= len(own)
			if !yield(own, nil) {
				return
			}
			s.handOver(ctx, page[len(own):])
		}
		s.flush(ctx)
		_ = s.sending.Wait() // no hand-over returns an error
		if len(s.refused) > 0 {
			yield(s.refused, nil)
		}
	}
}

// handOver puts members into segments, and sends those that are full.
func (s *split) handOver(ctx context.Context, members []connections.Member) {
	for _, m := range members {
		s.segment.Members = append(s.segment.Members, m)
		if len(s.segment.Members) == broadcast.SegmentSize {
			s.flush(ctx)
		}
	}
}

// flush sends the segment that is being filled. Lambda may refuse it: then this invocation has its recipients, too.
func (s *split) flush(ctx context.Context) {
	full := s.segment
	s.segment.Members = nil
	if len(full.Members) == 0 {
		return
	}
	s.sending.Go(func() error {
		err := s.fanout.Send(ctx, full)
		s.mu.Lock()
		defer s.mu.Unlock()
		if err != nil {
			s.log.ErrorContext(ctx, "segment not handed over", slog.Any("error", err))
			s.refused = append(s.refused, full.Members...)
			return nil
		}
		s.queued += len(full.Members)
		return nil
	})
}
