package roomlog

import (
	"context"
	"fmt"
	"math/rand/v2"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/smithy-go"
	"golang.org/x/sync/errgroup"
)

// troubled is an API that throttles some calls, and makes some twice: as the SDK does after a lost answer, with one
// token. Every call waits for others now and then.
type troubled struct {
	API
	mu   *sync.Mutex
	dice *rand.Rand
}

func (a troubled) roll(n int) int {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.dice.IntN(n)
}

func trouble[T any](a troubled, call func() (T, error)) (T, error) {
	switch a.roll(20) {
	case 0:
		var none T
		return none, &smithy.GenericAPIError{Code: "ThrottlingException"}
	case 1:
		_, _ = call()
	}
	return call()
}

func (a troubled) GetItem(
	ctx context.Context, in *dynamodb.GetItemInput, o ...func(*dynamodb.Options),
) (*dynamodb.GetItemOutput, error) {
	return trouble(a, func() (*dynamodb.GetItemOutput, error) { return a.API.GetItem(ctx, in, o...) })
}

func (a troubled) UpdateItem(
	ctx context.Context, in *dynamodb.UpdateItemInput, o ...func(*dynamodb.Options),
) (*dynamodb.UpdateItemOutput, error) {
	return trouble(a, func() (*dynamodb.UpdateItemOutput, error) { return a.API.UpdateItem(ctx, in, o...) })
}

func (a troubled) Query(
	ctx context.Context, in *dynamodb.QueryInput, o ...func(*dynamodb.Options),
) (*dynamodb.QueryOutput, error) {
	return trouble(a, func() (*dynamodb.QueryOutput, error) { return a.API.Query(ctx, in, o...) })
}

func (a troubled) TransactWriteItems(
	ctx context.Context, in *dynamodb.TransactWriteItemsInput, o ...func(*dynamodb.Options),
) (*dynamodb.TransactWriteItemsOutput, error) {
	in.ClientRequestToken = aws.String(fmt.Sprint(a.roll(1e9)))
	return trouble(a, func() (*dynamodb.TransactWriteItemsOutput, error) {
		return a.API.TransactWriteItems(ctx, in, o...)
	})
}

// ledger is what writers and readers saw.
type ledger struct {
	mu  sync.Mutex
	seq map[string]int64 // by id
	id  map[int64]string
}

// note fails the test when an id has two numbers, or a number two ids.
func (l *ledger) note(t *testing.T, e Entry) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if seq, ok := l.seq[e.ID]; ok && seq != e.Seq {
		t.Errorf("%s has the numbers %d and %d", e.ID, seq, e.Seq)
	}
	if id, ok := l.id[e.Seq]; ok && id != e.ID {
		t.Errorf("%d is %s and %s", e.Seq, id, e.ID)
	}
	l.seq[e.ID], l.id[e.Seq] = e.Seq, e.ID
}

// TestWritersInTrouble lets writers with different clocks append at the same time, one of them each message twice,
// while readers read and TTL deletes in any order; time passes between the rounds and a little within them.
func TestWritersInTrouble(t *testing.T) {
	t.Parallel()
	for seed := range uint64(4) {
		t.Run(fmt.Sprint("seed ", seed), func(t *testing.T) {
			t.Parallel()
			tb, dice := newTable(t), rand.New(rand.NewPCG(seed, 16))
			seen := &ledger{seq: map[string]int64{}, id: map[int64]string{}}
			newest := int64(0) // number, of the rounds before
			for round := range 12 {
				newest = tb.round(t, dice, seen, round, newest)
				waits := []time.Duration{time.Second, 5 * time.Hour, day/2 - 2*time.Second, day - time.Second, 3 * day}
				tb.pass(waits[dice.IntN(len(waits))])
				if t.Failed() {
					return
				}
			}
		})
	}
}

// round lets six writers append three messages each, and returns the newest number.
func (tb *table) round(t *testing.T, dice *rand.Rand, seen *ledger, round int, newest int64) int64 {
	t.Helper()
	var group errgroup.Group
	var mu sync.Mutex
	var given []int64
	days := 1 + dice.IntN(2)
	for w := range 7 {
		api := troubled{tb.client, &sync.Mutex{}, rand.New(rand.NewPCG(dice.Uint64(), 1))}
		l := tb.logOver(api, 1+(days+w)%2, time.Duration(dice.IntN(5)-2)*time.Second)
		group.Go(func() error {
			for i := range 3 {
				id := fmt.Sprintf("%d-%d-%d", round, min(w, 5), i) // the last two are twins
				stored, _, err := l.Append(t.Context(), l.Look(t.Context(), lobby, newest), tb.message(id))
				if err != nil {
					return fmt.Errorf("append of %s: %w", id, err)
				}
				if stored.Seq <= newest {
					return fmt.Errorf("%s has the number %d, and %d was acknowledged before", id, stored.Seq, newest)
				}
				seen.note(t, stored)
				mu.Lock()
				given = append(given, stored.Seq)
				mu.Unlock()
			}
			return nil
		})
	}
	group.Go(func() error { return tb.readAll(t, seen, days) })
	expire := dice.Uint64()
	group.Go(func() error {
		tb.deleteExpired(t, rand.New(rand.NewPCG(expire, 2)))
		tb.pass(time.Second)
		return nil
	})
	if err := group.Wait(); err != nil {
		t.Error(err)
		return newest
	}
	return slices.Max(given)
}

// readAll reads the last ten entries and all that come behind them.
func (tb *table) readAll(t *testing.T, seen *ledger, days int) error {
	l := tb.log(days, 0)
	page, err := l.Last(t.Context(), lobby, 10)
	for err == nil && len(page.Entries) > 0 {
		for i, e := range page.Entries {
			if e.Seq != page.Entries[0].Seq+int64(i) {
				return fmt.Errorf("a reader saw a jump to %d", e.Seq)
			}
			seen.note(t, e)
		}
		page, err = l.After(t.Context(), lobby, page.Entries[len(page.Entries)-1].Seq)
	}
	return err
}

// deleteExpired deletes expired blocks in any order.
func (tb *table) deleteExpired(t *testing.T, dice *rand.Rand) {
	blocks := tb.blocks(t)
	dice.Shuffle(len(blocks), func(i, j int) { blocks[i], blocks[j] = blocks[j], blocks[i] })
	for _, b := range blocks {
		if b.expiresAt.Before(tb.now()) && dice.IntN(2) == 0 {
			_, err := tb.client.DeleteItem(t.Context(),
				&dynamodb.DeleteItemInput{TableName: &tb.name, Key: blockKey(lobby, b.first)})
			if err != nil {
				t.Error(err)
			}
		}
	}
}
