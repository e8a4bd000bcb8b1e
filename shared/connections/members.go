package connections

import (
	"context"
	"fmt"
	"iter"
	"time"

	"golang.org/x/sync/errgroup"

	"signedsocket/shared/dynamo"
)

// shardReaders is how many shards of a room are read at the same time. It bounds the memory that a room of many shards
// takes.
const shardReaders = 8

// Member is a connection as its room lists it.
type Member struct {
	ConnectionID string
	Subject      string    // the user's id; "" where it is not known
	ConnectedAt  time.Time // whole milliseconds
	Slow         time.Time // when a broadcast gave the member up, see MarkSlow; the zero time for never

	// Only NamedMembers sets these.
	Name     string // display name of the user; "" in items of versions before presence
	Protocol int    // which the client speaks: 1 for chat.v1, 2 for chat.v2
}

// listing is a way to read the items of a partition.
type listing struct {
	attributes string // to read
	names      map[string]string
	consistent bool // strongly consistent
	named      bool // of members: Name and Protocol are read, too
}

// forBroadcast reads no more than a broadcast needs: most reads of a room are for a message.
func forBroadcast() listing {
	return listing{
		attributes: "sk, #sub, sx, connectedAt, slow", names: map[string]string{"#sub": "sub"}, consistent: true,
	}
}

// Members returns the connections in a room whose session has not ended at now, page by page as DynamoDB returns them,
// in no order. All shards of the room are read at the same time, each as fast as the caller takes the pages. A page may
// be empty. The sequence ends after the first error. The room is read as it is meanwhile: a connection that stays in
// the room throughout appears exactly once.
func (s *Store) Members(ctx context.Context, room string, now time.Time) iter.Seq2[[]Member, error] {
	return s.list(ctx, room, now, forBroadcast())
}

// NamedMembers is Members with names and protocols. A read that is not consistent costs half, and may not see what was
// written within the last second.
func (s *Store) NamedMembers(
	ctx context.Context, room string, now time.Time, consistent bool,
) iter.Seq2[[]Member, error] {
	how := forBroadcast()
	how.attributes, how.consistent, how.named = how.attributes+", nm, v", consistent, true
	return s.list(ctx, room, now, how)
}

func (s *Store) list(ctx context.Context, room string, now time.Time, how listing) iter.Seq2[[]Member, error] {
	if s.limits.RoomShards == 1 {
		return s.shardMembers(ctx, roomPartition(room, 0), now, how)
	}
	return func(yield func([]Member, error) bool) {
		ctx, cancel := context.WithCancel(ctx)
		pages := s.readShards(ctx, room, now, how)
		defer func() { // and wait for the readers
			cancel()
			for range pages {
			}
		}()
		for next := range pages {
			if !yield(next.members, next.err) || next.err != nil {
				return
			}
		}
	}
}

type page struct {
	members []Member
	err     error
}

// readShards returns a channel of the pages of all shards of a room, which is closed when all have been read. When ctx
// ends, the caller has to go on receiving until then.
func (s *Store) readShards(ctx context.Context, room string, now time.Time, how listing) <-chan page {
	pages := make(chan page)
	var readers errgroup.Group
	readers.SetLimit(shardReaders)
	go func() {
		defer close(pages)
		for shard := range s.limits.RoomShards {
			readers.Go(func() error {
				for members, err := range s.shardMembers(ctx, roomPartition(room, shard), now, how) {
					pages <- page{members, err}
				}
				return nil
			})
		}
		_ = readers.Wait() // no reader returns an error
	}()
	return pages
}

// shardMembers returns the pages of one partition.
func (s *Store) shardMembers(
	ctx context.Context, partition string, now time.Time, how listing,
) iter.Seq2[[]Member, error] {
	return func(yield func([]Member, error) bool) {
		for items, err := range s.pages(ctx, partition, how) {
			if err != nil {
				yield(nil, fmt.Errorf("list members: %w", err))
				return
			}
			if !yield(liveMembers(items, now, how.named), nil) {
				return
			}
		}
	}
}

func liveMembers(items []item, now time.Time, named bool) []Member {
	members := make([]Member, 0, len(items))
	for _, listed := range items {
		sx, _ := dynamo.NumberOf(listed, "sx")
		if sx <= now.Unix() { // mutate:session-listens
			continue
		}
		connectedAt, _ := dynamo.NumberOf(listed, "connectedAt")
		member := Member{
			ConnectionID: dynamo.TextOf(listed, "sk"), Subject: dynamo.TextOf(listed, "sub"),
			ConnectedAt: time.UnixMilli(connectedAt).UTC(),
		}
		if slow, marked := dynamo.NumberOf(listed, "slow"); marked {
			member.Slow = time.UnixMilli(slow).UTC()
		}
		if named {
			member.Name, member.Protocol = dynamo.TextOf(listed, "nm"), protocolOf(listed)
		}
		members = append(members, member)
	}
	return members
}
