package main

import (
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-lambda-go/events"
	"github.com/google/go-cmp/cmp"
)

func TestUserIDAndName(t *testing.T) {
	t.Parallel()
	// printf 'https://issuer.example\0auth0|alice' | openssl dgst -sha256 -hmac stack -binary | basenc --base64url
	const hashed = "h--HbrEOeZ07ad3Kq8hmx4kPOnFImZ81LEY"
	tests := []struct{ name, sub, nameClaim, wantID, wantName string }{
		{"as they are", "alice", "Alice Ä", "alice", "Alice Ä"},
		{"another kind of id", "auth0|alice", "Alice", hashed, "Alice"},
		{"no name", "0123456789abcdef", "", "0123456789abcdef", "01234567"},
		{"no name, short id", "al", "", "al", "al"},
		{"a name in another form, with space around", "alice", " e\u0301 ", "alice", "é"},
		{"a name with a direction override", "alice", "Alice\u202e", "alice", "alice"},
		{"a name of two lines", "alice", "Alice\nadmin", "alice", "alice"},
		{"a name that only looks empty", "alice", " \t ", "alice", "alice"},
		{"a name as long as allowed", "alice", strings.Repeat("é", 32), "alice", strings.Repeat("é", 32)},
		{"a longer name", "alice", strings.Repeat("é", 33), "alice", "alice"},
		{"another kind of id, and no name", "auth0|alice", "", hashed, hashed[3:11]},
		{"an id like a guest's", "guest-alice", "Alice", "h--1zQBFkeyAaNk-ksCg6fLHaHL9zsaUk5J", "Alice"},
		{"an id like a hash", "h--alice", "Alice", "h--aO6J9OL10Xcwc3u0EURjTSErG0zMrUYJ", "Alice"},
		{"the id of another user", hashed, "Alice", "h--8Lf5Wpa0j6gJLaJM5LfXc2WqrlLa0WA_", "Alice"},
		{"the old id of another user", "axsu4hNX-HtsizaUqUjy80bBLQKEyP_q", "", "axsu4hNX-HtsizaUqUjy80bBLQKEyP_q", "axsu4hNX"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			h, _ := newTestHandler(t, &fakeUsers{})
			e := request(`{}`)
			claims(e)["sub"], claims(e)["name"] = test.sub, test.nameClaim
			body, granted := sign(t, h, e)
			if granted.Subject != test.wantID || granted.Name != test.wantName {
				t.Errorf("granted to %q named %q, want %q named %q", granted.Subject, granted.Name, test.wantID, test.wantName)
			}
			if diff := cmp.Diff(map[string]any{"sub": test.wantID, "name": test.wantName}, body["user"]); diff != "" {
				t.Errorf("user (-want +got):\n%s", diff)
			}
		})
	}
}

func TestRoomsClaim(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name, claim, asked string
		ok                 bool
	}{
		{"an array, as the gateway writes it", "[lobby news team-1]", `["team-1","lobby"]`, true},
		{"commas", "lobby,news, team-1", `["team-1"]`, true},
		{"spaces", "lobby team-1", `["team-1"]`, true},
		{"an array of one room", "[team-1]", `["team-1"]`, true},
		{"with names that are no rooms", "[Admins team-1 */*]", `["team-1"]`, true},
		{"a name that is no room", "[Admins]", `["admins"]`, false},
		{"one room", "team-1", `["team-1"]`, true},
		{"more rooms than one connection may be in", "a b c d e f g h i j", `["j"]`, true},
		{"the default rooms, when they are in it", "[news lobby]", `[]`, true},
		{"the default rooms, when one is not in it", "[lobby]", `[]`, false},
		{"another room", "[lobby]", `["team-1"]`, false},
		{"no claim", "", `["lobby"]`, false},
		{"an empty array", "[]", `["lobby"]`, false},
		{"part of a name", "[team-12]", `["team-1"]`, false},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			h, log := newTestHandler(t, &fakeUsers{})
			h.config.RoomsClaim = "rooms"
			e := request(`{"rooms":` + test.asked + `}`)
			claims(e)["rooms"] = test.claim
			if test.ok {
				sign(t, h, e)
				return
			}
			checkRefusal(t, h, e, 403, "room_not_allowed", log)
		})
	}
}

func TestTimeOfAuthentication(t *testing.T) {
	t.Parallel()
	now := epoch.Truncate(time.Second)
	tests := []struct {
		name, iat string
		want      time.Time
	}{
		{"an integer", "1795327140", now.Add(-time.Minute)},
		{"with an exponent", "1.79532714e+09", now.Add(-time.Minute)},
		{"with a fraction", "1795327140.7", now.Add(-time.Minute)},
		{"ahead of our clock", "1795327203", now},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			h, _ := newTestHandler(t, &fakeUsers{})
			e := request(`{}`)
			claims(e)["iat"] = test.iat
			if _, granted := sign(t, h, e); !granted.AuthenticatedAt.Equal(test.want) {
				t.Errorf("authenticated at %s, want %s", granted.AuthenticatedAt, test.want)
			}
		})
	}
}

func TestTokensThatGetNoURL(t *testing.T) {
	t.Parallel()
	type event = events.APIGatewayV2HTTPRequest
	claim := func(name, value string) func(*event) { return func(e *event) { claims(*e)[name] = value } }
	tests := []struct {
		name   string
		change func(*event)
		status int
		code   string
	}{
		{"no authorizer", func(e *event) { e.RequestContext.Authorizer = nil }, 503, "auth_not_configured"},
		{"an authorizer of another kind", func(e *event) { e.RequestContext.Authorizer = signedBy(webRole).RequestContext.Authorizer }, 503, "auth_not_configured"},
		{"no claims", func(e *event) { e.RequestContext.Authorizer.JWT.Claims = nil }, 503, "auth_not_configured"},
		{"no issuer", claim("iss", ""), 503, "auth_not_configured"},
		{"another issuer", claim("iss", "https://issuer.example.org"), 503, "auth_not_configured"},
		{"the issuer with a slash", claim("iss", issuer+"/"), 503, "auth_not_configured"},
		{"no subject", claim("sub", ""), 403, "caller_not_trusted"},
		{"a subject of two lines", claim("sub", "alice\nbob"), 403, "caller_not_trusted"},
		{"a long subject", claim("sub", strings.Repeat("a", 256)), 403, "caller_not_trusted"},
		{"no time of issue", claim("iat", ""), 403, "caller_not_trusted"},
		{"no number as time of issue", claim("iat", "NaN"), 403, "caller_not_trusted"},
		{"an expired token", claim("exp", "1795327200"), 401, "revoked"},
		{"a token without end", claim("exp", ""), 401, "revoked"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			h, log := newTestHandler(t, &fakeUsers{})
			e := request(`{}`)
			test.change(&e)
			checkRefusal(t, h, e, test.status, test.code, log)
		})
	}
}

func TestWithoutIssuerModeJwtIsClosed(t *testing.T) {
	t.Parallel()
	h, log := newHandlerWith(t, &fakeUsers{}, map[string]string{"OIDC_ISSUER": ""})
	checkRefusal(t, h, request(`{}`), 503, "auth_not_configured", log)
	e := request(`{}`)
	claims(e)["iss"] = ""
	checkRefusal(t, h, e, 503, "auth_not_configured", log)
	if !strings.Contains(log.String(), "OidcIssuer is empty") {
		t.Errorf("the log does not say what is missing:\n%s", log)
	}
}
