package e2e_test

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"signedsocket/internal/stageclient"
	"signedsocket/localstage"
	"signedsocket/localstage/stagetest"
)

// startLargeRoom starts a stage and connects 25 clients. sendmessage takes five recipients beside the sender, and a
// minute takes a tenth of a second. fault decides what happens to an invocation of fanout. edit, which may be nil,
// changes the template.
func startLargeRoom(
	t *testing.T, fault func(invocation int32) localstage.InvocationFault, edit func(template string) string,
) (*stagetest.Stage, []*stageclient.Conn) {
	t.Helper()
	var invocations atomic.Int32
	stage, client := startStage(t, stagetest.Options{
		Edit: edit,
		Parameters: map[string]string{
			"FanoutThreshold": "5", "MessagesPerWindow": "1000", "HistoryDays": "0", // so fanout repeats
		},
		Configure: func(c *localstage.Config) {
			c.Clock = hurriedClock{started: time.Now()}
			c.IdleTimeout, c.MaxAge = 240*time.Hour, 480*time.Hour
			c.FunctionFault = func(function string) localstage.InvocationFault {
				if !strings.Contains(function, "-Fanout") {
					return localstage.InvocationFault{}
				}
				return fault(invocations.Add(1))
			}
		},
	})
	return stage, crowd(t, client, 25)
}

func noFault(int32) localstage.InvocationFault { return localstage.InvocationFault{} }

func TestALargeRoomIsSharedWithFanout(t *testing.T) {
	t.Parallel()
	stage, conns := startLargeRoom(t, noFault, nil)
	send(t, conns[0], "hello", "1")
	if got := await[stageclient.Ack](t, conns[0]); got.Recipients != 25 || got.Delivered != 6 || got.Queued != 19 {
		t.Errorf("acknowledged as %+v, want 6 of 25 delivered and 19 queued", got)
	}
	for i, conn := range conns[1:] {
		if got := await[stageclient.Message](t, conn); got.Text != "hello" {
			t.Errorf("%d received %+v", i+1, got)
		}
	}
	if n := stage.Invocations("FanoutFunction"); n != 1 {
		t.Errorf("fanout was invoked %d times, want once", n)
	}
}

// TestAPartOfADeadFunctionIsDeliveredByTheNextOne kills every other invocation. Some end before they are killed, so the
// test goes on until one is killed in time.
func TestAPartOfADeadFunctionIsDeliveredByTheNextOne(t *testing.T) {
	t.Parallel()
	stage, conns := startLargeRoom(t, func(invocation int32) localstage.InvocationFault {
		return localstage.InvocationFault{Kill: invocation%2 == 1}
	}, nil)
	sent := 0
	for ; stage.Invocations("FanoutFunction") <= sent; sent++ {
		listening := listen(t, conns[1:], 1)
		send(t, conns[0], "hello", fmt.Sprint(sent))
		if listening.done.Wait(); t.Failed() || sent == 100 {
			break
		}
	}
	if n := stage.Invocations("FanoutFunction"); n <= sent {
		t.Errorf("fanout was invoked %d times for %d messages, although every other invocation is killed", n, sent)
	}
}

func TestUndeliveredPartsOfFanoutAreKept(t *testing.T) {
	t.Parallel()
	// Without this variable the function does not start.
	const fanout, name = "\n  FanoutFunction:\n", "          STACK_NAME: !Ref AWS::StackName\n"
	stage, conns := startLargeRoom(t, noFault, func(template string) string {
		before, function, _ := strings.Cut(template, fanout)
		return before + fanout + strings.Replace(function, name, "", 1)
	})
	send(t, conns[0], "the text of a message", "1")
	await[stageclient.Ack](t, conns[0])
	path := stage.FailedEvents("FanoutFailures")
	until(t, "a failed event is kept", func(context.Context) bool {
		_, err := os.Stat(path)
		return err == nil
	})
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	var record struct {
		RequestContext struct {
			FunctionARN, Condition string
			ApproximateInvokeCount int
		}
		RequestPayload struct {
			Room, Frame string
			Members     []struct{ ID string }
		}
		ResponseContext struct{ FunctionError string }
	}
	if err := json.Unmarshal(data, &record); err != nil {
		t.Fatalf("%s: %v", data, err)
	}
	c, p := record.RequestContext, record.RequestPayload
	givenUp := c.Condition == "RetriesExhausted" && c.ApproximateInvokeCount == 3 ||
		// on a slow machine five minutes of this clock may pass earlier
		c.Condition == "EventAgeExceeded" && c.ApproximateInvokeCount == 2
	if !givenUp || !strings.Contains(c.FunctionARN, "Fanout") || record.ResponseContext.FunctionError == "" {
		t.Errorf("the record says %+v, %+v", c, record.ResponseContext)
	}
	if p.Room != "lobby" || len(p.Members) != 19 || !strings.Contains(p.Frame, "the text of a message") {
		t.Errorf("the event was for %d members of %s: %s", len(p.Members), p.Room, p.Frame)
	}
	if info, err := os.Stat(path); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("the file with messages has the mode %v, %v", info.Mode(), err)
	}
}
