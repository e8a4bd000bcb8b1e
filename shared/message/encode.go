package message

import (
	"fmt"
	"time"

	"github.com/go-json-experiment/json"
)

// Code is the machine-readable part of an error or bye frame.
type Code string

// The codes of error frames.
const (
	BadMessage      Code = "bad_message"      // the frame is not as it must be
	UnknownAction   Code = "unknown_action"   // no such action
	TooLarge        Code = "too_large"        // frame or text too long
	RoomNotAllowed  Code = "room_not_allowed" // the connection is not in that room
	RateLimited     Code = "rate_limited"     // too many messages; the frame says when to try again
	PartialDelivery Code = "partial_delivery" // a member that reads did not get it; send it again under the same id
	NotConnected    Code = "not_connected"    // the table has no such connection; connect again
	SessionEnded    Code = "session_ended"    // the session is over; connect again
	Busy            Code = "busy"             // the log of the room is; the frame says when to try again
	FarBehind       Code = "far_behind"       // too many entries behind after; read them, then send again
	ReadOnly        Code = "read_only"        // the connection may only read in that room
	NotFound        Code = "not_found"        // the room has no such message any more
	NotYours        Code = "not_yours"        // another user wrote the message
)

// text is the sentence for people. It never depends on the client's text.
func (c Code) text() string {
	switch c {
	case BadMessage:
		return "The frame is not a valid message."
	case UnknownAction:
		return "There is no such action."
	case TooLarge:
		return "The message is too long."
	case RoomNotAllowed:
		return "You are not in that room."
	case RateLimited:
		return "Too many messages, wait a moment."
	case PartialDelivery:
		return "Some members did not get the message, send it again."
	case NotConnected:
		return "This connection is not known any more, connect again."
	case SessionEnded:
		return "The session has ended, connect again."
	case Busy:
		return "The room is busy, try again in a moment."
	case FarBehind:
		return "You have missed too much of the room, read it first."
	case ReadOnly:
		return "You may only read in this room."
	case NotFound:
		return "The room has no such message any more."
	case NotYours:
		return "Only its author or a moderator can delete this message."
	default:
		return "The message was not delivered."
	}
}

// Sender is the author of a message, as in the grant that opened the connection.
type Sender struct {
	Subject string `json:"sub"`
	Name    string `json:"name"`
}

// Message is a message to all members of a room.
type Message struct {
	ID     string
	Seq    int64 // its number in the room, or 0 if no history is kept
	Room   string
	From   Sender
	Text   string
	SentAt time.Time
}

// Encode returns the frame of m: type "message", with sentAt in Unix milliseconds.
func (m Message) Encode() ([]byte, error) {
	return encode("message", struct {
		Type   string `json:"type"`
		ID     string `json:"id"`
		Seq    int64  `json:"seq,omitzero"`
		Room   string `json:"room"`
		From   Sender `json:"from"`
		Text   string `json:"message"`
		SentAt int64  `json:"sentAt"`
	}{"message", m.ID, m.Seq, m.Room, m.From, m.Text, m.SentAt.UnixMilli()})
}

// Ack tells a sender that its message is stored or, where no history is kept, that all members of the room took it.
// Members that do not read are in no count except Recipients.
type Ack struct {
	ID         string // id of the message
	Seq        int64  // its number in the room, or 0 if no history is kept
	ClientID   string // the client's own id for it, or ""
	Recipients int    // members of the room in the table, the sender among them
	Delivered  int    // members that took it
	Gone       int    // members that had ended
	Queued     int    // members left to other invocations, because the room is too large for one
	Missed     int    // members that did not take it, and will find it in the history
	Deleted    bool   // the message was deleted after it had been sent first; only for clients of chat.v2
}

// Encode returns the frame of a: type "ack", without clientId, seq, queued, missed and deleted when there is none.
func (a Ack) Encode() ([]byte, error) {
	return encode("ack", struct {
		Type       string `json:"type"`
		ID         string `json:"id"`
		ClientID   string `json:"clientId,omitzero"`
		Seq        int64  `json:"seq,omitzero"`
		Recipients int    `json:"recipients"`
		Delivered  int    `json:"delivered"`
		Gone       int    `json:"gone"`
		Queued     int    `json:"queued,omitzero"`
		Missed     int    `json:"missed,omitzero"`
		Deleted    bool   `json:"deleted,omitzero"`
	}{"ack", a.ID, a.ClientID, a.Seq, a.Recipients, a.Delivered, a.Gone, a.Queued, a.Missed, a.Deleted})
}

// Error tells a sender that a frame was refused, and the reason.
type Error struct {
	Code       Code
	ClientID   string        // the client's own id for the refused message, or ""
	RetryAfter time.Duration // when to try again, for RateLimited and Busy; rounded up to milliseconds
}

// Encode returns the frame of e: type "error", without clientId and retryAfterMs when there is none.
func (e Error) Encode() ([]byte, error) {
	return encode("error", struct {
		Type         string `json:"type"`
		Code         Code   `json:"code"`
		Text         string `json:"message"`
		ClientID     string `json:"clientId,omitzero"`
		RetryAfterMs int64  `json:"retryAfterMs,omitzero"`
	}{"error", e.Code, e.Code.text(), e.ClientID, roundUp(e.RetryAfter)})
}

// The codes of bye frames, beside SessionEnded.
const (
	Revoked Code = "revoked" // the user may not be connected any more
	Evicted Code = "evicted" // a newer connection of the same user took the place
	Kicked  Code = "kicked"  // too many refused frames
)

// EncodeBye returns the last frame of a connection: type "bye", with the reason's code.
func EncodeBye(code Code) ([]byte, error) {
	return encode("bye", struct {
		Type string `json:"type"`
		Code Code   `json:"code"`
	}{"bye", code})
}

// EncodePong returns the answer to a ping.
func EncodePong() []byte { return []byte(`{"type":"pong"}`) }

func roundUp(d time.Duration) int64 {
	return int64((d + time.Millisecond - 1) / time.Millisecond)
}

func encode(kind string, frame any) ([]byte, error) {
	encoded, err := json.Marshal(frame)
	if err != nil {
		return nil, fmt.Errorf("encode %s frame: %w", kind, err)
	}
	return encoded, nil
}
