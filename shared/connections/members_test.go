package connections

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"signedsocket/shared/dynamo"
)

// rooms is a table whose queries are answered by a function.
type rooms struct {
	API
	query func(ctx context.Context, partition string, start item) (*dynamodb.QueryOutput, error)
}

func (r rooms) Query(
	ctx context.Context, in *dynamodb.QueryInput, _ ...func(*dynamodb.Options),
) (*dynamodb.QueryOutput, error) {
	return r.query(ctx, dynamo.TextOf(in.ExpressionAttributeValues, ":pk"), in.ExclusiveStartKey)
}

// onePage is an answer with one member.
func onePage(id string) *dynamodb.QueryOutput {
	return &dynamodb.QueryOutput{Items: []item{{
		"sk": dynamo.Text(id), "sx": dynamo.Number(epoch.Add(time.Hour).Unix()),
		"connectedAt": dynamo.Number(epoch.UnixMilli()),
	}}}
}

var errThrottled = &types.ProvisionedThroughputExceededException{Message: aws.String("slow down")}

func TestShardsAreReadAtTheSameTime(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		const shards = shardReaders
		asked, answer := make(chan string, shards), make(chan struct{})
		store := New(rooms{query: func(_ context.Context, partition string, _ item) (*dynamodb.QueryOutput, error) {
			asked <- partition
			<-answer
			return onePage(partition), nil
		}}, Tables{Connections: "table"}, Limits{RoomShards: shards})
		found := make(chan Member, shards)
		go func() {
			defer close(found)
			for page, err := range store.Members(t.Context(), "lobby", epoch) {
				if err != nil {
					t.Error(err)
				}
				for _, m := range page {
					found <- m
				}
			}
		}()
		synctest.Wait()
		if len(asked) != shards {
			t.Errorf("%d shards were asked before the first had answered, want %d", len(asked), shards)
		}
		answer <- struct{}{}
		if m := <-found; m.ConnectionID == "" {
			t.Error("no member is named before the last shard has answered")
		}
		close(answer)
		count := 1
		for range found {
			count++
		}
		if count != shards {
			t.Errorf("%d members of %d", count, shards)
		}
	})
}

// The bubble of the test ends when all readers of the shards have ended.
func TestMembersEndWhenTheCallerStops(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		store := New(rooms{query: func(ctx context.Context, partition string, _ item) (*dynamodb.QueryOutput, error) {
			if partition != "ROOM#lobby#0" {
				<-ctx.Done()
				return nil, ctx.Err()
			}
			return onePage("a"), nil
		}}, Tables{Connections: "table"}, Limits{RoomShards: 32})
		for page, err := range store.Members(t.Context(), "lobby", epoch) {
			if err != nil || len(page) != 1 {
				t.Errorf("%v, %v", page, err)
			}
			break
		}
	})
}

func TestThrottledPagesAreReadAgain(t *testing.T) {
	t.Parallel()
	for _, shards := range []int{1, 4} {
		synctest.Test(t, func(t *testing.T) {
			began, throttled := time.Now(), new(atomic.Int32)
			store := New(rooms{query: func(_ context.Context, partition string, _ item) (*dynamodb.QueryOutput, error) {
				if time.Since(began) < 5*time.Second {
					throttled.Add(1)
					return nil, fmt.Errorf("operation error DynamoDB: Query: %w", errThrottled)
				}
				return onePage(partition), nil
			}}, Tables{Connections: "table"}, Limits{RoomShards: shards})
			members := 0
			for page, err := range store.Members(t.Context(), "lobby", epoch) {
				if err != nil {
					t.Fatal(err)
				}
				members += len(page)
			}
			if took := time.Since(began); members != shards || took > 5*time.Second+dynamo.LongestPause ||
				throttled.Load() < int32(10*shards) {
				t.Errorf("%d members of %d shards after %s and %d refusals", members, shards, took, throttled.Load())
			}
		})
	}
}

func TestThrottledPagesAreGivenUpWithTheContext(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		store := New(rooms{query: func(context.Context, string, item) (*dynamodb.QueryOutput, error) {
			return nil, errThrottled
		}}, Tables{Connections: "table"}, Limits{})
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		for _, err := range store.Members(ctx, "lobby", epoch) {
			if !errors.Is(err, errThrottled) || ctx.Err() == nil {
				t.Errorf("err = %v", err)
			}
		}
	})
}

// A deployment raises RoomShards, readers first. Readers find the members that were listed under the old number and
// those that are listed under the new one.
func TestShardsMayBeRaisedWhileUsersChat(t *testing.T) {
	t.Parallel()
	table := newTable(t, http.DefaultTransport)
	before := New(table.client, table.tables(), Limits{RoomShards: 1, ConnectionsPerUser: 20})
	after := New(table.client, table.tables(), Limits{RoomShards: 4, ConnectionsPerUser: 20})
	joined := make(map[string]bool)
	for i := range 12 {
		store := before
		if i >= 6 {
			store = after
		}
		a := admission(fmt.Sprintf("c%d=", i))
		joined[a.ConnectionID] = true
		connect(t, store, a)
	}
	for _, id := range []string{"c0=", "c6="} { // each is removed from where it was listed
		if _, err := before.Remove(t.Context(), id, time.Time{}); err != nil {
			t.Fatal(err)
		}
		delete(joined, id)
	}
	found := make(map[string]bool)
	for page, err := range after.Members(t.Context(), "lobby", epoch) {
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range page {
			found[m.ConnectionID] = true
		}
	}
	same(t, "members", joined, found)
}
