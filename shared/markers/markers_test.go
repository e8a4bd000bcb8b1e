package markers

import (
	"net/http"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb"

	"signedsocket/shared/dynamo"
	"signedsocket/shared/dynamo/dynamotest"
)

func TestMain(m *testing.M) { dynamotest.Main(m) }

func TestMotoAgrees(t *testing.T) {
	t.Parallel()
	dynamotest.JudgeByMoto(t)
}

var epoch = time.Date(2026, 5, 4, 12, 0, 0, 0, time.UTC)

func newStore(t *testing.T) *Store {
	t.Helper()
	client := dynamotest.Client(http.DefaultTransport)
	return &Store{
		API: client, Table: dynamotest.CreateTable(t, client, "pk", "sk"), Now: func() time.Time { return epoch },
	}
}

// has checks the marker of a user in a room.
func (s *Store) has(t *testing.T, user, room string, want int64) {
	t.Helper()
	if got, err := s.Get(t.Context(), user, room); got != want || err != nil {
		t.Errorf("marker of %s in %s = %d, %v; want %d", user, room, got, err, want)
	}
}

func TestAMarkerOnlyRises(t *testing.T) {
	t.Parallel()
	s := newStore(t)
	s.has(t, "alice", "lobby", 0)
	const now = 1795943828551
	for _, test := range []struct{ seq, want int64 }{{7, 7}, {5, 7}, {7, 7}, {now, now}, {9, now}} {
		if got, err := s.Raise(t.Context(), "alice", "lobby", test.seq); got != test.want || err != nil {
			t.Errorf("moved to %d: %d, %v; want %d", test.seq, got, err, test.want)
		}
		s.has(t, "alice", "lobby", test.want)
	}
	s.has(t, "alice", "news", 0)
	s.has(t, "bob", "lobby", 0)
}

func TestDevicesThatReadAtTheSameTimeAgree(t *testing.T) {
	t.Parallel()
	s := newStore(t)
	var devices sync.WaitGroup
	for device := range int64(20) {
		devices.Go(func() {
			if got, err := s.Raise(t.Context(), "alice", "lobby", 100+device); got < 100+device || err != nil {
				t.Errorf("moved to %d: %d, %v", 100+device, got, err)
			}
		})
	}
	devices.Wait()
	s.has(t, "alice", "lobby", 119)
}

func TestAMarkerExpiresAfter90Days(t *testing.T) {
	t.Parallel()
	s := newStore(t)
	if _, err := s.Raise(t.Context(), "alice", "lobby", 7); err != nil {
		t.Fatal(err)
	}
	out, err := s.API.GetItem(t.Context(), &dynamodb.GetItemInput{TableName: &s.Table, Key: key("alice", "lobby")})
	if err != nil {
		t.Fatal(err)
	}
	if until, _ := dynamo.NumberOf(out.Item, "expiresAt"); until != epoch.Add(90*24*time.Hour).Unix() {
		t.Errorf("expires at %d", until)
	}
}

func TestFaultsAreReturned(t *testing.T) {
	t.Parallel()
	s := newStore(t)
	s.Table = "no-such-table"
	if _, err := s.Get(t.Context(), "alice", "lobby"); err == nil {
		t.Error("a table that does not exist has a marker")
	}
	if _, err := s.Raise(t.Context(), "alice", "lobby", 7); err == nil {
		t.Error("a table that does not exist took a marker")
	}
}
