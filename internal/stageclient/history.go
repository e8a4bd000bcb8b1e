package stageclient

import (
	"crypto/sha256"
	"encoding/base32"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
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

// Entry is an entry of the log of a room: a message; a deleted message, which has Deleted; a note that a message was
// deleted, which has Of; or a note that all messages of a user were deleted, which has Erased. Only a message has a
// text.
type Entry struct {
	Seq     int64  `json:"seq"`
	ID      string `json:"id"`
	From    User   `json:"from"`
	Text    string `json:"message"`
	SentAt  int64  `json:"sentAt"`  // Unix milliseconds
	Deleted bool   `json:"deleted"` // the text is gone; Seq and ID are left
	Of      int64  `json:"of"`      // number of the message that From has deleted; an erased user is no From
	Erased  string `json:"erased"`  // [ErasedUser] of the user whose messages were deleted
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
	Read     int64   `json:"read"`     // the newest number that the user has read on any device, or 0
}

// Synced says of rooms that their logs have nothing after the numbers that the request named.
type Synced struct {
	ClientID string           `json:"clientId"` // the id of the request
	Heads    map[string]int64 `json:"heads"`    // by room: the newest number of the log, or 0
	Read     map[string]int64 `json:"read"`     // by room: the newest number that the user has read; none is left out
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
			if !entry.whole() {
				return false
			}
		}
		return h.Room != "" && (present.After == nil || present.Complete != nil)
	})
}

// whole reports whether an entry has all members of its kind. An entry of a kind that the client does not know is
// whole: it still has a number.
func (e Entry) whole() bool {
	switch {
	case e.Seq <= 0:
		return false
	case e.Text != "":
		return !e.Deleted && e.ID != "" && e.From.Sub != "" && e.SentAt > 0
	}
	return e.Of >= 0
}

// parsePresence reads a presence frame.
func parsePresence(data []byte) (Frame, error) {
	var present struct{ N, Count json.RawMessage }
	if err := json.Unmarshal(data, &present); err != nil {
		return nil, fmt.Errorf("%w: %w", ErrMalformedFrame, err)
	}
	return parseAs(data, func(p Presence) bool {
		nameless := slices.ContainsFunc(p.Users, func(u User) bool { return u.Sub == "" })
		return p.Room != "" && present.N != nil && present.Count != nil && !nameless
	})
}

// ErasedUser returns the hash by which the log of a room names a user whose messages were all deleted.
func ErasedUser(room, sub string) string {
	digest := sha256.Sum256([]byte(room + "\x00" + sub))
	return strings.ToLower(base32.StdEncoding.EncodeToString(digest[:])[:hashLength])
}

// hashLength is the length of a message's id and of the hash of a user.
const hashLength = 26

// MessageID returns the id that the server makes for a message that a user sends to a room under an id of the client's
// own. The client finds its message by it in the log.
func MessageID(sub, room, clientID string) string {
	digest := sha256.Sum256([]byte(sub + "\x00" + room + "\x00" + clientID))
	return base32.StdEncoding.EncodeToString(digest[:])[:hashLength]
}
