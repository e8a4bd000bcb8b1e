package message

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/go-json-experiment/json"

	"signedsocket/protocol"
)

// codes are all codes of error frames.
func codes() []Code {
	return []Code{
		BadMessage, UnknownAction, TooLarge, RoomNotAllowed, RateLimited, PartialDelivery, NotConnected, SessionEnded,
		Busy, FarBehind, ReadOnly, NotFound, NotYours,
	}
}

func TestDecodeAcceptsTheExamplesOfTheProtocol(t *testing.T) {
	t.Parallel()
	for _, frame := range protocol.Examples(t, ActionSend) {
		if sent, code := Decode(frame); code != "" || sent.Text == "" {
			t.Errorf("%s is refused with %s", frame, code)
		}
	}
}

func TestDecodeHistoryRequestAcceptsTheExamplesOfTheProtocol(t *testing.T) {
	t.Parallel()
	for _, frame := range protocol.Examples(t, "historyRequest") {
		if request, code := DecodeHistoryRequest(frame); code != "" || len(request.Rooms()) == 0 {
			t.Errorf("%s is refused with %s", frame, code)
		}
	}
	contract := protocol.Read(t)
	if got := contract.Components.Messages["historyRequest"].MaxBytes; got != maxBody {
		t.Errorf("the protocol allows %d bytes, and DecodeHistoryRequest %d", got, maxBody)
	}
	if got := contract.Components.Messages["history"].MaxBytes; got != maxHistory {
		t.Errorf("the protocol allows %d bytes in a history frame, and the server sends %d", got, maxHistory)
	}
}

func TestDecodeDeleteAcceptsTheExamplesOfTheProtocol(t *testing.T) {
	t.Parallel()
	for _, frame := range protocol.Examples(t, ActionDelete) {
		if request, code := DecodeDelete(frame); code != "" || request.Seq == 0 {
			t.Errorf("%s is refused with %s", frame, code)
		}
	}
	if got := protocol.Read(t).Components.Messages[ActionDelete].MaxBytes; got != maxBody {
		t.Errorf("the protocol allows %d bytes, and DecodeDelete %d", got, maxBody)
	}
}

func TestTheProtocolHasTheLimitsOfDecodeDelete(t *testing.T) {
	t.Parallel()
	const request = `{"action":"delete","room":"a","seq":`
	for frame, good := range map[string]bool{
		request + `1}`:                true,
		request + `0}`:                false,
		request + `9007199254740991}`: true,
		request + `9007199254740992}`: false,
		request + `1,"id":"` + strings.Repeat("a", maxClientID) + `"}`:   true,
		request + `1,"id":"` + strings.Repeat("a", maxClientID+1) + `"}`: false,
		request + `1,"message":"a"}`:                                     false,
		`{"action":"delete","seq":1}`:                                    false,
		`{"action":"delete","room":"a"}`:                                 false,
	} {
		_, code := DecodeDelete(frame)
		if err := protocol.FromClient([]byte(frame)); (err == nil) != good || (code == "") != good {
			t.Errorf("%s: DecodeDelete says %q, the protocol %v", frame, code, err)
		}
	}
}

func TestTheProtocolHasTheLimitsOfDecode(t *testing.T) {
	t.Parallel()
	contract := protocol.Read(t)
	if got := contract.Components.Messages[ActionSend].MaxBytes; got != maxBody {
		t.Errorf("the protocol allows %d bytes, and Decode %d", got, maxBody)
	}
	for frame, good := range map[string]bool{
		`{"message":"` + strings.Repeat("é", maxText) + `"}`:                        true,
		`{"message":"` + strings.Repeat("a", maxText+1) + `"}`:                      false,
		`{"message":"hi","id":"` + strings.Repeat("a", maxClientID) + `"}`:          true,
		`{"message":"hi","id":"` + strings.Repeat("a", maxClientID+1) + `"}`:        false,
		`{"message":"hi","after":0}`:                                                true,
		`{"message":"hi","after":9223372036854775807}`:                              true,
		`{"message":"hi","after":9223372036854775808}`:                              false,
		`{"message":"hi","after":-1}`:                                               false,
		`{"message":"hi","after":1.5}`:                                              false,
		`{"message":"hi","after":"1"}`:                                              false,
		`{"message":"hi"}` + strings.Repeat(" ", maxBody-len(`{"message":"hi"}`)):   true,
		`{"message":"hi"}` + strings.Repeat(" ", maxBody-len(`{"message":"hi"}`)+1): false,
	} {
		_, code := Decode(frame)
		if err := protocol.FromClient([]byte(frame)); (err == nil) != good || (code == "") != good {
			t.Errorf("%.40s… of %d bytes: Decode says %q, the protocol %v", frame, len(frame), code, err)
		}
	}
}

func TestEveryFrameKeepsToTheProtocol(t *testing.T) {
	t.Parallel()
	id, err := NewID(time.UnixMilli(1795327200123))
	if err != nil {
		t.Fatal(err)
	}
	derived := IDFor("alice", "lobby", "m-1")
	frames := []interface{ Encode() ([]byte, error) }{
		Message{ID: id, Room: "lobby", From: Sender{"alice", "Alice"}, Text: "a<b>\n\"", SentAt: time.UnixMilli(1)},
		Message{ID: derived, Room: "lobby", From: Sender{"guest-abc", "あ"}, Text: "😀", SentAt: time.UnixMilli(1)},
		Ack{ID: id, Recipients: 1}, Ack{ID: derived, ClientID: "m-1", Recipients: 3, Delivered: 2, Gone: 1},
		Ack{ID: id, Recipients: 9, Delivered: 3, Gone: 1, Queued: 5},
		Message{ID: id, Seq: 1795327200123, Room: "lobby", From: Sender{"alice", "Alice"}, Text: "hi",
			SentAt: time.UnixMilli(1)},
		Ack{ID: id, Seq: 1795327200123, Recipients: 9, Delivered: 3, Missed: 6},
		Ack{ID: id, Seq: 1795327200123, Deleted: true}, Ack{ID: id, Seq: 7, Recipients: 1, Deleted: true},
		Deleted{Room: "lobby", Seq: 9, Of: 7, From: Sender{"alice", "Alice"}, SentAt: time.UnixMilli(1)},
		Presence{Room: "lobby", N: 42, Count: 1, Users: []Sender{{"alice", "Alice"}}},
		Presence{Room: "lobby", N: 42, Count: 0, Users: []Sender{}}, Presence{Room: "lobby", Count: 500},
		Synced{Heads: map[string]int64{"a": 7, "b": 0}, Read: map[string]int64{"a": 5}},
		Synced{Heads: map[string]int64{"a": 7}, Read: map[string]int64{}},
		History{Want: Want{Room: "lobby", Part: Last, Limit: 5}, Head: 9, Read: 7, KeepDays: 7},
		History{Want: Want{Room: "lobby", Part: After, Number: 5}, Head: 9, KeepDays: 7, Entries: []Entry{
			{Seq: 6, ID: id, From: Sender{"alice", "Alice"}, Text: "hi", SentAt: time.UnixMilli(1)},
			{Seq: 7, ID: id, Deleted: true}, {Seq: 8, Of: 7, From: Sender{"mod", "Mod"}, SentAt: time.UnixMilli(1)},
			{Seq: 8, Of: 7, SentAt: time.UnixMilli(1)}, // by a user who was erased
			{Seq: 9, Erased: "lzcml5goppuh3ayzkwsqft3mgn", SentAt: time.UnixMilli(1)},
		}},
	}
	for _, code := range codes() {
		wait := time.Duration(0)
		if code == RateLimited || code == Busy {
			wait = time.Nanosecond
		}
		frames = append(frames, Error{Code: code, RetryAfter: wait}, Error{code, "m-1", wait})
	}
	for _, frame := range frames {
		encoded, err := frame.Encode()
		if err == nil {
			err = protocol.FromServer(encoded)
		}
		if err != nil {
			t.Errorf("%s: %v", encoded, err)
		}
	}
	if err := protocol.FromServer(EncodePong()); err != nil {
		t.Error(err)
	}
}

func TestTheProtocolListsTheCodesOfErrorFrames(t *testing.T) {
	t.Parallel()
	contract := protocol.Read(t)
	for _, listed := range contract.ErrorCodes {
		if !slices.Contains(codes(), Code(listed.Code)) {
			t.Errorf("the protocol lists %s, which no frame has", listed.Code)
		}
	}
	if len(contract.ErrorCodes) != len(codes()) {
		t.Errorf("the protocol lists %d codes, and there are %d", len(contract.ErrorCodes), len(codes()))
	}
}

func TestTheExamplesOfErrorFramesHaveTheSentencesOfTheCodes(t *testing.T) {
	t.Parallel()
	for _, text := range protocol.Examples(t, "error") {
		var frame struct {
			Code    Code   `json:"code"`
			Message string `json:"message"`
		}
		if err := json.Unmarshal([]byte(text), &frame); err != nil || frame.Message != frame.Code.text() {
			t.Errorf("the example %s has another sentence than the server: %q, %v", text, frame.Code.text(), err)
		}
	}
}
