package main

import (
	"slices"
	"strings"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"signedsocket/shared/grant"
)

// flagReadOnly is behind the colon of a right to read in a room, "room:r".
const flagReadOnly = "r"

// right is what a user may do in one room.
type right struct {
	Room     string `json:"room"`
	ReadOnly bool   `json:"readOnly,omitzero"`
}

// rights are the rooms that a user may enter, each once.
type rights []right

// readRight reads a right: the name of a room, or the name and ":r". A text with another flag is no right.
func readRight(text string) (right, bool) {
	room, flag, flagged := strings.Cut(text, ":")
	if flagged && flag != flagReadOnly { // mutate:room-flag
		return right{}, false
	}
	return right{Room: room, ReadOnly: flagged}, grant.ValidRoom(room)
}

// readRights reads texts of which each must be a right.
func readRights(texts []string) (all rights, ok bool) {
	all = make(rights, 0, len(texts))
	for _, text := range texts {
		one, ok := readRight(text)
		if !ok {
			return nil, false
		}
		all = all.with(one)
	}
	return all, true
}

// with returns the rights and one more. A room that is there with both rights is read only.
func (r rights) with(one right) rights {
	i := slices.IndexFunc(r, func(other right) bool { return other.Room == one.Room })
	if i < 0 {
		return append(r, one)
	}
	// mutate:room-both-forms => r[i].ReadOnly = r[i].ReadOnly && one.ReadOnly
	r[i].ReadOnly = r[i].ReadOnly || one.ReadOnly
	return r
}

// rooms returns the names of the rooms.
func (r rights) rooms() []string {
	names := make([]string, len(r))
	for i, one := range r {
		names[i] = one.Room
	}
	return names
}

// open reports whether the user may enter all of these rooms.
func (r rights) open(rooms []string) bool {
	names := r.rooms()
	return !slices.ContainsFunc(rooms, func(room string) bool { return !slices.Contains(names, room) })
}

// readOnly returns those of these rooms in which the user may only read.
func (r rights) readOnly(rooms []string) (some []string) {
	for _, room := range rooms {
		if slices.Contains(r, right{Room: room, ReadOnly: true}) {
			some = append(some, room)
		}
	}
	return some
}

// tokenRooms returns the rooms of the rooms claim, or the default rooms when none is configured.
func (c config) tokenRooms(t token) rights {
	if c.RoomsClaim == "" {
		return c.defaultRooms
	}
	return claimedRooms(t.claims[c.RoomsClaim])
}

// claimedRooms returns the rooms that a claim opens: a list of texts, or one text. Each text is one right as a whole
// and is never split at spaces or commas, since names of groups hold those. A text that is no right opens nothing, and
// so does a claim of another form.
//
// The page reads the claim in the same way; testdata/roomsclaim.json has the cases of both.
func claimedRooms(claim jsontext.Value) (all rights) {
	elements := []jsontext.Value{claim}
	if claim.Kind() == '[' && json.Unmarshal(claim, &elements) != nil {
		return nil
	}
	for _, element := range elements {
		// mutate:room-parts => text, ok := textOf(element); text = text[slices.Index([]byte(text), ',')+1:]
		text, ok := textOf(element)
		if !ok {
			return nil
		}
		if one, ok := readRight(text); ok {
			all = all.with(one)
		}
	}
	return all
}

// isModerator reports whether a claim makes its user a moderator. It does so as true or "true", and in no other form: a
// provider that cannot write a boolean writes the text. Without a claim in the configuration no token has a moderator.
func (c config) isModerator(t token) bool {
	claim := t.claims[c.ModeratorClaim]
	text, _ := textOf(claim)
	// mutate:moderator-claim => return claim != nil || text != ""
	return c.ModeratorClaim != "" && (claim.Kind() == 't' || text == "true")
}
