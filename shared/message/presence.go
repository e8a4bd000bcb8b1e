package message

import "time"

// Deleted tells the members of a room that a message was deleted.
type Deleted struct {
	Room   string
	Seq    int64  // number of the note in the room's log
	Of     int64  // number of the deleted message
	From   Sender // the user who deleted it
	SentAt time.Time
}

// Encode returns the frame of d: type "deleted", with sentAt in Unix milliseconds.
func (d Deleted) Encode() ([]byte, error) {
	return encode("deleted", struct {
		Type   string `json:"type"`
		Room   string `json:"room"`
		Seq    int64  `json:"seq"`
		Of     int64  `json:"of"`
		From   Sender `json:"from"`
		SentAt int64  `json:"sentAt"`
	}{"deleted", d.Room, d.Seq, d.Of, d.From, d.SentAt.UnixMilli()})
}

// Presence tells a client which users are in a room.
type Presence struct {
	Room  string
	N     int64    // version: of two frames of one connection the one with the greater N is newer
	Count int      // users with a live connection
	Users []Sender // these users, each once, or nil where only their number is told
}

// Encode returns the frame of p: type "presence", without users when p.Users is nil.
func (p Presence) Encode() ([]byte, error) {
	return encode("presence", struct {
		Type  string   `json:"type"`
		Room  string   `json:"room"`
		N     int64    `json:"n"`
		Count int      `json:"count"`
		Users []Sender `json:"users,omitzero"`
	}{"presence", p.Room, p.N, p.Count, p.Users})
}
