package e2e_test

import (
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"signedsocket/internal/stageclient"
	"signedsocket/internal/stageclient/clienttest"
	"signedsocket/localstage/stagetest"
)

// TestARoomNumbersItsMessagesWithoutHoles has several users send at the same time. Each message has one number, the
// numbers have no hole, and all members agree about them.
func TestARoomNumbersItsMessagesWithoutHoles(t *testing.T) {
	t.Parallel()
	const users, each = 4, 15
	client := anyStage(t)
	conns := make([]*stageclient.Conn, users)
	for i := range conns {
		conns[i] = connect(t, client, fmt.Sprintf("user-%d", i))
	}
	numbers := make([]map[string]int64, users) // by the text, as each user saw them
	var sending sync.WaitGroup
	for i, conn := range conns {
		numbers[i] = map[string]int64{}
		sending.Go(func() {
			acknowledged, sent := 0, 0
			for acknowledged < each || len(numbers[i]) < users*each {
				if sent == acknowledged && sent < each { // one after the other
					send(t, conn, fmt.Sprintf("%d of user %d", sent, i), fmt.Sprint("m-", sent))
					sent++
				}
				frame, err := conn.Next(within(t))
				if err != nil {
					t.Error(err)
					return
				}
				switch f := frame.(type) {
				case stageclient.Ack:
					acknowledged++
				case stageclient.Message:
					if before, twice := numbers[i][f.Text]; twice && before != f.Seq {
						t.Errorf("%q has the numbers %d and %d", f.Text, before, f.Seq)
					}
					numbers[i][f.Text] = f.Seq
				}
			}
		})
	}
	sending.Wait()
	var all []int64
	for text, number := range numbers[0] {
		all = append(all, number)
		for _, other := range numbers[1:] {
			if other[text] != number {
				t.Errorf("%q is number %d for one user and %d for another", text, number, other[text])
			}
		}
	}
	slices.Sort(all)
	for i, number := range all {
		if number != all[0]+int64(i) || number == 0 {
			t.Fatalf("the numbers are not consecutive: %d", all)
		}
	}
}

// TestAResendHasTheTextAndTheNumberOfTheFirstMessage sends an id again with another text, as no good client does. The
// members must not see two texts under one number.
func TestAResendHasTheTextAndTheNumberOfTheFirstMessage(t *testing.T) {
	t.Parallel()
	client := anyStage(t)
	alice, bob := connect(t, client, "alice"), connect(t, client, "bob")
	send(t, alice, "first", "m-1")
	first := await[stageclient.Ack](t, alice)
	send(t, alice, "another text", "m-1")
	again := await[stageclient.Ack](t, alice)
	if first.Seq == 0 || again.Seq != first.Seq || again.ID != first.ID {
		t.Errorf("acknowledged as %+v, then as %+v", first, again)
	}
	for range 2 {
		if got := await[stageclient.Message](t, bob); got.Text != "first" || got.Seq != first.Seq {
			t.Errorf("bob received %+v, want the first text under %d", got, first.Seq)
		}
	}
}

// TestAnImpossiblePositionIsRefused sends positions that no client can have seen.
func TestAnImpossiblePositionIsRefused(t *testing.T) {
	t.Parallel()
	const future = "9223372036854775807" // keeps to the schema, but is a time of the far future
	client := anyStage(t)
	for i, after := range []string{"-1", future, "9223372036854775808", "1.5", `"1"`, "[]"} {
		conn := connect(t, client, fmt.Sprintf("alice-%d", i)) // each with strikes of its own
		frame := fmt.Sprintf(`{"action":"sendmessage","message":"hi","room":"lobby","id":"m-1","after":%s}`, after)
		if after != future {
			sendBroken(t, conn, frame)
		} else if err := conn.SendText(within(t), frame); err != nil {
			t.Fatal(err)
		}
		if got := await[stageclient.Error](t, conn); got.Code != "bad_message" {
			t.Errorf("after %s was answered %+v, want bad_message", after, got)
		}
	}
}

// TestHistoryOffStoresNothing looks at every item of the table while and after people chat.
func TestHistoryOffStoresNothing(t *testing.T) {
	t.Parallel()
	localOnly(t, "sets parameters, and reads the table")
	const text = "a text that stays nowhere"
	_, client := startStage(t, stagetest.Options{Parameters: map[string]string{"HistoryDays": "0"}})
	alice, bob := connect(t, client, "alice"), connect(t, client, "bob")
	send(t, alice, text, "m-1")
	if got := await[stageclient.Ack](t, alice); got.Seq != 0 || got.Delivered != 2 {
		t.Errorf("acknowledged as %+v, want no number", got)
	}
	if got := await[stageclient.Message](t, bob); got.Text != text || got.Seq != 0 {
		t.Errorf("bob received %+v, want no number", got)
	}
	kinds := map[string]bool{}
	for _, item := range itemsOf(t, client) {
		key := item["pk"].(*types.AttributeValueMemberS).Value
		kind, _, _ := strings.Cut(key, "#")
		kinds[kind] = true
		if strings.HasPrefix(kind, "LOG") || strings.Contains(fmt.Sprintf("%#v", item), text) {
			t.Errorf("the table has %s", key)
		}
	}
	if !kinds["CONN"] {
		t.Errorf("the table has only items of the kinds %v: this test looks at nothing", kinds)
	}
}

// itemsOf returns all items of the table of connections.
func itemsOf(t *testing.T, client *stageclient.Client) []map[string]types.AttributeValue {
	t.Helper()
	out, err := clienttest.Table(t, client, "admin").Scan(within(t),
		&dynamodb.ScanInput{TableName: &client.Outputs.TableName})
	if err != nil {
		t.Fatal(err)
	}
	return out.Items
}
