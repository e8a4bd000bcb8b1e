package e2e_test

import (
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"signedsocket/internal/stageclient"
	"signedsocket/internal/stageclient/clienttest"
	"signedsocket/localstage/stagetest"
)

// keeping returns a client of a stage that keeps messages for so many days.
func keeping(t *testing.T, days string) *stageclient.Client {
	t.Helper()
	_, client := startStage(t, stagetest.Options{
		Parameters: map[string]string{"HistoryDays": days, "MessagesPerWindow": "1000"},
	})
	return client
}

// sayAll sends messages one after the other, and returns their texts and the number of the first one.
func sayAll(t *testing.T, conn *stageclient.Conn, n, length int) (texts []string, first int64) {
	t.Helper()
	for i := range n {
		text := fmt.Sprintf("%03d %s", i, strings.Repeat("x", length))
		send(t, conn, text, fmt.Sprint("m-", i))
		ack := await[stageclient.Ack](t, conn)
		if ack.Seq == 0 {
			t.Fatalf("acknowledged as %+v, want a number", ack)
		}
		if i == 0 {
			first = ack.Seq
		}
		texts = append(texts, text)
	}
	return texts, first
}

// askFor asks for one part of a log, and returns the page.
func askFor(t *testing.T, conn *stageclient.Conn, want stageclient.Want) stageclient.History {
	t.Helper()
	if err := conn.History(within(t), "h-1", want); err != nil {
		t.Fatal(err)
	}
	page := await[stageclient.History](t, conn)
	if page.Room != want.Room || page.ClientID != "h-1" {
		t.Errorf("asked for %+v, answered %+v", want, page)
	}
	return page
}

func textsOf(entries []stageclient.Entry) []string {
	texts := make([]string, len(entries))
	for i, e := range entries {
		texts[i] = e.Text
	}
	return texts
}

func TestNewMemberReceivesLatestMessages(t *testing.T) {
	t.Parallel()
	client := keeping(t, "7")
	alice := connect(t, client, "alice")
	texts, first := sayAll(t, alice, 12, 5)
	bob := clienttest.ConnectWithHistory(t, client, "bob")
	page := askFor(t, bob, stageclient.WantLast("lobby", 5))
	if !slices.Equal(textsOf(page.Entries), texts[7:]) || !page.More || page.Head != first+11 || page.KeepDays != 7 {
		t.Fatalf("the newest five are %+v", page)
	}
	for i, e := range page.Entries {
		if e.Seq != first+7+int64(i) || e.From.Name == "" || e.From != whoIs(t, client, "alice") || e.SentAt == 0 {
			t.Errorf("entry %+v", e)
		}
	}
	send(t, alice, "and now", "live")
	if live := await[stageclient.Message](t, bob); live.Seq != page.Head+1 || live.Text != "and now" {
		t.Errorf("the next message is %+v, want number %d", live, page.Head+1)
	}
}

func TestScrollingBackReachesTheBeginning(t *testing.T) {
	t.Parallel()
	client := keeping(t, "7")
	texts, first := sayAll(t, connect(t, client, "alice"), 130, 30)
	bob := clienttest.ConnectWithHistory(t, client, "bob")
	page := askFor(t, bob, stageclient.WantLast("lobby", 50))
	seen, requests := page.Entries, 1
	for page.More {
		page = askFor(t, bob, stageclient.WantBefore("lobby", seen[0].Seq, 50))
		if len(page.Entries) == 0 && page.More {
			t.Fatal("a page without entries says that there are more")
		}
		seen = append(page.Entries, seen...)
		requests++
	}
	if !slices.Equal(textsOf(seen), texts) || seen[0].Seq != first || requests > 8 {
		t.Errorf("%d entries from number %d after %d requests, want all %d from %d", len(seen), seen[0].Seq, requests,
			len(texts), first)
	}
}

func TestAClientThatComesBackReadsAllThatItHasMissed(t *testing.T) {
	t.Parallel()
	client := keeping(t, "7")
	alice, bob := connect(t, client, "alice"), clienttest.ConnectWithHistory(t, client, "bob")
	if page := askFor(t, bob, stageclient.WantLast("lobby", 1)); page.Head != 0 || len(page.Entries) != 0 || page.More {
		t.Errorf("the log of a new room is %+v", page)
	}
	if err := bob.History(within(t), "h-0", stageclient.WantAfter("lobby", 0)); err != nil {
		t.Fatal(err)
	}
	synced := await[stageclient.Synced](t, bob)
	if head, ok := synced.Heads["lobby"]; !ok || head != 0 || synced.ClientID != "h-0" {
		t.Errorf("a client that has everything is answered %+v", synced)
	}
	_ = bob.Close()

	texts, first := sayAll(t, alice, 40, 1000) // more than fits into one frame
	bob = clienttest.ConnectWithHistory(t, client, "bob")
	var missed []stageclient.Entry
	position, pages := int64(0), 0
	for more := true; more; {
		page := askFor(t, bob, stageclient.WantAfter("lobby", position))
		if len(page.Entries) == 0 || !page.Complete || page.Head != first+39 {
			t.Fatalf("after %d: %d entries, complete %t, head %d", position, len(page.Entries), page.Complete,
				page.Head)
		}
		missed = append(missed, page.Entries...)
		position, more = missed[len(missed)-1].Seq, page.More
		pages++
	}
	if !slices.Equal(textsOf(missed), texts) || pages < 2 {
		t.Errorf("%d entries in %d pages, want %d in several", len(missed), pages, len(texts))
	}
	if err := bob.History(within(t), "", stageclient.WantAfter("lobby", position)); err != nil {
		t.Fatal(err)
	}
	if synced := await[stageclient.Synced](t, bob); synced.Heads["lobby"] != position {
		t.Errorf("a client that has everything up to %d is answered %+v", position, synced)
	}
	if err := bob.SendText(within(t), fmt.Sprintf(`{"action":"history","read":{"lobby":%d},"id":"h-2"}`,
		position)); err != nil {
		t.Fatal(err)
	}
	if synced := await[stageclient.Synced](t, bob); synced.Heads["lobby"] != position || synced.ClientID != "h-2" {
		t.Errorf("what was read is answered with %+v", synced)
	}
	// A client may hold a number that the log does not have any more.
	lost := askFor(t, bob, stageclient.WantAfter("lobby", position+5))
	if lost.Complete || len(lost.Entries) != 0 || lost.Head != position {
		t.Errorf("after a number above the newest one: %+v", lost)
	}
}

func TestHistoryOfAForeignRoomIsRefused(t *testing.T) {
	t.Parallel()
	client := keeping(t, "7")
	g := stageclient.NewGrant(stageclient.User{Sub: "keeper", Name: "Keeper"}, []string{"vault"}, "", time.Now())
	keeper, err := dialGrant(t, client, "SignUrlFunction", g)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = keeper.Close() })
	sayAll(t, keeper, 2, 5)
	bob := clienttest.ConnectWithHistory(t, client, "bob")
	if err := bob.History(within(t), "h-1", stageclient.WantLast("lobby", 1),
		stageclient.WantLast("vault", 1)); err != nil {
		t.Fatal(err)
	}
	frame, err := bob.Next(within(t))
	if refused, ok := frame.(stageclient.Error); err != nil || !ok || refused.Code != "room_not_allowed" ||
		refused.ClientID != "h-1" {
		t.Errorf("answered %#v, %v; want room_not_allowed", frame, err)
	}
}

// TestOldClientsSeeNoNewFrames: a client of chat.v1 gets the frames that it always got, with seq, and its requests for
// history are as unknown as they were before.
func TestOldClientsSeeNoNewFrames(t *testing.T) {
	t.Parallel()
	client := keeping(t, "7")
	var mu sync.Mutex
	var got []string
	old := *client
	old.Trace = func(direction string, data []byte) {
		mu.Lock()
		defer mu.Unlock()
		if direction == "received" {
			got = append(got, string(data))
		}
	}
	alice, bob := connect(t, &old, "alice"), clienttest.ConnectWithHistory(t, client, "bob")
	if alice.Subprotocol() != stageclient.Protocol {
		t.Errorf("a client that offers chat.v1 alone speaks %q", alice.Subprotocol())
	}
	sayAll(t, alice, 3, 5)
	if page := askFor(t, bob, stageclient.WantLast("lobby", 3)); len(page.Entries) != 3 {
		t.Errorf("page %+v", page)
	}
	send(t, bob, "from the other one", "b-1")
	for heard := ""; heard != "from the other one"; {
		heard = await[stageclient.Message](t, alice).Text
	}
	if err := alice.History(within(t), "h-1", stageclient.WantLast("lobby", 1)); err != nil {
		t.Fatal(err)
	}
	if refused := await[stageclient.Error](t, alice); refused.Code != "unknown_action" {
		t.Errorf("answered %+v, want unknown_action", refused)
	}
	mu.Lock()
	defer mu.Unlock()
	for _, frame := range got {
		kind, _, _ := strings.Cut(strings.TrimPrefix(frame, `{"type":"`), `"`)
		if !slices.Contains([]string{"message", "ack", "error"}, kind) {
			t.Errorf("a client of chat.v1 got %s", frame)
		}
	}
	if len(got) < 8 {
		t.Errorf("got %q", got)
	}
}

func TestWithoutHistoryNothingIsStoredAndEveryRequestIsAnswered(t *testing.T) {
	t.Parallel()
	client := keeping(t, "0")
	alice := clienttest.ConnectWithHistory(t, client, "alice")
	send(t, alice, "forget me", "m-1")
	if ack := await[stageclient.Ack](t, alice); ack.Seq != 0 {
		t.Errorf("acknowledged as %+v, want no number", ack)
	}
	for _, want := range []stageclient.Want{
		stageclient.WantLast("lobby", 5), stageclient.WantAfter("lobby", 0), stageclient.WantBefore("lobby", 5, 5),
	} {
		if page := askFor(t, alice, want); page.KeepDays != 0 || page.Head != 0 || len(page.Entries) != 0 || page.More {
			t.Errorf("%+v is answered %+v", want, page)
		}
	}
	records := recordsOf(t, client)
	stored, err := records.api.Scan(within(t), &dynamodb.ScanInput{
		TableName: &records.table, FilterExpression: aws.String("begins_with(pk, :log)"),
		ExpressionAttributeValues: map[string]types.AttributeValue{":log": &types.AttributeValueMemberS{Value: "LOG"}},
	})
	if err != nil || len(stored.Items) != 0 {
		t.Errorf("the table has %v of a log, %v", stored.Items, err)
	}
}
