package stageclient

import (
	"encoding/json"
	"errors"
	"fmt"
	"time"
)

// ErrMalformedFrame is a frame that is not JSON, or that lacks a member that the contract promises. The connection
// stays usable.
var ErrMalformedFrame = errors.New("malformed frame")

// Frame is a frame from the server: [Message], [Ack], [History], [Synced], [Deleted], [Presence], [Error], [Pong],
// [Bye], [GatewayError] or [Unknown].
type Frame interface{ frame() }

// Message is a message of a member of the room, or of the client itself.
type Message struct {
	ID     string `json:"id"` // the same when a message comes twice
	Room   string `json:"room"`
	From   User   `json:"from"`
	Text   string `json:"message"`
	SentAt int64  `json:"sentAt"` // Unix milliseconds
	Seq    int64  `json:"seq"`    // number in the log of the room; 0 when the stage keeps no history
}

// Time returns when the message was sent.
func (m Message) Time() time.Time { return time.UnixMilli(m.SentAt) }

// Ack says that the log of the room has a message. On a stage without history it says that all members got it. It also
// answers a request to delete a message; ID and Seq are then those of the note in the log.
type Ack struct {
	ID         string `json:"id"`
	ClientID   string `json:"clientId"` // the id that the sender gave it
	Recipients int    `json:"recipients"`
	Delivered  int    `json:"delivered"`
	Gone       int    `json:"gone"`
	Queued     int    `json:"queued"`  // left to other invocations, because the room is too large for one
	Seq        int64  `json:"seq"`     // number in the log of the room; 0 when the stage keeps no history
	Missed     int    `json:"missed"`  // connections that did not take the message; they find it in the log
	Deleted    bool   `json:"deleted"` // the message was sent again after it had been deleted
}

// Deleted says that a message was deleted. It has a number in the log, as a message has.
type Deleted struct {
	Room   string `json:"room"`
	Seq    int64  `json:"seq"`    // number of the note that the message was deleted
	Of     int64  `json:"of"`     // number of the message
	From   User   `json:"from"`   // who deleted it
	SentAt int64  `json:"sentAt"` // Unix milliseconds
}

// Entry returns what the log of the room holds of a deletion.
func (d Deleted) Entry() Entry { return Entry{Seq: d.Seq, Of: d.Of, From: d.From, SentAt: d.SentAt} }

// Presence says which users are in a room.
type Presence struct {
	Room  string `json:"room"`
	N     int64  `json:"n"`     // of two frames on one connection the one with the higher number is newer
	Count int    `json:"count"` // users; several connections of a user count once
	Users []User `json:"users"` // all of them; nil when there are too many
}

// Error says that a frame was refused, and why.
type Error struct {
	Code         string `json:"code"`
	Text         string `json:"message"`
	ClientID     string `json:"clientId"` // of the refused message, when it had one
	RetryAfterMs int64  `json:"retryAfterMs"`
}

// Error names the code, so that a frame can be returned as an error.
func (e Error) Error() string { return "refused with " + e.Code + ": " + e.Text }

// Pong answers a ping.
type Pong struct{}

// Bye says why the server closes the connection.
type Bye struct {
	Code string `json:"code"` // of x-close-codes in asyncapi.yaml; older stages also send too_slow
}

// GatewayError is an error frame of API Gateway: the function of a route failed, possibly after a part of its work.
type GatewayError struct {
	Text         string `json:"message"`
	ConnectionID string `json:"connectionId"`
	RequestID    string `json:"requestId"`
}

// Unknown is a frame of a type that this client does not know.
type Unknown struct{ Raw string }

func (Message) frame()      {}
func (Ack) frame()          {}
func (History) frame()      {}
func (Synced) frame()       {}
func (Deleted) frame()      {}
func (Presence) frame()     {}
func (Error) frame()        {}
func (Pong) frame()         {}
func (Bye) frame()          {}
func (GatewayError) frame() {}
func (Unknown) frame()      {}

// parseFrame reads a frame; the error wraps ErrMalformedFrame.
func parseFrame(data []byte) (Frame, error) {
	var head struct {
		Type      string `json:"type"`
		RequestID string `json:"requestId"`
	}
	if err := json.Unmarshal(data, &head); err != nil {
		return nil, fmt.Errorf("%w: %w", ErrMalformedFrame, err)
	}
	switch head.Type {
	case "message":
		return parseAs(data, func(m Message) bool {
			return m.ID != "" && m.Room != "" && m.From.Sub != "" && m.Text != "" && m.SentAt > 0 && m.Seq >= 0
		})
	case "ack":
		return parseAs(data, func(a Ack) bool { return a.ID != "" })
	case "history":
		return parseHistory(data)
	case "synced":
		return parseAs(data, func(s Synced) bool { return s.Heads != nil })
	case "deleted":
		return parseAs(data, func(d Deleted) bool {
			return d.Room != "" && d.Seq > 0 && d.Of > 0 && d.From.Sub != "" && d.SentAt > 0
		})
	case "presence":
		return parsePresence(data)
	case "error":
		return parseAs(data, func(e Error) bool { return e.Code != "" })
	case "bye":
		return parseAs(data, func(b Bye) bool { return b.Code != "" })
	case "pong":
		return Pong{}, nil
	case "":
		if head.RequestID != "" {
			return parseAs(data, func(GatewayError) bool { return true })
		}
	}
	return Unknown{string(data)}, nil
}

func parseAs[F Frame](data []byte, complete func(F) bool) (Frame, error) {
	var f F
	if err := json.Unmarshal(data, &f); err != nil {
		return nil, fmt.Errorf("%w: %w", ErrMalformedFrame, err)
	}
	if !complete(f) {
		return nil, fmt.Errorf("%w: a member of %T is missing", ErrMalformedFrame, f)
	}
	return f, nil
}
