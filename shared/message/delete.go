package message

import (
	"github.com/go-json-experiment/json"

	"signedsocket/shared/userid"
)

// ActionDelete is the action of a frame that deletes a message.
const ActionDelete = "delete"

// Delete asks to delete a message.
type Delete struct {
	Room     string // as the client wrote it, never ""
	Seq      int64  // number of the message, 1 or more
	ClientID string // the client's id for the request, [A-Za-z0-9_-]{1,36}, or ""
}

// deleteFrame is the wire form. A pointer tells an absent number from 0.
type deleteFrame struct {
	Action string `json:"action"`
	Room   string `json:"room"`
	Seq    *int64 `json:"seq"`
	ID     string `json:"id"`
}

// DecodeDelete reads a frame of the action ActionDelete, as strictly as DecodeHistoryRequest. The code is "" for a good
// frame, and otherwise BadMessage or TooLarge. Of a bad frame only ClientID is set, if it could be read, so that the
// answer can name it.
func DecodeDelete(body string) (Delete, Code) {
	if len(body) > maxBody { // mutate:delete-size
		return Delete{}, TooLarge
	}
	var frame deleteFrame
	strict := json.RejectUnknownMembers(true) // mutate:delete-unknown-members
	if err := json.Unmarshal([]byte(body), &frame, strict); err != nil {
		return Delete{}, BadMessage
	}
	if frame.ID != "" && !userid.IsWord(frame.ID, maxClientID) {
		return Delete{}, BadMessage
	}
	if frame.Action != ActionDelete || frame.Room == "" || !isNumber(frame.Seq, 1) { // mutate:delete-number
		return Delete{ClientID: frame.ID}, BadMessage
	}
	return Delete{Room: frame.Room, Seq: *frame.Seq, ClientID: frame.ID}, ""
}
