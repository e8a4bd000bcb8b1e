package main

import (
	"fmt"
	"strings"
	"testing"

	"github.com/aws/aws-lambda-go/events"
	"github.com/google/go-cmp/cmp"

	"signedsocket/shared/grant"
)

// answered returns the rights in an answer as texts of a claim.
func answered(t *testing.T, body map[string]any) (texts []string) {
	t.Helper()
	list, ok := body["rooms"].([]any)
	if !ok {
		t.Fatalf("rooms of the answer: %v", body["rooms"])
	}
	for _, element := range list {
		one, _ := element.(map[string]any)
		readOnly, told := one["readOnly"].(bool)
		if told && !readOnly {
			t.Errorf("%v: a member that says nothing", one)
		}
		texts = append(texts, fmt.Sprint(one["room"])+map[bool]string{true: ":r"}[readOnly])
	}
	return texts
}

// TestRightsAreGrantedAndAnswered: a grant has the rights of its own rooms, and the answer those of all rooms.
func TestRightsAreGrantedAndAnswered(t *testing.T) {
	t.Parallel()
	type changes = map[string]string
	withClaim := func(claim any) events.APIGatewayV2HTTPRequest {
		return requestWith(`{"rooms":["team-1","news"]}`, map[string]any{"rooms": claim})
	}
	fromCaller := func(rooms string) events.APIGatewayV2HTTPRequest {
		e := signedBy(webRole)
		e.Body = `{"rooms":["team-1","news"],"user":` + strings.Replace(named, `["news","team-1"]`, rooms, 1) + `}`
		return e
	}
	iam := trusting(trusted)
	iam["DEFAULT_ROOMS"] = "news:r,team-1,ops:r"
	tests := []struct {
		name          string
		changes       changes
		event         events.APIGatewayV2HTTPRequest
		granted, told []string
	}{
		{"claim", changes{"ROOMS_CLAIM": "rooms"}, withClaim([]string{"lobby:r", "news:r", "team-1", "vault:x"}),
			[]string{"news"}, []string{"lobby:r", "news:r", "team-1"}},
		{"claim with both forms", changes{"ROOMS_CLAIM": "rooms"},
			withClaim([]string{"news:r", "team-1", "news", "team-1:r"}),
			[]string{"team-1", "news"}, []string{"news:r", "team-1:r"}},
		{"claim without flags", changes{"ROOMS_CLAIM": "rooms"}, withClaim([]string{"news", "team-1"}),
			nil, []string{"news", "team-1"}},
		{"default rooms", changes{"DEFAULT_ROOMS": "lobby:r,news:r,team-1"}, request(`{"rooms":["team-1","news"]}`),
			[]string{"news"}, []string{"lobby:r", "news:r", "team-1"}},
		{"trusted caller", iam, fromCaller(`["ops:r","news","team-1:r","news:r"]`),
			[]string{"team-1", "news"}, []string{"ops:r", "news:r", "team-1:r"}},
		{"trusted caller that names no rooms", iam, fromCaller(`null`),
			[]string{"news"}, []string{"news:r", "team-1", "ops:r"}},
		{"guest", guestsIn("plaza,news:r,team-1"), unsigned(`{"rooms":["team-1","news"]}`),
			[]string{"news"}, []string{"plaza", "news:r", "team-1"}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			h, _ := newHandlerWith(t, &fakeUsers{}, test.changes)
			body, granted := sign(t, h, test.event)
			if !cmp.Equal(granted.Rooms, []string{"team-1", "news"}) || !cmp.Equal(granted.ReadOnly, test.granted) {
				t.Errorf("granted %v, %v of them to read; want team-1 and news, %v to read", granted.Rooms,
					granted.ReadOnly, test.granted)
			}
			if got := answered(t, body); !cmp.Equal(got, test.told) {
				t.Errorf("the answer names %v, want %v", got, test.told)
			}
			if _, ok := body["moderator"]; ok || granted.Moderator {
				t.Error("an ordinary user is a moderator")
			}
		})
	}
}

func TestRoomsThatARequestLeavesOutKeepTheirRights(t *testing.T) {
	t.Parallel()
	h, _ := newHandlerWith(t, &fakeUsers{}, map[string]string{"DEFAULT_ROOMS": "lobby,news:r"})
	if _, granted := sign(t, h, request(`{}`)); !cmp.Equal(granted.Rooms, []string{"lobby", "news"}) ||
		!cmp.Equal(granted.ReadOnly, []string{"news"}) {
		t.Errorf("granted %v, %v to read", granted.Rooms, granted.ReadOnly)
	}
	guests := guestsIn("plaza:r")
	guests["DEFAULT_ROOMS"] = "staff:r"
	h, _ = newHandlerWith(t, &fakeUsers{}, guests)
	if _, granted := sign(t, h, unsigned(`{}`)); !cmp.Equal(granted.Rooms, []string{"plaza"}) ||
		!cmp.Equal(granted.ReadOnly, []string{"plaza"}) {
		t.Errorf("a guest is granted %v, %v to read", granted.Rooms, granted.ReadOnly)
	}
}

func TestModeratorsComeFromTheClaim(t *testing.T) {
	t.Parallel()
	const claim = "https://example.com/moderator"
	with := func(value any) events.APIGatewayV2HTTPRequest {
		return requestWith(`{}`, map[string]any{claim: value, "moderator": true, "": true})
	}
	tests := []struct {
		name, setting string
		event         events.APIGatewayV2HTTPRequest
		want          bool
	}{
		{"true", claim, with(true), true},
		{"the text", claim, with("true"), true},
		{"false", claim, with(false), false},
		{"the text false", claim, with("false"), false},
		{"another text", claim, with("True"), false},
		{"a text with space", claim, with("true "), false},
		{"a number", claim, with(1), false},
		{"a list", claim, with([]any{true}), false},
		{"a list of texts", claim, with([]string{"true"}), false},
		{"an object", claim, with(map[string]any{"true": true}), false},
		{"an empty text", claim, with(""), false},
		{"no claim", claim, with(nil), false},
		{"no claim in the configuration", "", with(true), false},
		{"another claim in the configuration", "moderators", with(true), false},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			h, _ := newHandlerWith(t, &fakeUsers{}, map[string]string{"MODERATOR_CLAIM": test.setting})
			body, granted := sign(t, h, test.event)
			if told, ok := body["moderator"]; granted.Moderator != test.want || ok != test.want || ok && told != true {
				t.Errorf("granted %t, answered %v; want %t", granted.Moderator, told, test.want)
			}
		})
	}
}

// TestTheGatewaysTextMakesNoModerator: the gateway writes the claims true and "true" alike, and a caller of this
// function without a gateway could write anything.
func TestTheGatewaysTextMakesNoModerator(t *testing.T) {
	t.Parallel()
	h, _ := newHandlerWith(t, &fakeUsers{}, map[string]string{"MODERATOR_CLAIM": "moderator"})
	e := requestWith(`{}`, map[string]any{"moderator": false})
	claims(e)["moderator"] = "true"
	if _, granted := sign(t, h, e); granted.Moderator {
		t.Error("the gateway's text has made a moderator")
	}
}

func TestATrustedCallerNamesModerators(t *testing.T) {
	t.Parallel()
	for member, want := range map[string]bool{`"moderator":true,`: true, `"moderator":false,`: false, ``: false} {
		h, _ := newHandlerWith(t, &fakeUsers{}, trusting(trusted))
		e := signedBy(webRole)
		e.Body = `{"rooms":["news"],"user":{` + member + named[1:] + `}`
		body, granted := sign(t, h, e)
		if _, told := body["moderator"]; granted.Moderator != want || told != want {
			t.Errorf("%q: granted %t, answered %v", member, granted.Moderator, body["moderator"])
		}
	}
}

func TestNoGuestIsAModerator(t *testing.T) {
	t.Parallel()
	guests := guestsIn("lobby,news")
	guests["MODERATOR_CLAIM"] = "moderator"
	h, log := newHandlerWith(t, &fakeUsers{}, guests)
	for _, e := range []events.APIGatewayV2HTTPRequest{
		unsigned(`{"guest":"` + secret + `"}`), requestWith(`{}`, map[string]any{"moderator": true}),
	} {
		if body, granted := sign(t, h, e); granted.Moderator || body["moderator"] != nil {
			t.Errorf("a guest is granted %+v", granted)
		}
	}
	for _, body := range []string{
		`{"moderator":true}`, `{"user":{"moderator":true,` + named[1:] + `}`, `{"rooms":["lobby:r"]}`,
	} {
		checkRefusal(t, h, unsigned(body), 400, "bad_request", log)
	}
}

func TestReadRightRefuses(t *testing.T) {
	t.Parallel()
	for _, text := range []string{
		"", ":", ":r", "a:", "a:R", "a:w", "a:rr", "a:r:r", "a:r ", " a:r", "a: r", "A:r", "a.b:r", "a#0",
		strings.Repeat("a", 33) + ":r",
	} {
		if got, ok := readRight(text); ok {
			t.Errorf("%q is the right %+v", text, got)
		}
	}
	for text, want := range map[string]right{
		"a": {Room: "a"}, "a:r": {Room: "a", ReadOnly: true},
		strings.Repeat("a", 32) + ":r": {Room: strings.Repeat("a", 32), ReadOnly: true},
	} {
		if got, ok := readRight(text); !ok || got != want || !grant.ValidRoom(got.Room) {
			t.Errorf("%q is the right %+v, %t", text, got, ok)
		}
	}
}
