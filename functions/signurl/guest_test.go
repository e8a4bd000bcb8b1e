package main

import (
	"regexp"
	"testing"
	"time"

	"github.com/aws/aws-lambda-go/events"
	"github.com/google/go-cmp/cmp"

	"signedsocket/shared/connections"
)

// unsigned returns the event of a request for which nobody vouches.
func unsigned(body string) events.APIGatewayV2HTTPRequest {
	e := request(body)
	e.RequestContext.Authorizer = nil
	delete(e.Headers, "authorization")
	return e
}

func guestsIn(rooms string) map[string]string {
	return map[string]string{"AUTH_MODE": "guest", "GUEST_ROOMS": rooms, "OIDC_ISSUER": ""}
}

func TestEveryGuestIsSomebodyElse(t *testing.T) {
	t.Parallel()
	users := &fakeUsers{}
	h, _ := newHandlerWith(t, users, guestsIn("lobby,news"))
	seen := make(map[string]bool)
	for range 20 {
		body, granted := sign(t, h, unsigned(`{"rooms":["news"],"challenge":"`+challenge+`"}`))
		if !regexp.MustCompile(`^guest-[a-z2-7]{26}$`).MatchString(granted.Subject) || granted.Name != granted.Subject[:12] || seen[granted.Subject] || seen[granted.Name] {
			t.Errorf("granted to %q named %q", granted.Subject, granted.Name)
		}
		seen[granted.Subject], seen[granted.Name] = true, true
		now := epoch.Truncate(time.Second)
		if !granted.AuthenticatedAt.Equal(now) || !granted.SessionEndsAt.Equal(now.Add(2*time.Hour)) || !cmp.Equal(granted.Rooms, []string{"news"}) || granted.Challenge != challenge {
			t.Errorf("granted %+v", granted)
		}
		if users.subject != granted.Subject || !cmp.Equal(body["user"], any(map[string]any{"sub": granted.Subject, "name": granted.Name})) {
			t.Errorf("asked about %s, answered %v", users.subject, body["user"])
		}
	}
}

func TestGuestsEnterGuestRoomsOnly(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name, guestRooms, asked string
		want                    []string // nil: refused
	}{
		{"a guest room", "lobby,plaza", `["plaza"]`, []string{"plaza"}},
		{"two guest rooms", "lobby,plaza", `["plaza","lobby"]`, []string{"plaza", "lobby"}},
		{"a default room that is none", "plaza", `["lobby"]`, nil},
		{"one of two is none", "plaza", `["plaza","lobby"]`, nil},
		{"no room, and the default rooms are guest rooms", "plaza,lobby,news", `[]`, []string{"lobby", "news"}},
		{"no room, and one default room is none", "plaza,lobby", `[]`, []string{"plaza", "lobby"}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			h, log := newHandlerWith(t, &fakeUsers{}, guestsIn(test.guestRooms))
			e := unsigned(`{"rooms":` + test.asked + `}`)
			if test.want == nil {
				checkRefusal(t, h, e, 403, "room_not_allowed", log)
				return
			}
			if _, granted := sign(t, h, e); !cmp.Equal(granted.Rooms, test.want) {
				t.Errorf("rooms %v, want %v", granted.Rooms, test.want)
			}
		})
	}
}

func TestGuestsAreRefused(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name, guestRooms, body string
		users                  fakeUsers
		status                 int
		code                   string
	}{
		{"no guest rooms", "", `{}`, fakeUsers{}, 503, "auth_not_configured"},
		{"a user of their choice", "lobby", `{"user":` + named + `}`, fakeUsers{}, 400, "bad_request"},
		{"all guests are banned", "lobby", `{}`, fakeUsers{err: connections.ErrBanned}, 401, "revoked"},
		{"all guests are here", "lobby", `{}`, fakeUsers{err: connections.ErrGuestsFull}, 429, "too_many_connections"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			h, log := newHandlerWith(t, &test.users, guestsIn(test.guestRooms))
			checkRefusal(t, h, unsigned(test.body), test.status, test.code, log)
		})
	}
}

func TestFullGuestsAreToldWhenToComeBack(t *testing.T) {
	t.Parallel()
	h, _ := newHandlerWith(t, &fakeUsers{err: connections.ErrGuestsFull}, guestsIn("lobby"))
	response, err := h.handle(t.Context(), unsigned(`{}`))
	want := map[string]string{"Cache-Control": "no-store", "Content-Type": "application/json", "Retry-After": "30"}
	if err != nil || !cmp.Equal(response.Headers, want) {
		t.Errorf("headers %v, %v", response.Headers, err)
	}
}

func TestTokensAndSignaturesDoNotMakeAGuestAnybodyElse(t *testing.T) {
	t.Parallel()
	h, _ := newHandlerWith(t, &fakeUsers{}, guestsIn("lobby,news"))
	for _, e := range []events.APIGatewayV2HTTPRequest{request(`{}`), func() events.APIGatewayV2HTTPRequest {
		e := signedBy(webRole)
		e.Body = `{}`
		return e
	}()} {
		if _, granted := sign(t, h, e); granted.Subject == "alice" || granted.Name == "Alice" {
			t.Errorf("granted to %q", granted.Subject)
		}
	}
}
