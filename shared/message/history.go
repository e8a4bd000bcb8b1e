package message

import (
	"slices"
	"time"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
)

// maxHistory is how many bytes a history frame has at most. API Gateway bills a frame by 32 KB, and sends a longer one
// in several parts.
const maxHistory = 30_000

// Entry is an entry of a room's log: a message, a message without its text, or a note.
type Entry struct {
	Seq     int64 // its number
	ID      string
	From    Sender
	Text    string
	SentAt  time.Time
	Deleted bool   // the message was deleted: only Seq and ID are sent
	Of      int64  // of a note that a message was deleted: the number of that message
	Erased  string // of a note that all messages of a user were deleted: hash of the user's id
}

// entryFrame is the wire form of an entry.
type entryFrame struct {
	Seq     int64   `json:"seq"`
	ID      string  `json:"id,omitzero"`
	Of      int64   `json:"of,omitzero"`
	Erased  string  `json:"erased,omitzero"`
	From    *Sender `json:"from,omitzero"`
	Text    string  `json:"message,omitzero"`
	SentAt  int64   `json:"sentAt,omitzero"`
	Deleted bool    `json:"deleted,omitzero"`
}

func (e Entry) encode() (jsontext.Value, error) {
	frame := entryFrame{Seq: e.Seq}
	switch {
	case e.Deleted:
		frame.ID, frame.Deleted = e.ID, true
	case e.Erased != "":
		frame.Erased, frame.SentAt = e.Erased, e.SentAt.UnixMilli()
	case e.Of != 0:
		frame.Of, frame.SentAt = e.Of, e.SentAt.UnixMilli()
		if e.From.Subject != "" { // else that user was erased
			frame.From = &e.From
		}
	default:
		frame.ID, frame.From, frame.Text, frame.SentAt = e.ID, &e.From, e.Text, e.SentAt.UnixMilli()
	}
	return encode("history", frame)
}

// History is a part of a room's log.
type History struct {
	Want     Want
	ClientID string  // the client's own id for the request, or ""
	Entries  []Entry // with consecutive numbers, ascending
	Head     int64   // newest number of the room, or 0
	Complete bool    // of After: no entry is missing between the number and Entries
	More     bool    // there are newer entries, or, of Before and Last, older ones
	KeepDays int     // days for which messages are kept
	Read     int64   // newest number that the user has read on any device, or 0 if that is not known
}

// historyFrame is the wire form of History. Of After, Before and Last it has the one that the client named.
type historyFrame struct {
	Type     string           `json:"type"`
	Room     string           `json:"room"`
	ClientID string           `json:"clientId,omitzero"`
	After    *int64           `json:"after,omitzero"`
	Before   *int64           `json:"before,omitzero"`
	Last     *int64           `json:"last,omitzero"`
	Entries  []jsontext.Value `json:"entries"`
	Head     int64            `json:"head"`
	Complete *bool            `json:"complete,omitzero"`
	More     bool             `json:"more"`
	KeepDays int              `json:"keepDays"`
	Read     int64            `json:"read,omitzero"`
}

// Encode returns the frame of h: type "history", with at most 30,000 bytes. Entries that do not fit are left out, and
// more is true then: the newest with After, and the oldest with Before and Last.
func (h History) Encode() ([]byte, error) {
	frame := historyFrame{
		Type: "history", Room: h.Want.Room, ClientID: h.ClientID, Entries: make([]jsontext.Value, len(h.Entries)),
		Head: h.Head, More: h.More, KeepDays: h.KeepDays, Read: h.Read,
	}
	switch limit := int64(h.Want.Limit); h.Want.Part {
	case After:
		frame.After, frame.Complete = &h.Want.Number, &h.Complete
	case Before:
		frame.Before = &h.Want.Number
	case Last:
		frame.Last = &limit
	}
	for i, entry := range h.Entries {
		encoded, err := entry.encode()
		if err != nil {
			return nil, err
		}
		frame.Entries[i] = encoded
	}
	if err := frame.cut(h.Want.Part); err != nil {
		return nil, err
	}
	return encode("history", frame)
}

// cut leaves out the entries that do not fit into the frame.
func (f *historyFrame) cut(part Part) error {
	empty := *f
	empty.Entries, empty.More = []jsontext.Value{}, false // which is longer than true
	encoded, err := encode("history", empty)
	if err != nil {
		return err
	}
	room := maxHistory - len(encoded)
	if part != After { // mutate:history-cut-end
		slices.Reverse(f.Entries)
		defer func() { slices.Reverse(f.Entries) }()
	}
	for i, entry := range f.Entries {
		room -= len(entry) + len(",")
		if room < 0 { // mutate:history-frame-size
			f.Entries, f.More = f.Entries[:i], true
			break
		}
	}
	return nil
}

// Synced tells a client of rooms in which there is nothing that it does not have.
type Synced struct {
	ClientID string           // the client's own id for the request, or ""
	Heads    map[string]int64 // newest number of each room, or 0
	Read     map[string]int64 // newest number that the user has read, of the rooms where that is known
}

// Encode returns the frame of s: type "synced".
func (s Synced) Encode() ([]byte, error) {
	return encode("synced", struct {
		Type     string `json:"type"`
		ClientID string `json:"clientId,omitzero"`
		Heads    byRoom `json:"heads"`
		Read     byRoom `json:"read,omitempty"`
	}{"synced", s.ClientID, s.Heads, s.Read})
}

// byRoom is encoded with its rooms in order.
type byRoom map[string]int64

// MarshalJSONTo implements json.MarshalerTo.
func (b byRoom) MarshalJSONTo(to *jsontext.Encoder) error {
	return json.MarshalEncode(to, map[string]int64(b), json.Deterministic(true))
}
