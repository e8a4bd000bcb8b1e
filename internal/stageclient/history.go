package stageclient

import (
	"crypto/sha256"
	"encoding/base32"
	"encoding/json"
	"fmt"
	"time"
)

// Want is a part of the log of one room: one of After, Before and Last. See [WantAfter], [WantBefore] and [WantLast].
type Want struct {
	Room   string `json:"room"`
	After  *int64 `json:"after,omitempty"`  // what is newer than this number; 0: from the beginning of the log
	Before int64  `json:"before,omitempty"` // what is older than this number, the newest of it
	Last   int    `json:"last,omitempty"`   // the newest entries, 1 to 100
	Limit  int    `json:"limit,omitempty"`  // of Before: how many entries, 1 to 100; 50 when it is 0
}

// WantAfter asks for the entries of a room that are newer than a number.
func WantAfter(room string, number int64) Want { return Want{Room: room, After: &number} }

// WantBefore asks for the newest entries of a room that are older than a number.
func WantBefore(room string, number int64, limit int) Want {
	return Want{Room: room, Before: number, Limit: limit}
}

// WantLast asks for the newest entries of a room.
func WantLast(room string, count int) Want { return Want{Room: room, Last: count} }

// Entry is an entry of the log of a room. An entry without a text is a deleted message, or of a kind that this client
// does not show.
type Entry struct {
	Seq     int64  `json:"seq"`
	ID      string `json:"id"`
	From    User   `json:"from"`
	Text    string `json:"message"`
	SentAt  int64  `json:"sentAt"`  // Unix milliseconds
	Deleted bool   `json:"deleted"` // the text is gone; Seq and ID are left
}

// Time returns when the message was sent.
func (e Entry) Time() time.Time { return time.UnixMilli(e.SentAt) }

// Entry returns what the log of the room holds of a message.
func (m Message) Entry() Entry {
	return Entry{Seq: m.Seq, ID: m.ID, From: m.From, Text: m.Text, SentAt: m.SentAt}
}

// History is a part of the log of a room, in answer to a [Want]. It repeats After, Before or Last of the want.
type History struct {
	Room     string  `json:"room"`
	ClientID string  `json:"clientId"` // the id of the request
	After    *int64  `json:"after"`
	Before   int64   `json:"before"`
	Last     int     `json:"last"`
	Entries  []Entry `json:"entries"`  // ascending, without a hole
	Head     int64   `json:"head"`     // the newest number of the log, or 0
	Complete bool    `json:"complete"` // of After: nothing between After and Entries has expired
	More     bool    `json:"more"`     // there are newer entries, or, of Before and Last, older ones
	KeepDays int     `json:"keepDays"` // how long messages are kept; 0: the stage keeps no history
}

// Synced says of rooms that their logs have nothing after the numbers that the request named.
type Synced struct {
	ClientID string           `json:"clientId"` // the id of the request
	Heads    map[string]int64 `json:"heads"`    // by room: the newest number of the log, or 0
}

// parseHistory reads a history frame.
func parseHistory(data []byte) (Frame, error) {
	var present struct {
		Entries, Head, Complete, More, KeepDays json.RawMessage
		After, Before, Last                     json.RawMessage
	}
	if err := json.Unmarshal(data, &present); err != nil {
		return nil, fmt.Errorf("%w: %w", ErrMalformedFrame, err)
	}
	parts := 0
	for _, part := range []json.RawMessage{present.After, present.Before, present.Last} {
		if part != nil {
			parts++
		}
	}
	for _, member := range []json.RawMessage{present.Entries, present.Head, present.More, present.KeepDays} {
		if member == nil || parts != 1 {
			return nil, fmt.Errorf("%w: a member of %T is missing", ErrMalformedFrame, History{})
		}
	}
	return parseAs(data, func(h History) bool {
		for _, entry := range h.Entries {
			if entry.Seq <= 0 || entry.Text != "" && (entry.ID == "" || entry.From.Sub == "" || entry.SentAt <= 0) {
				return false
			}
		}
		return h.Room != "" && (present.After == nil || present.Complete != nil)
	})
}

// MessageID returns the id that the server makes for a message that a user sends to a room under an id of the client's
// own. The client finds its message by it in the log.
func MessageID(sub, room, clientID string) string {
	digest := sha256.Sum256([]byte(sub + "\x00" + room + "\x00" + clientID))
	const length = 26
	return base32.StdEncoding.EncodeToString(digest[:])[:length]
}
