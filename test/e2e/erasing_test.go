package e2e_test

import (
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"signedsocket/internal/stageclient"
	"signedsocket/internal/stageclient/clienttest"
)

// erasure is the answer of the function erase.
type erasure struct {
	UserID   string `json:"userId"`
	Rooms    int    `json:"rooms"`
	Messages int    `json:"messages"`
	Markers  int    `json:"markers"`
	Done     bool   `json:"done"`
	Cursor   string `json:"cursor"`
}

func erase(t *testing.T, c *stageclient.Client, event string) (answer erasure) {
	t.Helper()
	body, err := invokeAsOperator(within(t), c, c.Outputs.EraseName, event)
	if err == nil {
		err = json.Unmarshal(body, &answer)
	}
	if err != nil {
		t.Fatalf("%s: %s, %v", event, body, err)
	}
	return answer
}

// TestAnErasedUserIsNowhere erases a user who has talked in three rooms, as `make erase` does: the user is revoked
// first.
func TestAnErasedUserIsNowhere(t *testing.T) {
	t.Parallel()
	const name, text = "Alice of the Tests", "a text of hers"
	state, rooms := t.TempDir(), []string{"lobby", "news", "ops"}
	_, client := keepingIn(t, state, map[string]string{"DefaultRooms": strings.Join(rooms, ",")})
	proof := stageclient.NewProof()
	g := stageclient.NewGrant(stageclient.User{Sub: "alice-99", Name: name}, rooms, proof.Challenge, time.Now())
	alice, err := clienttest.DialWithHistory(t, client, presign(t, client, "SignUrlFunction", g).URL, proof.Verifier)
	if err != nil {
		t.Fatal(err)
	}
	bob := connectWithHistory(t, client, "bob")
	written := map[string]int64{}
	for _, room := range rooms {
		written[room] = tell(t, alice, room, text+" in "+room, "m-1")
		tell(t, bob, room, "a text of bob's", "b-"+room)
	}
	remove(t, alice, "ops", written["ops"]) // leaves a tombstone and a note with the user's id
	markRead(t, client, "alice-99", "lobby")
	markRead(t, client, "bob", "lobby")

	want := erasure{UserID: "alice-99", Rooms: 3, Messages: 2, Markers: 1, Done: true}
	if got := erase(t, client, `{"erase":{"user":"alice-99","count":true}}`); got != want {
		t.Errorf("counted %+v, want %+v", got, want)
	}
	if len(itemsWith(t, client, text, "")) != 2 || !strings.Contains(tableFile(t, state), text) {
		t.Fatal("the texts are not where this test looks")
	}
	revoke(t, client, "alice-99", 1)
	if got := erase(t, client, `{"erase":{"user":"alice-99"}}`); got != want {
		t.Errorf("erased %+v, want %+v", got, want)
	}
	file := tableFile(t, state)
	for _, trace := range []string{text, name} {
		if keys := itemsWith(t, client, trace, ""); len(keys) > 0 || strings.Contains(file, trace) {
			t.Errorf("%q is still in %q, or in the file", trace, keys)
		}
	}
	if keys := itemsWith(t, client, "alice-99", "LOG", "READ#", "ROOM#", "CONN#", "HERE"); len(keys) > 0 {
		t.Errorf("the user's id is still in %q", keys)
	}
	if keys := itemsWith(t, client, "seq", "READ#bob"); len(keys) != 1 {
		t.Errorf("bob's marker is in %q", keys)
	}
	for _, room := range rooms {
		page := askFor(t, bob, stageclient.WantLast(room, 10))
		last := page.Entries[len(page.Entries)-1]
		if !page.Entries[0].Deleted || page.Entries[1].Text != "a text of bob's" ||
			last.Erased != stageclient.ErasedUser(room, "alice-99") {
			t.Errorf("%s shows %+v", room, page.Entries)
		}
	}
	if again := erase(t, client, `{"erase":{"user":"alice-99"}}`); again != (erasure{UserID: "alice-99", Done: true}) {
		t.Errorf("erased again %+v", again)
	}
}

// markRead writes a read marker of a user.
func markRead(t *testing.T, client *stageclient.Client, user, room string) {
	t.Helper()
	_, err := clienttest.Table(t, client, "admin").PutItem(within(t), &dynamodb.PutItemInput{
		TableName: &client.Outputs.TableName, Item: map[string]types.AttributeValue{
			"pk":  &types.AttributeValueMemberS{Value: "READ#" + user},
			"sk":  &types.AttributeValueMemberS{Value: room},
			"seq": &types.AttributeValueMemberN{Value: "1"},
		},
	})
	if err != nil {
		t.Fatal(err)
	}
}
