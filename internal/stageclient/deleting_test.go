package stageclient_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/coder/websocket"

	"signedsocket/internal/stageclient"
)

func TestDeleteWaitsForItsAnswer(t *testing.T) {
	t.Parallel()
	const others = `{"type":"ack","id":"X","clientId":"m-1","recipients":1,"delivered":1,"gone":0}` + "\n" +
		`{"type":"error","code":"busy","message":"Later.","clientId":"m-2","retryAfterMs":1}` + "\n"
	for answer, want := range map[string]string{
		`{"type":"ack","id":"N","clientId":"delete-7","seq":9,"recipients":1,"delivered":1,"gone":0}`: "",
		`{"type":"error","code":"not_yours","message":"It is another's.","clientId":"delete-7"}`:      "not_yours",
		`{"type":"error","code":"unknown_action","message":"There is no such action."}`:               "unknown_action",
		`{"message":"Internal error","connectionId":"C","requestId":"R"}`:                             "Internal error",
		"": "1001",
	} {
		signed := serve(t, func(ctx context.Context, socket *websocket.Conn) {
			_, asked, err := socket.Read(ctx)
			if err != nil || string(asked) != `{"action":"delete","room":"lobby","seq":7,"id":"delete-7"}` {
				t.Errorf("asked %s, %v", asked, err)
			}
			for _, text := range strings.Split(others+answer, "\n") {
				if text != "" {
					_ = socket.Write(ctx, websocket.MessageText, []byte(text))
				}
			}
			socket.Close(websocket.StatusGoingAway, "Going away")
		})
		ack, err := dial(t, signed, stageclient.DialOptions{}).Delete(soon(t), "lobby", 7)
		if want == "" && (err != nil || ack.ID != "N" || ack.Seq != 9) {
			t.Errorf("%s: %+v, %v", answer, ack, err)
		}
		if want != "" && !strings.Contains(fmt.Sprint(err), want) {
			t.Errorf("%s: %v", answer, err)
		}
		if refused := new(stageclient.Error); errors.As(err, refused) != strings.Contains(want, "_") {
			t.Errorf("%s: refused %+v, %v", answer, refused, err)
		}
	}
}

func TestTheHashOfAnErasedUser(t *testing.T) {
	t.Parallel()
	if got := stageclient.ErasedUser("lobby", "alice"); got != "lzcml5goppuh3ayzkwsqft3mgn" {
		t.Errorf("the hash is %s", got)
	}
}
