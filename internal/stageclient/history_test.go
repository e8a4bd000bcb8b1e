package stageclient_test

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"testing"

	"github.com/coder/websocket"
	"github.com/google/go-cmp/cmp"

	"signedsocket/internal/stageclient"
)

func TestFramesOfTheHistory(t *testing.T) {
	t.Parallel()
	alice := stageclient.User{Sub: "alice", Name: "Alice"}
	number := func(n int64) *int64 { return &n }
	tests := []struct {
		text string
		want stageclient.Frame // nil: malformed
	}{
		{`{"type":"message","id":"I","seq":7,"room":"lobby","from":{"sub":"alice","name":"Alice"},"message":"hi",` +
			`"sentAt":9}`,
			stageclient.Message{ID: "I", Seq: 7, Room: "lobby", From: alice, Text: "hi", SentAt: 9}},
		{`{"type":"ack","id":"I","clientId":"c","seq":7,"recipients":3,"delivered":2,"gone":0,"missed":1}`,
			stageclient.Ack{ID: "I", ClientID: "c", Seq: 7, Recipients: 3, Delivered: 2, Missed: 1}},
		{`{"type":"history","room":"lobby","clientId":"h7","after":0,"entries":[{"seq":1,"id":"I","from":` +
			`{"sub":"alice","name":"Alice"},"message":"hi","sentAt":9},{"seq":2,"id":"J","deleted":true},{"seq":3,` +
			`"erased":"abc","sentAt":9}],"head":4,"complete":true,"more":true,"keepDays":7}`,
			stageclient.History{Room: "lobby", ClientID: "h7", After: number(0), Head: 4, Complete: true, More: true,
				KeepDays: 7, Entries: []stageclient.Entry{{Seq: 1, ID: "I", From: alice, Text: "hi", SentAt: 9},
					{Seq: 2, ID: "J", Deleted: true}, {Seq: 3, SentAt: 9, Erased: "abc"}}}},
		{`{"type":"history","room":"lobby","last":5,"entries":[{"seq":3,"of":2,"from":{"sub":"alice","name":"Alice"},` +
			`"sentAt":9}],"head":3,"more":false,"keepDays":7,"read":2}`,
			stageclient.History{Room: "lobby", Last: 5, Head: 3, KeepDays: 7, Read: 2,
				Entries: []stageclient.Entry{{Seq: 3, Of: 2, From: alice, SentAt: 9}}}},
		{`{"type":"history","room":"lobby","last":5,"entries":[],"head":0,"more":false,"keepDays":0}`,
			stageclient.History{Room: "lobby", Last: 5, Entries: []stageclient.Entry{}}},
		{`{"type":"synced","clientId":"h7","heads":{"lobby":4}}`,
			stageclient.Synced{ClientID: "h7", Heads: map[string]int64{"lobby": 4}}},
		{`{"type":"synced","heads":{"lobby":4},"read":{"lobby":3}}`,
			stageclient.Synced{Heads: map[string]int64{"lobby": 4}, Read: map[string]int64{"lobby": 3}}},
		{`{"type":"ack","id":"I","clientId":"c","seq":7,"deleted":true,"recipients":0,"delivered":0,"gone":0}`,
			stageclient.Ack{ID: "I", ClientID: "c", Seq: 7, Deleted: true}},
		{`{"type":"deleted","room":"lobby","seq":3,"of":2,"from":{"sub":"alice","name":"Alice"},"sentAt":9}`,
			stageclient.Deleted{Room: "lobby", Seq: 3, Of: 2, From: alice, SentAt: 9}},
		{`{"type":"presence","room":"lobby","n":4,"count":1,"users":[{"sub":"alice","name":"Alice"}]}`,
			stageclient.Presence{Room: "lobby", N: 4, Count: 1, Users: []stageclient.User{alice}}},
		{`{"type":"presence","room":"lobby","n":0,"count":0}`, stageclient.Presence{Room: "lobby"}},
		{`{"type":"deleted","room":"lobby","seq":3,"from":{"sub":"alice","name":"Alice"},"sentAt":9}`, nil},
		{`{"type":"deleted","room":"lobby","of":3,"from":{"sub":"alice","name":"Alice"},"sentAt":9}`, nil},
		{`{"type":"deleted","seq":3,"of":2,"from":{"sub":"alice","name":"Alice"},"sentAt":9}`, nil},
		{`{"type":"presence","room":"lobby","n":4}`, nil},
		{`{"type":"presence","room":"lobby","count":4}`, nil},
		{`{"type":"presence","n":4,"count":4}`, nil},
		{`{"type":"presence","room":"lobby","n":4,"count":1,"users":[{"name":"Alice"}]}`, nil},
		{`{"type":"presence","room":"lobby","n":4,"count":1,"users":7}`, nil},
		{`{"type":"history","room":"lobby","last":5,"entries":[{"seq":1,"of":-2}],"head":1,"more":false,` +
			`"keepDays":7}`, nil},
		{`{"type":"history","room":"lobby","last":5,"entries":[{"seq":1,"id":"I","from":{"sub":"a","name":"A"},` +
			`"message":"hi","deleted":true,"sentAt":9}],"head":1,"more":false,"keepDays":7}`, nil},
		{`{"type":"synced","clientId":"h7"}`, nil},
		{`{"type":"history","room":"lobby","last":5,"entries":[],"more":false,"keepDays":7}`, nil},
		{`{"type":"history","room":"lobby","entries":[],"head":0,"more":false,"keepDays":7}`, nil},
		{`{"type":"history","last":5,"entries":[],"head":0,"more":false,"keepDays":7}`, nil},
		{`{"type":"history","room":"lobby","after":5,"entries":[],"head":0,"more":false,"keepDays":7}`, nil},
		{`{"type":"history","room":"lobby","last":5,"entries":[{"id":"I"}],"head":0,"more":false,"keepDays":7}`, nil},
		{`{"type":"history","room":"lobby","last":5,"entries":[{"seq":1,"message":"hi"}],"head":1,"more":false,` +
			`"keepDays":7}`, nil},
		{`{"type":"history","room":"lobby","last":5,"entries":7,"head":1,"more":false,"keepDays":7}`, nil},
		{`{"type":"message","id":"I","seq":-7,"room":"lobby","from":{"sub":"alice","name":"Alice"},"message":"hi",` +
			`"sentAt":9}`, nil},
	}
	signed := serve(t, func(ctx context.Context, socket *websocket.Conn) {
		for _, test := range tests {
			_ = socket.Write(ctx, websocket.MessageText, []byte(test.text))
		}
		socket.Close(websocket.StatusGoingAway, "Going away")
	})
	conn := dial(t, signed, stageclient.DialOptions{})
	for _, test := range tests {
		got, err := conn.Next(soon(t))
		if diff := cmp.Diff(test.want, got); diff != "" ||
			(test.want == nil) != errors.Is(err, stageclient.ErrMalformedFrame) {
			t.Errorf("%s: error %v\n%s", test.text, err, diff)
		}
	}
}

func TestAClientThatOffersHistory(t *testing.T) {
	t.Parallel()
	for chosen, server := range map[string][]string{"chat.v2": {"chat.v2", "chat.v1"}, "chat.v1": {"chat.v1"}} {
		t.Run("server with "+chosen, func(t *testing.T) {
			t.Parallel()
			got := make(chan string, 10)
			var offered string
			stage := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				offered = r.Header.Get("Sec-WebSocket-Protocol")
				socket, err := websocket.Accept(w, r, &websocket.AcceptOptions{Subprotocols: server})
				if err != nil {
					t.Error(err)
					return
				}
				defer close(got)
				for {
					_, data, err := socket.Read(r.Context())
					if err != nil {
						return
					}
					got <- string(data)
				}
			}))
			t.Cleanup(stage.Close)
			signed := &stageclient.Signed{URL: stage.URL, Protocols: []string{"chat.v1"}}
			conn := dial(t, signed, stageclient.DialOptions{Verifier: "v", Protocols: stageclient.WithHistory()})
			after := int64(0)
			for _, err := range []error{
				conn.History(soon(t), "h1", stageclient.WantAfter("a", 0), stageclient.WantLast("b", 5)),
				conn.History(soon(t), "", stageclient.WantBefore("a", 7, 0), stageclient.WantBefore("b", 7, 9)),
				conn.Send(soon(t), stageclient.Outgoing{Text: "hi", ID: "1", After: &after}), conn.Close(),
			} {
				if err != nil {
					t.Error(err)
				}
			}
			var frames []string
			for frame := range got {
				frames = append(frames, frame)
			}
			want := []string{`{"action":"history","want":[{"room":"a","after":0},{"room":"b","last":5}],"id":"h1"}`,
				`{"action":"history","want":[{"room":"a","before":7},{"room":"b","before":7,"limit":9}]}`,
				`{"action":"sendmessage","message":"hi","id":"1","after":0}`}
			if diff := cmp.Diff(want, frames); diff != "" {
				t.Error(diff)
			}
			if offered != "chat.v2,chat.v1,pop.v" || conn.Subprotocol() != chosen {
				t.Errorf("offered %q, chosen %q", offered, conn.Subprotocol())
			}
		})
	}
}

// The stage's own test reads the same examples.
func TestMessageIDsAreThoseOfTheStage(t *testing.T) {
	t.Parallel()
	text, err := os.ReadFile("../../shared/message/testdata/ids.json")
	if err != nil {
		t.Fatal(err)
	}
	var examples []struct{ Sub, Room, ClientID, ID string }
	if err := json.Unmarshal(text, &examples); err != nil || len(examples) == 0 {
		t.Fatal(err, len(examples))
	}
	for _, e := range examples {
		if got := stageclient.MessageID(e.Sub, e.Room, e.ClientID); got != e.ID || strings.TrimSpace(got) == "" {
			t.Errorf("the id of %+v is %s", e, got)
		}
	}
}
