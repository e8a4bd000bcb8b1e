package e2e_test

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"signedsocket/internal/stageclient"
	"signedsocket/localstage"
	"signedsocket/localstage/stagetest"
)

// logged is an entry of a log as the table has it.
type logged struct {
	Seq      int64
	ID, Text string
}

// log returns the log of the lobby.
func (r records) log(t *testing.T) (entries []logged) {
	t.Helper()
	out, err := r.api.Query(within(t), &dynamodb.QueryInput{
		TableName: &r.table, KeyConditionExpression: aws.String("pk = :pk"), ConsistentRead: aws.Bool(true),
		ExpressionAttributeValues: map[string]types.AttributeValue{
			":pk": &types.AttributeValueMemberS{Value: "LOG#lobby"},
		},
	})
	if err != nil {
		t.Fatalf("read the log: %v", err)
	}
	for _, block := range out.Items {
		first, err := strconv.ParseInt(block["sk"].(*types.AttributeValueMemberS).Value, 10, 64)
		if err != nil {
			t.Fatalf("the number of a block: %v", err)
		}
		for i, e := range block["e"].(*types.AttributeValueMemberL).Value {
			entry := e.(*types.AttributeValueMemberM).Value
			entries = append(entries, logged{
				Seq:  first + int64(i),
				ID:   entry["id"].(*types.AttributeValueMemberS).Value,
				Text: entry["x"].(*types.AttributeValueMemberS).Value,
			})
		}
	}
	return entries
}

// holds checks that the log has these texts, each once, under consecutive numbers.
func (r records) holds(t *testing.T, texts ...string) []logged {
	t.Helper()
	entries := r.log(t)
	var found []string
	ids := map[string]bool{}
	for i, e := range entries {
		found, ids[e.ID] = append(found, e.Text), true
		if e.Seq != entries[0].Seq+int64(i) {
			t.Errorf("the log has a hole: %+v", entries)
		}
	}
	if !slices.Equal(found, texts) || len(ids) != len(texts) {
		t.Errorf("the log has %+v, want %q, each once", entries, texts)
	}
	return entries
}

// startWithLog starts a stage that keeps messages, with alice and bob in the lobby.
func startWithLog(t *testing.T, parameters map[string]string) (
	stage *stagetest.Stage, client *stageclient.Client, alice, bob *stageclient.Conn,
) {
	t.Helper()
	all := map[string]string{"HistoryDays": "7", "MessagesPerWindow": "1000"}
	for name, value := range parameters {
		all[name] = value
	}
	stage, client = startStage(t, stagetest.Options{Parameters: all})
	return stage, client, connectWithHistory(t, client, "alice"), connectWithHistory(t, client, "bob")
}

func connectWithHistory(t *testing.T, c *stageclient.Client, user string) *stageclient.Conn {
	t.Helper()
	conn, _, err := c.ConnectWithHistory(within(t), user)
	if err != nil {
		t.Fatalf("connect as %s: %v", user, err)
	}
	t.Cleanup(func() { _ = conn.Close() })
	return conn
}

// sayAfter sends a message with its text as its id, from a client that has seen the room up to after.
func sayAfter(t *testing.T, conn *stageclient.Conn, text string, after int64) {
	t.Helper()
	message := stageclient.Outgoing{Text: text, ID: text, Room: "lobby", After: &after}
	if err := conn.Send(within(t), message); err != nil {
		t.Fatalf("send %s: %v", text, err)
	}
}

// outcome reads until the message with that id is acknowledged, or failed, and returns its number, 0 for a failure. It
// adds the messages that it meets to heard.
func outcome(t *testing.T, conn *stageclient.Conn, id string, heard *[]stageclient.Message) int64 {
	t.Helper()
	for ctx := within(t); ; {
		frame, err := conn.Next(ctx)
		if err != nil {
			t.Fatalf("wait for the answer to %s: %v", id, err)
		}
		switch f := frame.(type) {
		case stageclient.Message:
			*heard = append(*heard, f)
		case stageclient.Ack:
			if f.ClientID == id {
				return f.Seq
			}
		case stageclient.GatewayError:
			return 0
		case stageclient.Error:
			t.Fatalf("%s was refused: %+v", id, f)
		}
	}
}

// heardUntil returns the messages that a client gets up to the one with that text.
func heardUntil(t *testing.T, conn *stageclient.Conn, text string) (heard []stageclient.Message) {
	t.Helper()
	for {
		heard = append(heard, await[stageclient.Message](t, conn))
		if heard[len(heard)-1].Text == text {
			return heard
		}
	}
}

// TestASendmessageThatIsCutOffLosesNothing plays a message whose function is killed or cut off at one of its calls. The
// sender sends the message again if it was told of a failure. Then the log has the message once, and everybody has
// heard it under its number.
func TestASendmessageThatIsCutOffLosesNothing(t *testing.T) {
	t.Parallel()
	localOnly(t, "injects faults")
	// The calls of a function that appends to a log: UpdateItem counts the frame, and another one appends. The one that
	// begins a log uses a transaction instead. Then come the posts to sender and member, and the ack.
	counts := localstage.CallFault{Service: "dynamodb", Operation: "UpdateItem", Number: 1}
	begin := localstage.CallFault{Service: "dynamodb", Operation: "TransactWriteItems", Number: 1}
	appends := localstage.CallFault{Service: "dynamodb", Operation: "UpdateItem", Number: 2}
	post := func(number int, effect localstage.CallEffect) localstage.CallFault {
		return localstage.CallFault{Service: "execute-api", Operation: "POST", Number: number, Effect: effect}
	}
	at := func(call localstage.CallFault, effect localstage.CallEffect) localstage.CallFault {
		call.Effect = effect
		return call
	}
	for _, test := range []struct {
		name   string
		fault  localstage.CallFault
		first  bool   // it is the first message of the log
		stored bool   // before it is sent again
		fails  bool   // the sender is told so
		heard  [2]int // by how many frames, at least and at most
	}{
		{"killed before it is counted", counts, false, false, true, [2]int{1, 1}},
		{"killed before it is appended", at(appends, localstage.KillBefore), false, false, true, [2]int{1, 1}},
		{"killed when it is appended", at(appends, localstage.KillAfter), false, true, true, [2]int{1, 1}},
		{"the answer of the append is lost", at(appends, localstage.LoseAnswer), false, true, false, [2]int{1, 1}},
		{"killed before it begins the log", at(begin, localstage.KillBefore), true, false, true, [2]int{1, 1}},
		{"killed when it has begun the log", at(begin, localstage.KillAfter), true, true, true, [2]int{1, 1}},
		{"the answer of the beginning is lost", at(begin, localstage.LoseAnswer), true, true, false, [2]int{1, 1}},
		{"killed before the posts", post(1, localstage.KillBefore), false, true, true, [2]int{1, 2}},
		{"killed between the posts", post(2, localstage.KillBefore), false, true, true, [2]int{1, 2}},
		{"killed before the ack", post(3, localstage.KillBefore), false, true, true, [2]int{2, 2}},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			stage, client, alice, bob := startWithLog(t, nil)
			table := recordsOf(t, client)
			var heard []stageclient.Message // by alice
			var texts []string              // of the log
			position := int64(0)
			if !test.first {
				texts = append(texts, "earlier")
				sayAfter(t, alice, "earlier", position)
				position = outcome(t, alice, "earlier", &heard)
			}
			stage.FailNext("SendMessageFunction", localstage.InvocationFault{AtCall: test.fault})
			sayAfter(t, alice, "message", position)
			seq := outcome(t, alice, "message", &heard)
			if failed := seq == 0; failed != test.fails {
				t.Errorf("the sender was told of a failure: %t, want %t", failed, test.fails)
			}
			if test.stored {
				texts = append(texts, "message")
			}
			before := table.holds(t, texts...)
			if test.fails {
				sayAfter(t, alice, "message", position)
				seq = outcome(t, alice, "message", &heard)
			}
			if test.stored && seq != before[len(before)-1].Seq {
				t.Errorf("the message has the number %d, and was stored as %+v", seq, before)
			}
			if !test.stored {
				texts = append(texts, "message")
			}
			table.holds(t, texts...)

			sayAfter(t, alice, "later", seq)
			if later := outcome(t, alice, "later", &heard); later != seq+1 {
				t.Errorf("the next message has the number %d, want %d", later, seq+1)
			}
			entries := table.holds(t, append(texts, "later")...)
			wantHeard(t, "alice", heard, entries[len(entries)-2], test.heard)
			wantHeard(t, "bob", heardUntil(t, bob, "later"), entries[len(entries)-2], test.heard)
		})
	}
}

// wantHeard checks the frames of one message among those that a user has got.
func wantHeard(t *testing.T, user string, all []stageclient.Message, entry logged, want [2]int) {
	t.Helper()
	count := 0
	for _, m := range all {
		if m.Text != entry.Text {
			continue
		}
		if count++; m.ID != entry.ID || m.Seq != entry.Seq {
			t.Errorf("%s heard %+v, the log has %+v", user, m, entry)
		}
	}
	if count < want[0] || count > want[1] {
		t.Errorf("%s heard %q %d times, want %v: %+v", user, entry.Text, count, want, all)
	}
}

// TestAMessageToAThrottledTableIsNotStored: the sender is told of the failure, and no number is lost.
func TestAMessageToAThrottledTableIsNotStored(t *testing.T) {
	t.Parallel()
	stage, client, alice, bob := startWithLog(t, nil)
	table := recordsOf(t, client)
	var heard []stageclient.Message
	sayAfter(t, alice, "earlier", 0)
	position := outcome(t, alice, "earlier", &heard)
	stage.ThrottleDynamoDB(1)
	sayAfter(t, alice, "message", position)
	if seq := outcome(t, alice, "message", &heard); seq != 0 {
		t.Errorf("the message was acknowledged as %d", seq)
	}
	stage.ThrottleDynamoDB(0)
	table.holds(t, "earlier")
	sayAfter(t, alice, "message", position)
	if seq := outcome(t, alice, "message", &heard); seq != position+1 {
		t.Errorf("the message has the number %d, want %d", seq, position+1)
	}
	entries := table.holds(t, "earlier", "message")
	wantHeard(t, "alice", heard, entries[1], [2]int{1, 1})
	wantHeard(t, "bob", heardUntil(t, bob, "message"), entries[1], [2]int{1, 1})
}

// TestALostPostShowsAsAGap: the gateway says 200, so no function knows of the loss. The next message shows it to the
// member that lacks the message.
func TestALostPostShowsAsAGap(t *testing.T) {
	t.Parallel()
	stage, client, alice, bob := startWithLog(t, nil)
	var heard []stageclient.Message
	stage.FailNext("SendMessageFunction", localstage.InvocationFault{AtCall: localstage.CallFault{
		Service: "execute-api", Operation: "POST", Number: 2, Effect: localstage.DropCall,
	}})
	sayAfter(t, alice, "message", 0)
	position := outcome(t, alice, "message", &heard)
	sayAfter(t, alice, "later", position)
	outcome(t, alice, "later", &heard)
	entries := recordsOf(t, client).holds(t, "message", "later")
	lacking := 0
	for user, frames := range map[string][]stageclient.Message{"alice": heard, "bob": heardUntil(t, bob, "later")} {
		if frames[0].Text == "message" {
			continue
		}
		if lacking++; len(frames) != 1 || frames[0].Seq != entries[0].Seq+1 {
			t.Errorf("%s heard %+v, want the later message alone, with the number behind the missing one", user, frames)
		}
	}
	if lacking != 1 {
		t.Errorf("%d lack the message, want one", lacking)
	}
}

// TestAPartOfARoomThatFanoutLosesShowsAsAGap: with history the part is not tried again.
func TestAPartOfARoomThatFanoutLosesShowsAsAGap(t *testing.T) {
	t.Parallel()
	stage, client, alice, bob := startWithLog(t, map[string]string{"FanoutThreshold": "1"})
	members := []*stageclient.Conn{bob}
	for i := range 3 {
		members = append(members, connectWithHistory(t, client, fmt.Sprintf("user-%d", i)))
	}
	var heard []stageclient.Message
	stage.FailNext("FanoutFunction", localstage.InvocationFault{AtCall: localstage.CallFault{
		Service: "execute-api", Operation: "POST", Number: 1,
	}})
	sayAfter(t, alice, "message", 0)
	position := outcome(t, alice, "message", &heard)
	until(t, "fanout has the part", func(context.Context) bool { return stage.Invocations("FanoutFunction") == 1 })
	sayAfter(t, alice, "later", position)
	outcome(t, alice, "later", &heard)
	entries := recordsOf(t, client).holds(t, "message", "later")
	wantHeard(t, "alice", heard, entries[0], [2]int{1, 1})
	lacking := 0
	for i, conn := range members {
		frames := heardUntil(t, conn, "later")
		if frames[len(frames)-1].Seq != position+1 {
			t.Errorf("member %d heard %+v", i, frames)
		}
		if len(frames) == 1 {
			lacking++
		}
	}
	if lacking < 1 || lacking > 3 { // fanout posts to its three members side by side
		t.Errorf("%d members lack the message, want one to three of those of fanout", lacking)
	}
	if n := stage.Invocations("FanoutFunction"); n != 2 {
		t.Errorf("fanout was invoked %d times, want once for each message", n)
	}
}

// TestTheLogHasEveryMessageOnceDespiteFaults plays writers that send each message again until it is acknowledged.
func TestTheLogHasEveryMessageOnceDespiteFaults(t *testing.T) {
	t.Parallel()
	_, client := startStage(t, stagetest.Options{
		Parameters: map[string]string{"HistoryDays": "7", "MessagesPerWindow": "1000"},
		Faults: localstage.Faults{
			LoseAnswers: 0.03, DelayDynamoDB: 5 * time.Millisecond, TornQueries: 0.3, TransactionConflicts: 0.3,
			LosePosts: 0.03, KillFunctions: 0.03, Seed: 7,
		},
	})
	const users, messages = 4, 10
	var writers sync.WaitGroup
	var want []string
	for i := range users {
		conn := connectPatiently(t, client.ConnectWithHistory, fmt.Sprintf("user-%d", i))
		for n := range messages {
			want = append(want, fmt.Sprintf("%d-%d", i, n))
		}
		writers.Go(func() {
			for n := range messages {
				sendUntilStored(t, conn, fmt.Sprintf("%d-%d", i, n))
			}
		})
	}
	writers.Wait()
	entries := recordsOf(t, client).log(t)
	var found []string
	for i, e := range entries {
		if found = append(found, e.Text); e.Seq != entries[0].Seq+int64(i) {
			t.Errorf("the log has a hole before %+v", e)
		}
	}
	slices.Sort(want)
	slices.Sort(found)
	if !slices.Equal(found, want) {
		t.Errorf("the log has %q, want %q, each once", found, want)
	}
}

// sendUntilStored sends a message until its ack or its own copy comes back. The sender has seen nothing of the room.
func sendUntilStored(t *testing.T, conn *stageclient.Conn, text string) {
	ctx := within(t)
	for seen := int64(0); ctx.Err() == nil; {
		message := stageclient.Outgoing{Text: text, ID: text, Room: "lobby", After: &seen}
		if err := conn.Send(ctx, message); err != nil {
			t.Errorf("send %s: %v", text, err)
			return
		}
		if answered(ctx, conn, text) {
			return
		}
	}
	t.Errorf("%s was not acknowledged in time", text)
}

// answered reads until a message is stored, and reports whether it is, or failed, or a second has passed.
func answered(ctx context.Context, conn *stageclient.Conn, text string) bool {
	ctx, stop := context.WithTimeout(ctx, time.Second)
	defer stop()
	for {
		frame, err := conn.Next(ctx)
		if err != nil {
			return false
		}
		switch f := frame.(type) {
		case stageclient.Message:
			if f.Text == text && f.Seq > 0 {
				return true
			}
		case stageclient.Ack:
			if f.ClientID == text {
				return true
			}
		case stageclient.Error, stageclient.GatewayError:
			return false
		}
	}
}
