package main

import (
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-lambda-go/events"
	"github.com/google/go-cmp/cmp"

	"signedsocket/shared/connections"
)

// unsigned returns the event of a request without a signature or token.
func unsigned(body string) events.APIGatewayV2HTTPRequest {
	e := request(body)
	e.RequestContext.Authorizer = nil
	delete(e.Headers, "authorization")
	return e
}

func guestsIn(rooms string) map[string]string {
	return map[string]string{"AUTH_MODE": "guest", "GUEST_ROOMS": rooms, "OIDC_ISSUER": ""}
}

func TestEveryGuestHasAnIDOfItsOwn(t *testing.T) {
	t.Parallel()
	users := &fakeUsers{}
	h, _ := newHandlerWith(t, users, guestsIn("lobby,news"))
	seen := make(map[string]bool)
	for range 20 {
		body, granted := sign(t, h, unsigned(`{"rooms":["news"],"challenge":"`+challenge+`"}`))
		if !regexp.MustCompile(`^guest-[a-z2-7]{26}$`).MatchString(granted.Subject) ||
			granted.Name != granted.Subject[:12] || seen[granted.Subject] || seen[granted.Name] {
			t.Errorf("granted to %q named %q", granted.Subject, granted.Name)
		}
		seen[granted.Subject], seen[granted.Name] = true, true
		now := epoch.Truncate(time.Second)
		if !granted.AuthenticatedAt.Equal(now) || !granted.SessionEndsAt.Equal(now.Add(2*time.Hour)) ||
			!cmp.Equal(granted.Rooms, []string{"news"}) || granted.Challenge != challenge {
			t.Errorf("granted %+v", granted)
		}
		if users.subject != granted.Subject ||
			!cmp.Equal(body["user"], any(map[string]any{"sub": granted.Subject, "name": granted.Name})) {
			t.Errorf("asked about %s, answered %v", users.subject, body["user"])
		}
	}
}

func TestGuestWithASecretComesBack(t *testing.T) {
	t.Parallel()
	users := &fakeUsers{}
	h, log := newHandlerWith(t, users, guestsIn("lobby"))
	// printf 'signedsocket guest\0…' | openssl dgst -sha256 -binary | base32 | tr A-Z a-z | cut -c1-26
	const id = "guest-xfspcjioerusen47ndddkdgooq"
	for body, name := range map[string]string{
		`{"guest":"` + secret + `"}`:                                           "guest-xfspcj",
		`{"guest":"` + secret + `","name":" Zoe\u0308 "}`:                      "Zoë",
		`{"guest":"` + secret + `","name":"` + strings.Repeat("é", 64) + `"}`:  strings.Repeat("é", 64),
		`{"guest":"` + secret + `","rooms":["lobby"],"ci":"` + instance + `"}`: "guest-xfspcj",
	} {
		answer, granted := sign(t, h, unsigned(body))
		if granted.Subject != id || granted.Name != name ||
			!cmp.Equal(answer["user"], any(map[string]any{"sub": id, "name": name})) {
			t.Errorf("%s: granted to %q named %q", body, granted.Subject, granted.Name)
		}
	}
	if !cmp.Equal(users.counted, []string{id, id, id, id}) || users.asked.UserID != id || users.asked.OldUserID != "" {
		t.Errorf("counted %v, asked about %+v", users.counted, users.asked)
	}
	other := strings.Replace(secret, "AAEC", "AAED", 1)
	if _, granted := sign(t, h, unsigned(`{"guest":"`+other+`","name":"Zoë"}`)); granted.Subject == id {
		t.Error("another secret is the same guest")
	}
	for _, hidden := range []string{secret, other, "Zoë"} {
		if strings.Contains(log.String(), hidden) {
			t.Errorf("%s is in the log:\n%s", hidden, log)
		}
	}
}

func TestGuestWithoutASecretIsNotCounted(t *testing.T) {
	t.Parallel()
	users := &fakeUsers{}
	h, _ := newHandlerWith(t, users, guestsIn("lobby"))
	if _, granted := sign(t, h, unsigned(`{"name":"Zoë"}`)); granted.Name != "Zoë" || len(users.counted) > 0 {
		t.Errorf("granted to %q, counted %v", granted.Name, users.counted)
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
		{"an empty secret", "lobby", `{"guest":""}`, fakeUsers{}, 400, "bad_request"},
		{"a short secret", "lobby", `{"guest":"` + secret[:42] + `"}`, fakeUsers{}, 400, "bad_request"},
		{"a long secret", "lobby", `{"guest":"` + secret + `A"}`, fakeUsers{}, 400, "bad_request"},
		{"a padded secret", "lobby", `{"guest":"` + secret + `="}`, fakeUsers{}, 400, "bad_request"},
		{"a secret with spare bits set", "lobby", `{"guest":"` + secret[:42] + `9"}`, fakeUsers{}, 400, "bad_request"},
		{"a secret in the other base64", "lobby", `{"guest":"` + secret[:41] + `+8"}`, fakeUsers{}, 400, "bad_request"},
		{"a secret with a line break", "lobby", `{"guest":"` + secret[:41] + `\n8"}`, fakeUsers{}, 400, "bad_request"},
		{"a secret that is a list", "lobby", `{"guest":["` + secret + `"]}`, fakeUsers{}, 400, "bad_request"},
		{"an empty name", "lobby", `{"guest":"` + secret + `","name":""}`, fakeUsers{}, 400, "bad_request"},
		{"a name of two lines", "lobby", `{"guest":"` + secret + `","name":"a\nb"}`, fakeUsers{}, 400, "bad_request"},
		{"a name with a direction override", "lobby", `{"name":"a\u202eb"}`, fakeUsers{}, 400, "bad_request"},
		{"a long name", "lobby", `{"name":"` + strings.Repeat("é", 65) + `"}`, fakeUsers{}, 400, "bad_request"},
		{"a sign-in", "lobby", `{"signIn":"` + signIn + `"}`, fakeUsers{}, 400, "bad_request"},
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

func TestTokensAndSignaturesDoNotChangeAGuest(t *testing.T) {
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
