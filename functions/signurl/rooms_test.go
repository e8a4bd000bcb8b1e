package main

import (
	"encoding/json"
	"os"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"signedsocket/shared/grant"
)

// TestClaimedRooms runs the cases that the page's test runs too: page and function must agree.
func TestClaimedRooms(t *testing.T) {
	t.Parallel()
	text, err := os.ReadFile("testdata/roomsclaim.json")
	if err != nil {
		t.Fatal(err)
	}
	var cases []struct {
		Name  string          `json:"name"`
		Claim json.RawMessage `json:"claim"`
		Rooms []string        `json:"rooms"`
	}
	if err := json.Unmarshal(text, &cases); err != nil || len(cases) < 20 {
		t.Fatalf("%d cases, %v", len(cases), err)
	}
	for _, test := range cases {
		t.Run(test.Name, func(t *testing.T) {
			t.Parallel()
			c := config{RoomsClaim: "rooms", defaultRooms: rights{{Room: "default"}}}
			read, err := readToken(requestWith(`{}`, map[string]any{"rooms": test.Claim}).Headers)
			if err != nil {
				t.Fatal(err)
			}
			if got := textsOf(c.tokenRooms(read)); !cmp.Equal(got, test.Rooms, cmpopts.EquateEmpty()) {
				t.Errorf("rooms %q, want %q", got, test.Rooms)
			}
		})
	}
}

// textsOf returns rights as texts of a claim.
func textsOf(all rights) (texts []string) {
	for _, one := range all {
		texts = append(texts, one.Room+map[bool]string{true: ":r"}[one.ReadOnly])
	}
	return texts
}

func TestRoomsClaim(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name  string
		claim any
		asked string
		ok    bool
	}{
		{"a room of the list", []string{"lobby", "news", "team-1"}, `["team-1","lobby"]`, true},
		{"the one room", "team-1", `["team-1"]`, true},
		{"more rooms than one connection may be in", []string{"a", "b", "c", "d", "e", "f", "g", "h", "i", "j"},
			`["j"]`, true},
		{"the default rooms, when they are in it", []string{"news", "lobby"}, `[]`, true},
		{"the default rooms, when one is not in it", []string{"lobby"}, `[]`, false},
		{"another room", []string{"lobby"}, `["team-1"]`, false},
		{"no claim", nil, `["lobby"]`, false},
		{"an empty list", []string{}, `["lobby"]`, false},
		{"a word of a group's name", []string{"friends of vault"}, `["vault"]`, false},
		{"a part of a group's name", []string{"sales,vault"}, `["vault"]`, false},
		{"part of a name", []string{"team-12"}, `["team-1"]`, false},
		{"a room to read", []string{"news:r"}, `["news"]`, true},
		{"a room with an unknown flag", []string{"vault:w"}, `["vault"]`, false},
		{"a list in a list", [][]string{{"vault"}}, `["vault"]`, false},
		{"a boolean", true, `["true"]`, false},
		{"a number", 7, `["7"]`, false},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			h, log := newHandlerWith(t, &fakeUsers{}, map[string]string{"ROOMS_CLAIM": "rooms"})
			e := requestWith(`{"rooms":`+test.asked+`}`, map[string]any{"rooms": test.claim})
			if test.ok {
				sign(t, h, e)
				return
			}
			checkRefusal(t, h, e, 403, "room_not_allowed", log)
		})
	}
}

// TestRoomsAreThoseOfTheTokenAndNotOfTheGatewaysText: the gateway writes ["a b"] and ["a","b"] alike.
func TestRoomsAreThoseOfTheTokenAndNotOfTheGatewaysText(t *testing.T) {
	t.Parallel()
	h, log := newHandlerWith(t, &fakeUsers{}, map[string]string{"ROOMS_CLAIM": "rooms"})
	e := requestWith(`{"rooms":["vault"]}`, map[string]any{"rooms": []string{"lobby"}})
	claims(e)["rooms"] = "vault"
	checkRefusal(t, h, e, 403, "room_not_allowed", log)
}

func FuzzClaimedRooms(f *testing.F) {
	for _, seed := range []string{
		`["lobby"]`, `"lobby"`, `[["a"]]`, `true`, `7`, `["a b"]`, `["a",null]`, `["a:r"]`, `["a","a:r"]`,
		`"a:r"`, `["a:x","a:r:r",":r"]`, `nul`, ``,
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, claim string) {
		var texts []any
		var one string
		asList, asText := json.Unmarshal([]byte(claim), &texts) == nil, json.Unmarshal([]byte(claim), &one) == nil
		for i, right := range claimedRooms([]byte(claim)) {
			readOnly, plain := asText && one == right.Room+":r", asText && one == right.Room
			for _, text := range texts {
				readOnly = readOnly || asList && text == right.Room+":r"
				plain = plain || asList && text == right.Room
			}
			if !grant.ValidRoom(right.Room) || !readOnly && !plain || right.ReadOnly != readOnly {
				t.Errorf("%q opens %+v", claim, right)
			}
			if slices.Contains(claimedRooms([]byte(claim)).rooms()[:i], right.Room) {
				t.Errorf("%q opens %s twice", claim, right.Room)
			}
		}
	})
}
