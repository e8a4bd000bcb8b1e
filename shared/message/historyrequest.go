package message

import (
	"maps"
	"slices"

	"github.com/go-json-experiment/json"

	"signedsocket/shared/userid"
)

// ActionHistory is the action of a frame that asks for messages of the past.
const ActionHistory = "history"

const (
	maxRoomsAsked = 8 // of want, of here and of read
	defaultLimit  = 50
	maxLimit      = 100       // messages that a client can ask for at once
	maxNumber     = 1<<53 - 1 // the largest integer that every client reads exactly (RFC 7493)
)

// Part says from where on a client wants messages.
type Part string

// The parts of a room's log that a client can ask for. Each is also the name of the member that asks for it.
const (
	After  Part = "after"  // what is newer than a number
	Before Part = "before" // what is older than a number, the newest of it
	Last   Part = "last"   // the newest
)

// Want is a part of the log of one room.
type Want struct {
	Room   string // as the client wrote it, never ""
	Part   Part
	Number int64 // of After: 0 or more; of Before: 1 or more
	Limit  int   // of Before and Last: how many messages, 1 to 100
}

// HistoryRequest asks for messages of the past. At least one of Wants, Here and Read has an element, and none has more
// than eight.
type HistoryRequest struct {
	Wants    []Want           // each of another room
	Here     []string         // rooms of which the client wants to know the members, each once
	Read     map[string]int64 // number of the newest message that the user has read, by room
	ClientID string           // the client's id for the request, [A-Za-z0-9_-]{1,36}, or ""
}

// Rooms returns the names of all rooms in r, each once.
func (r HistoryRequest) Rooms() []string {
	rooms := make(map[string]bool)
	for _, want := range r.Wants {
		rooms[want.Room] = true
	}
	for _, room := range r.Here {
		rooms[room] = true
	}
	for room := range r.Read {
		rooms[room] = true
	}
	return slices.Sorted(maps.Keys(rooms))
}

// The wire form. Pointers tell an absent number, or one that is null, from 0.
type (
	historyRequestFrame struct {
		Action string            `json:"action"`
		Want   []wantFrame       `json:"want"`
		Here   []string          `json:"here"`
		Read   map[string]*int64 `json:"read"`
		ID     string            `json:"id"`
	}
	wantFrame struct {
		Room   string `json:"room"`
		After  *int64 `json:"after"`
		Before *int64 `json:"before"`
		Last   *int64 `json:"last"`
		Limit  *int64 `json:"limit"`
	}
)

// DecodeHistoryRequest reads a frame of the action ActionHistory. It is as strict as Decode, and takes integers only
// without a fraction and an exponent. The code is "" for a good frame, and otherwise BadMessage or TooLarge. Of a bad
// frame only ClientID is set, if it could be read, so that the answer can name it.
func DecodeHistoryRequest(body string) (HistoryRequest, Code) {
	if len(body) > maxBody { // mutate:history-size
		return HistoryRequest{}, TooLarge
	}
	var frame historyRequestFrame
	strict := json.RejectUnknownMembers(true) // mutate:history-unknown-members
	if err := json.Unmarshal([]byte(body), &frame, strict); err != nil {
		return HistoryRequest{}, BadMessage
	}
	if frame.ID != "" && !userid.IsWord(frame.ID, maxClientID) {
		return HistoryRequest{}, BadMessage
	}
	request, ok := frame.request()
	if !ok || frame.Action != ActionHistory {
		return HistoryRequest{ClientID: frame.ID}, BadMessage
	}
	request.ClientID = frame.ID
	return request, ""
}

// HasActionOfV2 reports whether a frame has an action that only clients of chat.v2 use. While a deployment is updated,
// such a frame may come to a function that does not serve it.
func HasActionOfV2(body string) bool {
	var frame struct {
		Action string `json:"action"`
	}
	err := json.Unmarshal([]byte(body), &frame)
	return err == nil && (frame.Action == ActionHistory || frame.Action == ActionDelete)
}

// request returns what the frame asks for, and whether it may be asked.
func (f historyRequestFrame) request() (r HistoryRequest, ok bool) {
	if len(f.Want)+len(f.Here)+len(f.Read) == 0 {
		return r, false
	}
	if max(len(f.Want), len(f.Here), len(f.Read)) > maxRoomsAsked { // mutate:history-rooms
		return r, false
	}
	for _, asked := range f.Want {
		want, ok := asked.want()
		again := slices.ContainsFunc(r.Wants, func(w Want) bool { return w.Room == want.Room })
		if !ok || again { // mutate:history-room-twice => _ = again; if !ok {
			return HistoryRequest{}, false
		}
		r.Wants = append(r.Wants, want)
	}
	for _, room := range f.Here {
		if room == "" || slices.Contains(r.Here, room) {
			return HistoryRequest{}, false
		}
		r.Here = append(r.Here, room)
	}
	for room, number := range f.Read {
		if room == "" || !isNumber(number, 0) {
			return HistoryRequest{}, false
		}
		if r.Read == nil {
			r.Read = make(map[string]int64)
		}
		r.Read[room] = *number
	}
	return r, true
}

// want returns the part of a room's log that the frame asks for, and whether it asks for exactly one part.
func (f wantFrame) want() (want Want, ok bool) {
	limit := int64(defaultLimit)
	if f.Limit != nil {
		limit = *f.Limit
	}
	if f.Last != nil {
		limit = *f.Last
	}
	if f.Room == "" || limit < 1 || limit > maxLimit { // mutate:history-limit => if f.Room == "" {
		return Want{}, false
	}
	want = Want{Room: f.Room, Limit: int(limit)}
	switch {
	case f.After != nil && f.Before == nil && f.Last == nil && f.Limit == nil:
		want.Part, want.Number, want.Limit = After, *f.After, 0
		return want, isNumber(f.After, 0) // mutate:history-after => return want, true
	case f.Before != nil && f.After == nil && f.Last == nil:
		want.Part, want.Number = Before, *f.Before
		return want, isNumber(f.Before, 1)
	case f.Last != nil && f.After == nil && f.Before == nil && f.Limit == nil:
		want.Part = Last
		return want, true
	}
	return Want{}, false
}

func isNumber(n *int64, least int64) bool { return n != nil && *n >= least && *n <= maxNumber }
