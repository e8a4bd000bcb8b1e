package message

import (
	"unicode/utf8"

	"github.com/go-json-experiment/json"

	"signedsocket/shared/text"
	"signedsocket/shared/userid"
)

const (
	// ActionSend is the action of a frame that carries a message.
	ActionSend = "sendmessage"

	maxBody     = 4 << 10 // bytes of a frame
	maxText     = 2000    // code points of a message
	maxClientID = 36      // as long as a UUID
)

// Send is a client's message to deliver.
type Send struct {
	Text     string // clean text of 1 to 2,000 code points, in normal form C
	Room     string // as the client wrote it, or "" when it named none
	ClientID string // the client's id for the message, [A-Za-z0-9_-]{1,36}, or ""
	// After is a number of the room. The client has seen every entry up to it, and the message is not among them. It is
	// 0 if the room was empty, and nil if the client does not know.
	After *int64
}

// sendFrame is the wire form. Action is a pointer because a frame without action is allowed and one with an empty
// action is not.
type sendFrame struct {
	Action  *string `json:"action"`
	Message string  `json:"message"`
	Room    string  `json:"room"`
	ID      string  `json:"id"`
	After   *int64  `json:"after"`
}

// Decode reads a frame of the action ActionSend, or without action. It takes exactly one JSON object with the known
// names. It refuses an unknown or repeated name, another letter case, a value of another type, a negative number,
// invalid UTF-8 and anything after the object. A member that is null counts as absent. The code is "" for a good frame,
// and otherwise BadMessage, TooLarge or UnknownAction. Of a bad frame only ClientID is set, if it could be read, so
// that the answer can name it.
func Decode(body string) (Send, Code) {
	if len(body) > maxBody { // mutate:frame-size
		return Send{}, TooLarge
	}
	var frame sendFrame
	strict := json.RejectUnknownMembers(true) // mutate:frame-unknown-members
	if err := json.Unmarshal([]byte(body), &frame, strict); err != nil {
		return Send{}, whyNot(body)
	}
	if frame.ID != "" && !userid.IsWord(frame.ID, maxClientID) {
		return Send{}, BadMessage
	}
	refused := Send{ClientID: frame.ID}
	if frame.Action != nil && *frame.Action != ActionSend {
		return refused, UnknownAction
	}
	clean, ok := text.Clean(frame.Message)
	switch {
	case !ok, clean == "":
		return refused, BadMessage
	case frame.After != nil && *frame.After < 0: // mutate:frame-after => case false:
		return refused, BadMessage
	case utf8.RuneCountInString(clean) > maxText:
		return refused, TooLarge
	}
	return Send{Text: clean, Room: frame.Room, ClientID: frame.ID, After: frame.After}, ""
}

// whyNot tells a frame of another action, whose other members we do not know, from a bad one.
func whyNot(body string) Code {
	var frame struct {
		Action *string `json:"action"`
	}
	if err := json.Unmarshal([]byte(body), &frame); err == nil && frame.Action != nil && *frame.Action != ActionSend {
		return UnknownAction
	}
	return BadMessage
}
