package connections

import (
	"context"
	"fmt"
	"iter"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
)

// Member is a connection as its room lists it.
type Member struct {
	ConnectionID string
	ConnectedAt  time.Time // whole milliseconds
}

// Members returns the connections in a room whose session has not ended at now, page by page as
// DynamoDB returns them, over all shards of the room. A page may be empty. The sequence ends after
// the first error. The room is read as it is while the caller consumes the pages: a connection that
// stays in the room throughout appears exactly once.
func (s *Store) Members(ctx context.Context, room string, now time.Time) iter.Seq2[[]Member, error] {
	return func(yield func([]Member, error) bool) {
		for shard := range s.limits.RoomShards {
			for page, err := range s.shardMembers(ctx, roomPartition(room, shard), now) {
				if !yield(page, err) || err != nil {
					return
				}
			}
		}
	}
}

// shardMembers returns the pages of one partition.
func (s *Store) shardMembers(ctx context.Context, partition string, now time.Time) iter.Seq2[[]Member, error] {
	return func(yield func([]Member, error) bool) {
		for page, err := range s.pages(ctx, partition, "sk, sx, connectedAt") {
			if err != nil {
				yield(nil, fmt.Errorf("list members: %w", err))
				return
			}
			if !yield(liveMembers(page, now), nil) {
				return
			}
		}
	}
}

// pages returns the items of one partition, as many at a time as DynamoDB returns. The sequence ends
// after the first error.
func (s *Store) pages(ctx context.Context, partition, projection string) iter.Seq2[[]item, error] {
	return func(yield func([]item, error) bool) {
		var start item
		for {
			out, err := s.api.Query(ctx, &dynamodb.QueryInput{
				TableName:                 aws.String(s.table),
				KeyConditionExpression:    aws.String("pk = :pk"),
				ExpressionAttributeValues: item{":pk": text(partition)},
				ProjectionExpression:      aws.String(projection),
				ConsistentRead:            aws.Bool(true),
				Limit:                     aws.Int32(s.page),
				ExclusiveStartKey:         start,
			})
			if err != nil {
				yield(nil, err)
				return
			}
			if !yield(out.Items, nil) || len(out.LastEvaluatedKey) == 0 {
				return
			}
			start = out.LastEvaluatedKey
		}
	}
}

func liveMembers(items []item, now time.Time) []Member {
	members := make([]Member, 0, len(items))
	for _, item := range items {
		sx, _ := numberOf(item, "sx")
		if sx <= now.Unix() {
			continue
		}
		connectedAt, _ := numberOf(item, "connectedAt")
		members = append(members, Member{ConnectionID: textOf(item, "sk"), ConnectedAt: time.UnixMilli(connectedAt).UTC()})
	}
	return members
}
