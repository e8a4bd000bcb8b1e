package connections

import (
	"encoding/json"
	"errors"
	"net/http"
	"os"
	"slices"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"signedsocket/shared/dynamo"
	"signedsocket/shared/userid"
)

// The file holds the table as the version before the table Bans wrote it at epoch: alice with three connections after
// one gave way, bob with two strikes and a session of a minute, mallory kicked, a user revoked and still listed, a user
// banned, another one banned under the id that this version hashed differently, and two guests.
const oldTable = "testdata/before-bans.json"

// load puts the items of a file into the table.
func (tb table) load(t *testing.T, name string) {
	t.Helper()
	data, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	var items []map[string]json.RawMessage
	if err := json.Unmarshal(data, &items); err != nil {
		t.Fatal(err)
	}
	for _, plain := range items {
		found := make(item)
		for name, value := range plain {
			found[name] = attribute(t, value)
		}
		if _, err := tb.client.PutItem(t.Context(),
			&dynamodb.PutItemInput{TableName: &tb.name, Item: found}); err != nil {
			t.Fatal(err)
		}
	}
}

// attribute reads a value as DynamoDB writes it.
func attribute(t *testing.T, data []byte) types.AttributeValue {
	t.Helper()
	var value struct {
		S, N *string
		L    []json.RawMessage
		M    map[string]json.RawMessage
	}
	if err := json.Unmarshal(data, &value); err != nil {
		t.Fatal(err)
	}
	switch {
	case value.S != nil:
		return dynamo.Text(*value.S)
	case value.N != nil:
		return &types.AttributeValueMemberN{Value: *value.N}
	case value.L != nil:
		list := &types.AttributeValueMemberL{}
		for _, element := range value.L {
			list.Value = append(list.Value, attribute(t, element))
		}
		return list
	}
	members := &types.AttributeValueMemberM{Value: make(item)}
	for name, element := range value.M {
		members.Value[name] = attribute(t, element)
	}
	return members
}

func TestItemsOfTheVersionBeforeAreRead(t *testing.T) {
	t.Parallel()
	table := newTable(t, http.DefaultTransport)
	table.load(t, oldTable)
	store := New(table.client, table.tables(), Limits{ConnectionsPerUser: 3, GuestConnections: 3})
	now := epoch.Add(5 * time.Second)
	store.now = func() time.Time { return now }

	// Bans and revocations hold, also those under the id that the version before gave the user.
	id, old := userid.Forms("stack", "https://issuer.example", "auth0|1234")
	for _, test := range []struct {
		applicant Applicant
		want      error
	}{
		{Applicant{UserID: "revoked", AuthenticatedAt: epoch}, ErrRevoked},
		{Applicant{UserID: "revoked", AuthenticatedAt: now}, nil},
		{Applicant{UserID: "banned", AuthenticatedAt: now}, ErrBanned},
		{Applicant{UserID: id, OldUserID: old, AuthenticatedAt: now}, ErrBanned},
		{Applicant{UserID: "mallory", AuthenticatedAt: now}, nil},
	} {
		if err := store.MayConnect(t.Context(), test.applicant, now); !errors.Is(err, test.want) {
			t.Errorf("%+v: %v, want %v", test.applicant, err, test.want)
		}
	}
	for user, want := range map[string]error{"revoked": ErrRevoked, "banned": ErrBanned} {
		a := admission("again-" + user)
		a.Subject, a.AuthenticatedAt = user, map[error]time.Time{ErrRevoked: epoch, ErrBanned: now}[want]
		if _, err := store.Connect(t.Context(), a, now); !errors.Is(err, want) {
			t.Errorf("%s connects: %v, want %v", user, err, want)
		}
	}

	// A connection of that version writes in its rooms and moderates nothing.
	if c, err := store.Touch(t.Context(), "alice0000000002=", now); err != nil || c.Moderator || len(c.Rooms) == 0 ||
		!c.MayWrite(c.Rooms[0].Room) {
		t.Errorf("an old connection is %+v, %v", c, err)
	}

	// Connections are counted with their messages, and give way.
	same(t, "live", map[string]bool{"alice0000000001=": true, "alice0000000002=": true, "alice0000000003=": true},
		table.live(t, "alice"))
	if n := flood(t, store, "alice0000000003=", now); n != 13 {
		t.Errorf("a connection that had sent 7 messages has sent %d more, want 13", n)
	}
	done, err := store.Connect(t.Context(), by("alice", "client", "newest="), now)
	if err != nil || len(done.Removed) != 1 || done.Removed[0].Reason != Evicted {
		t.Errorf("Connect = %+v, %v; want one that gave way", done, err)
	}
	if struck, err := store.Strike(t.Context(), "bob000000000000=", now); err != nil || !struck.Kicked {
		t.Errorf("bob's third strike: %+v, %v", struck, err)
	}

	// Everything is closed that was due.
	same(t, "due", map[string]Reason{
		"alice0000000000=": Evicted, done.Removed[0].ConnectionID: Evicted, "mallory00000000=": Kicked,
		"bob000000000000=": Kicked,
	}, due(t, store, epoch.Add(30*time.Second)))

	// Users are revoked with all connections, guests each for itself.
	for _, test := range []struct {
		user string
		ids  []string
	}{
		{"revoked", []string{"revoked00000000="}},
		{"guest-aaaaaaaaaaaaaaaaaaaaaaaaaa", []string{"guest000000000a="}},
		{userid.Pool, []string{"guest000000000b="}},
	} {
		ids, err := store.Revoke(t.Context(), Revocation{Subject: test.user}, now)
		if err != nil || !slices.Equal(ids, test.ids) {
			t.Fatalf("revoking %s concerns %q, %v; want %q", test.user, ids, err, test.ids)
		}
		if _, known, err := store.Expel(t.Context(), ids[0], Revoked, now); err != nil || !known {
			t.Errorf("Expel = %t, %v", known, err)
		}
	}
	same(t, "live guests", map[string]bool{}, table.live(t, userid.Pool))
	lift := Revocation{Subject: "banned", BannedUntil: time.Unix(0, 0)}
	if _, err := store.Revoke(t.Context(), lift, now); err != nil {
		t.Error(err)
	}
	banned := Applicant{UserID: "banned", AuthenticatedAt: now.Add(time.Second)}
	if err := store.MayConnect(t.Context(), banned, now); err != nil {
		t.Errorf("after the old ban was lifted: %v", err)
	}
}
