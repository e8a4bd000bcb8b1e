package main

import (
	"errors"

	"github.com/go-json-experiment/json"

	"signedsocket/shared/roomlog"
)

// position is the place that an erasure has reached, and what it has found. As a cursor it travels to the operator and
// back.
type position struct {
	User  string `json:"user"`  // id of the user
	Count bool   `json:"count"` // the erasure only counts
	Run   string `json:"run"`   // tells this erasure from later ones of the same user
	ID    int    `json:"id"`    // 0 for today's id of the user, 1 for that of older versions

	Room     string       `json:"room"`     // that is worked on, or was last; "" before the first
	Working  bool         `json:"working"`  // Room is not finished
	Step     roomlog.Step `json:"step"`     // in Room
	Behind   int64        `json:"behind"`   // number in Room behind which Step goes on
	First    int64        `json:"first"`    // number in Room behind which the first entry of the user was found
	Found    bool         `json:"found"`    // an entry in Room names the user
	Rooms    int          `json:"rooms"`    // finished ones in which something was found
	Messages int          `json:"messages"` // that were found with their text
	Markers  int          `json:"markers"`  // of what the user has read
}

var errCursor = errors.New("erase: the cursor is not one of this function; ask without it")

func (p position) encode() (string, error) {
	cursor, err := json.Marshal(p)
	return string(cursor), err
}

func decodePosition(cursor string) (p position, err error) {
	if err := json.Unmarshal([]byte(cursor), &p, json.RejectUnknownMembers(true)); err != nil {
		return position{}, errors.Join(errCursor, err)
	}
	if p.ID < 0 || p.ID > 1 || p.Behind < 0 || p.First < 0 || p.Step < roomlog.Count || p.Step > roomlog.RemoveNames {
		return position{}, errCursor
	}
	return p, nil
}
