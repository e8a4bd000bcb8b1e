package main

import (
	"slices"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"signedsocket/shared/grant"
)

// tokenRooms returns the rooms of the rooms claim, or the default rooms when none is configured.
func (c config) tokenRooms(t token) []string {
	if c.RoomsClaim == "" {
		return c.DefaultRooms
	}
	return claimedRooms(t.claims[c.RoomsClaim])
}

// claimedRooms returns the rooms that a claim opens: a list of texts, or one text. Each text is the name of one room as
// a whole and is never split, since names of groups hold spaces and commas. A text that is no room opens nothing, and
// so does a claim of another form. A text with a flag behind a colon opens nothing either: no flag is known yet.
//
// The page reads the claim in the same way; testdata/roomsclaim.json has the cases of both.
func claimedRooms(claim jsontext.Value) []string {
	elements := []jsontext.Value{claim}
	if claim.Kind() == '[' && json.Unmarshal(claim, &elements) != nil {
		return nil
	}
	var rooms []string
	for _, element := range elements {
		// mutate:room-parts => text, ok := textOf(element); text = text[slices.Index([]byte(text), ',')+1:]
		text, ok := textOf(element)
		if !ok {
			return nil
		}
		if grant.ValidRoom(text) && !slices.Contains(rooms, text) {
			rooms = append(rooms, text)
		}
	}
	return rooms
}
