package connections

import (
	"context"
	"errors"
	"net/http"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
)

// A client that leaves between its last strike and the kick is kept out like one that stays.
func TestAKickedClientThatLeavesFirstIsStillKeptOut(t *testing.T) {
	t.Parallel()
	table := newTable(t, http.DefaultTransport)
	store := New(table.client, table.tables(), Limits{})
	store.now = func() time.Time { return epoch }
	connect(t, store, admission("c1="))
	api := &beforeKick{API: table.client, before: func() {
		if _, err := store.Remove(t.Context(), "c1=", time.Time{}); err != nil {
			t.Error(err)
		}
	}}
	striking := New(api, table.tables(), Limits{})
	for range strikesAllowed + 1 {
		if _, err := striking.Strike(t.Context(), "c1=", epoch); err != nil {
			t.Fatal(err)
		}
	}
	var kicked *KickedError
	if _, err := store.Connect(t.Context(), admission("c2="), epoch); !errors.As(err, &kicked) {
		t.Errorf("Connect after the third strike: %v, want a *KickedError", err)
	}
}

// A connection whose session is over and that gives way is told that its session is over: "evicted" is final.
func TestTheReasonOfASessionThatIsOver(t *testing.T) {
	t.Parallel()
	table := newTable(t, http.DefaultTransport)
	store := New(table.client, table.tables(), Limits{GuestConnections: 1})
	ended := guestAdmission("ended=")
	ended.SessionEndsAt = epoch.Add(time.Minute)
	connect(t, store, ended)
	done, err := store.Connect(t.Context(), guestAdmission("late="), epoch.Add(time.Minute))
	if err != nil || len(done.Removed) != 1 || done.Removed[0].Reason != SessionEnded {
		t.Errorf("%+v, %v; want reason %s", done, err, SessionEnded)
	}
}

// beforeKick calls before just before a connection is marked as kicked.
type beforeKick struct {
	API
	before func()
}

func (b *beforeKick) UpdateItem(
	ctx context.Context, in *dynamodb.UpdateItemInput, options ...func(*dynamodb.Options),
) (*dynamodb.UpdateItemOutput, error) {
	if *in.UpdateExpression == "SET kicked = :now" {
		b.before()
	}
	return b.API.UpdateItem(ctx, in, options...)
}
