package e2e_test

import (
	"context"
	"fmt"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"signedsocket/internal/stageclient"
	"signedsocket/localstage"
	"signedsocket/localstage/stagetest"
)

// crowd connects n users, five connections each.
func crowd(t *testing.T, client *stageclient.Client, n int) []*stageclient.Conn {
	t.Helper()
	conns := make([]*stageclient.Conn, n)
	for i := range conns {
		conns[i] = connect(t, client, fmt.Sprintf("user-%d", i/5))
	}
	return conns
}

// age makes all connections in the table a minute older. A broadcast removes no connection that may be in its
// handshake.
func (r records) age(t *testing.T) {
	t.Helper()
	out, err := r.api.Scan(within(t), &dynamodb.ScanInput{TableName: &r.table})
	if err != nil {
		t.Fatal(err)
	}
	for _, item := range out.Items {
		connectedAt, ok := item["connectedAt"].(*types.AttributeValueMemberN)
		if !ok {
			continue
		}
		at, err := strconv.ParseInt(connectedAt.Value, 10, 64)
		if err != nil {
			t.Fatal(err)
		}
		_, err = r.api.UpdateItem(within(t), &dynamodb.UpdateItemInput{
			TableName: &r.table, Key: map[string]types.AttributeValue{"pk": item["pk"], "sk": item["sk"]},
			UpdateExpression: aws.String("SET connectedAt = :at"),
			ExpressionAttributeValues: map[string]types.AttributeValue{
				":at": &types.AttributeValueMemberN{Value: strconv.FormatInt(at-time.Minute.Milliseconds(), 10)},
			},
		})
		if err != nil {
			t.Fatal(err)
		}
	}
}

// listeners are connections that only read. Each has to get every message. A repeated message has to have the same id.
type listeners struct {
	t    *testing.T
	done sync.WaitGroup
}

// listen lets each connection wait for the given number of different messages.
func listen(t *testing.T, conns []*stageclient.Conn, messages int) *listeners {
	t.Helper()
	l := &listeners{t: t}
	for i, conn := range conns {
		l.done.Go(func() {
			texts := make(map[string]string)
			for ctx := within(t); len(texts) < messages; {
				frame, err := conn.Next(ctx)
				if err != nil {
					t.Errorf("listener %d saw %d of %d messages: %v", i, len(texts), messages, err)
					return
				}
				m, ok := frame.(stageclient.Message)
				if earlier, twice := texts[m.ID]; ok && twice && earlier != m.Text {
					t.Errorf("%q and %q have one id", m.Text, earlier)
				} else if ok {
					texts[m.ID] = m.Text
				}
			}
		})
	}
	return l
}

// speak lets a connection send the given number of messages, and repeats each until it is acknowledged.
func (l *listeners) speak(conn *stageclient.Conn, messages int) {
	l.t.Helper()
	(&chatterer{t: l.t, user: "speaker", conn: conn}).chat(messages, messages)
	l.done.Wait()
}

func TestStaleRecordsAreGoneAfterOneBroadcast(t *testing.T) {
	t.Parallel()
	for name, threshold := range map[string]string{"by sendmessage": "2000", "by fanout": "1"} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			stage, client := startStage(t, stagetest.Options{
				Faults:     localstage.Faults{LoseDisconnects: 1, Seed: 7},
				Parameters: map[string]string{"FanoutThreshold": threshold},
			})
			conns := crowd(t, client, 20)
			for _, conn := range conns[1:7] { // 30 %
				conn.Abort()
			}
			stage.AwaitConnections(t, 14)
			table := recordsOf(t, client)
			table.age(t)

			send(t, conns[0], "who is there?", "1")
			if got := await[stageclient.Ack](t, conns[0]); got.Recipients != 20 ||
				got.Delivered+got.Gone+got.Queued != 20 || got.Queued == 0 && got.Gone != 6 {
				t.Errorf("acknowledged as %+v, want 14 of 20 delivered and 6 gone", got)
			}
			until(t, "the stale records are gone", func(ctx context.Context) bool {
				users, err := table.members(ctx)
				left := 0
				for _, connections := range users {
					left += connections
				}
				return err == nil && left == 14
			})
			send(t, conns[0], "and now?", "2")
			if got := await[stageclient.Ack](t, conns[0]); got.Recipients != 14 || got.Gone != 0 {
				t.Errorf("acknowledged as %+v, want 14 recipients", got)
			}
		})
	}
}

func TestNoMemberMissesAMessageWhenPostsAreThrottled(t *testing.T) {
	t.Parallel()
	_, client := startStage(t, stagetest.Options{Faults: localstage.Faults{LimitPosts: 0.1, Seed: 7},
		Parameters: map[string]string{"MessagesPerWindow": "1000"}})
	conns := crowd(t, client, 30)
	listen(t, conns[1:], 20).speak(conns[0], 20)
}

func TestNoMemberMissesAMessageWhenAFunctionDiesInTheMiddle(t *testing.T) {
	t.Parallel()
	var broadcasts atomic.Int32
	_, client := startStage(t, stagetest.Options{
		Parameters: map[string]string{"MessagesPerWindow": "1000"},
		Configure: func(c *localstage.Config) {
			// Every other broadcast dies, each later than the one before.
			c.FunctionFault = func(function string) localstage.InvocationFault {
				if !strings.Contains(function, "SendMessage") || broadcasts.Add(1)%2 == 0 {
					return localstage.InvocationFault{}
				}
				after := time.Duration(broadcasts.Load()) * time.Millisecond
				return localstage.InvocationFault{Kill: true, KillAfter: after}
			}
		},
	})
	conns := crowd(t, client, 40)
	listen(t, conns[1:], 8).speak(conns[0], 8)
}

func TestNoMemberMissesAMessageWhenTheTableIsThrottledForAWhile(t *testing.T) {
	t.Parallel()
	stage, client := startStage(t, stagetest.Options{Parameters: map[string]string{"MessagesPerWindow": "1000"}})
	conns := crowd(t, client, 5)
	listening := listen(t, conns[1:], 3)
	stage.ThrottleDynamoDB(1)
	over := time.AfterFunc(5*time.Second, func() { stage.ThrottleDynamoDB(0) })
	defer over.Stop()
	listening.speak(conns[0], 3)
}

// TestAConnectionThatDoesNotReadIsClosed: the stage's dice choose the second connection, which never reads. After some
// frames the gateway takes no more for it. Two broadcasts wait a moment for it, and are acknowledged. Later broadcasts
// find its records removed.
func TestAConnectionThatDoesNotReadIsClosed(t *testing.T) {
	t.Parallel()
	stage, client := startStage(t, stagetest.Options{
		Faults:     localstage.Faults{HoldReaders: 0.5, Seed: hangingSecond},
		Parameters: map[string]string{"MessagesPerWindow": "1000"},
	})
	alice, bob, carol := connect(t, client, "alice"), connect(t, client, "bob"), connect(t, client, "carol")
	defer bob.Abort()
	fill := strings.Repeat("あ", 1300) // as much as a frame may have
	missed := 0                       // broadcasts that bob did not get
	for i := 0; missed < 2; i++ {
		send(t, alice, fill, strconv.Itoa(i))
		got, ok := nextAnswer(t, alice).(stageclient.Ack)
		if !ok || got.Recipients != 3 || got.Delivered < 2 || i > 400 {
			t.Fatalf("message %d was answered %+v", i, got)
		}
		missed += got.Recipients - got.Delivered
	}
	send(t, alice, fill, "next")
	if got, ok := nextAnswer(t, alice).(stageclient.Ack); !ok || got.Recipients != 2 || got.Delivered != 2 {
		t.Errorf("the next message was answered %+v, want an ack for two recipients", got)
	}
	send(t, carol, "I read everything", "")
	for text := ""; text != "I read everything"; {
		text = await[stageclient.Message](t, carol).Text
	}
	if answer := mustInvokeReaper(t, client, scheduledEvent); answer["closed"] != 1.0 {
		t.Errorf("the reaper answered %v, want one closed", answer)
	}
	stage.AwaitConnections(t, 2)
}

// hangingSecond seeds dice that choose the second of three connections, and no other.
const hangingSecond = 3

// nextAnswer returns the next ack or error.
func nextAnswer(t *testing.T, conn *stageclient.Conn) stageclient.Frame {
	t.Helper()
	for ctx := within(t); ; {
		frame, err := conn.Next(ctx)
		if err != nil {
			t.Fatal(err)
		}
		switch frame.(type) {
		case stageclient.Ack, stageclient.Error:
			return frame
		}
	}
}
