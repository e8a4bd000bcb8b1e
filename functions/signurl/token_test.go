package main

import (
	"encoding/base64"
	"encoding/json"
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
		{"a name as long as allowed", "alice", strings.Repeat("é", 64), "alice", strings.Repeat("é", 64)},
		{"a longer name", "alice", strings.Repeat("é", 65), "alice", strings.Repeat("é", 64)},
		{"a name of which nothing is left", "alice", "e" + strings.Repeat("\u200d", 50) + "e", "alice", "alice"},
		{"another kind of id, and no name", "auth0|alice", "", hashed, hashed[3:11]},
		{"an id like a guest's", "guest-alice", "Alice", "h--1zQBFkeyAaNk-ksCg6fLHaHL9zsaUk5J", "Alice"},
		{"an id like a hash", "h--alice", "Alice", "h--aO6J9OL10Xcwc3u0EURjTSErG0zMrUYJ", "Alice"},
		{"the id of another user", hashed, "Alice", "h--8Lf5Wpa0j6gJLaJM5LfXc2WqrlLa0WA_", "Alice"},
		{"the old id of another user",
			"axsu4hNX-HtsizaUqUjy80bBLQKEyP_q", "", "axsu4hNX-HtsizaUqUjy80bBLQKEyP_q", "axsu4hNX"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			h, _ := newTestHandler(t, &fakeUsers{})
			e := requestWith(`{}`, map[string]any{"sub": test.sub, "name": test.nameClaim})
			body, granted := sign(t, h, e)
			if granted.Subject != test.wantID || granted.Name != test.wantName {
				t.Errorf("granted to %q named %q, want %q named %q", granted.Subject, granted.Name, test.wantID,
					test.wantName)
			}
			if diff := cmp.Diff(map[string]any{"sub": test.wantID, "name": test.wantName}, body["user"]); diff != "" {
				t.Errorf("user (-want +got):\n%s", diff)
			}
		})
	}
}

func TestTimeOfAuthentication(t *testing.T) {
	t.Parallel()
	now := epoch.Truncate(time.Second)
	number := func(text string) any { return json.RawMessage(text) }
	tests := []struct {
		name          string
		iat, authTime any
		want          time.Time
	}{
		{"an integer", 1795327140, nil, now.Add(-time.Minute)},
		{"with an exponent", number("1.79532714e+09"), nil, now.Add(-time.Minute)},
		{"with a fraction", number("1795327140.7"), nil, now.Add(-time.Minute)},
		{"ahead of our clock", 1795327203, nil, now},
		{"a silent sign-in", 1795327140, 1795323600, now.Add(-time.Hour)},
		{"a silent sign-in with a fraction", 1795327140, number("1795323600.9"), now.Add(-time.Hour)},
		{"an authentication after the token", 1795327140, 1795327200, now.Add(-time.Minute)},
		{"an authentication in the future", 1795327140, 1795330000, now.Add(-time.Minute)},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			users := &fakeUsers{}
			h, _ := newTestHandler(t, users)
			e := requestWith(`{}`, map[string]any{"iat": test.iat, "auth_time": test.authTime})
			if raw, ok := test.iat.(json.RawMessage); ok {
				claims(e)["iat"] = string(raw)
			}
			_, granted := sign(t, h, e)
			if !granted.AuthenticatedAt.Equal(test.want) || users.asked.AuthenticatedAt.Unix() != test.want.Unix() {
				t.Errorf("authenticated at %s, want %s", granted.AuthenticatedAt, test.want)
			}
		})
	}
}

func TestSessionEndsWithTheToken(t *testing.T) {
	t.Parallel()
	now := epoch.Truncate(time.Second)
	tests := []struct {
		name     string
		validFor time.Duration
		grace    string
		want     time.Duration
	}{
		{"a token that ends at once", 3 * time.Second, "300", 303 * time.Second},
		{"no grace", 3 * time.Second, "0", 3 * time.Second},
		{"a token of an hour", time.Hour, "300", time.Hour + 5*time.Minute},
		{"longer than a session", 3 * time.Hour, "300", 2 * time.Hour},
		{"longer than a session by grace", time.Hour, "7200", 2 * time.Hour},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			h, _ := newHandlerWith(t, &fakeUsers{}, map[string]string{"SESSION_GRACE_SECONDS": test.grace})
			body, granted := sign(t, h, requestWith(`{}`, map[string]any{"exp": now.Add(test.validFor).Unix()}))
			if !granted.SessionEndsAt.Equal(now.Add(test.want)) || body["sessionEndsIn"] != test.want.Seconds() {
				t.Errorf("ends at %s, in %v; want %s", granted.SessionEndsAt, body["sessionEndsIn"], test.want)
			}
		})
	}
}

func TestOldIDIsLookedUpToo(t *testing.T) {
	t.Parallel()
	for sub, old := range map[string]string{
		"alice": "", "auth0|alice": "axsu4hNX-HtsizaUqUjy80bBLQKEyP_q", "h--alice": "h--alice",
	} {
		users := &fakeUsers{}
		h, _ := newTestHandler(t, users)
		_, granted := sign(t, h, requestWith(`{}`, map[string]any{"sub": sub}))
		if users.asked.UserID != granted.Subject || users.asked.OldUserID != old ||
			!cmp.Equal(users.counted, []string{granted.Subject}) {
			t.Errorf("%s: asked about %+v, counted %v", sub, users.asked, users.counted)
		}
	}
}

func TestTokensThatGetNoURL(t *testing.T) {
	t.Parallel()
	type event = events.APIGatewayV2HTTPRequest
	claim := func(name string, value any) func(*event) {
		return func(e *event) { *e = requestWith(`{}`, map[string]any{name: value}) }
	}
	verified := func(name, value string) func(*event) { return func(e *event) { claims(*e)[name] = value } }
	sent := func(change func(value string) string) func(*event) {
		return func(e *event) { e.Headers["authorization"] = change(e.Headers["authorization"]) }
	}
	payload := func(text string) func(*event) {
		return sent(func(value string) string {
			parts := strings.Split(value, ".")
			return parts[0] + "." + base64.RawURLEncoding.EncodeToString([]byte(text)) + "." + parts[2]
		})
	}
	const complete = `"iss":"` + issuer + `","sub":"alice","iat":1795327140,"exp":1795330740`
	tests := []struct {
		name   string
		change func(*event)
		status int
		code   string
	}{
		{"no authorizer", func(e *event) { e.RequestContext.Authorizer = nil }, 503, "auth_not_configured"},
		{"an authorizer of another kind",
			func(e *event) { e.RequestContext.Authorizer = signedBy(webRole).RequestContext.Authorizer }, 503,
			"auth_not_configured"},
		{"no claims", func(e *event) { e.RequestContext.Authorizer.JWT.Claims = nil }, 503, "auth_not_configured"},
		{"no issuer", claim("iss", nil), 503, "auth_not_configured"},
		{"another issuer", claim("iss", "https://issuer.example.org"), 503, "auth_not_configured"},
		{"the issuer with a slash", claim("iss", issuer+"/"), 503, "auth_not_configured"},
		{"no subject", claim("sub", nil), 403, "caller_not_trusted"},
		{"an empty subject", claim("sub", ""), 403, "caller_not_trusted"},
		{"a subject that is a number", claim("sub", 7), 403, "caller_not_trusted"},
		{"a subject of two lines", claim("sub", "alice\nbob"), 403, "caller_not_trusted"},
		{"a long subject", claim("sub", strings.Repeat("a", 256)), 403, "caller_not_trusted"},
		{"no time of issue", claim("iat", nil), 403, "caller_not_trusted"},
		{"a text as time of issue", claim("iat", "1795327140"), 403, "caller_not_trusted"},
		{"a text as time of authentication", claim("auth_time", "1795327140"), 403, "caller_not_trusted"},
		{"a list as time of authentication", claim("auth_time", []int{1795327140}), 403, "caller_not_trusted"},
		{"an expired token", claim("exp", 1795327200), 401, "revoked"},
		{"a token without end", claim("exp", nil), 403, "caller_not_trusted"},

		{"another user was verified", verified("sub", "bob"), 403, "caller_not_trusted"},
		{"another time of issue was verified", verified("iat", "1795327141"), 403, "caller_not_trusted"},
		{"another end was verified", verified("exp", "1795330741"), 403, "caller_not_trusted"},
		{"no end was verified", verified("exp", "NaN"), 403, "caller_not_trusted"},
		{"another issuer in the token",
			payload(`{"iss":"https://evil.example",` + complete[len(`"iss":"`+issuer+`",`):] + `}`),
			403, "caller_not_trusted"},
		{"two subjects", payload(`{` + complete + `,"sub":"alice"}`), 403, "caller_not_trusted"},
		{"a subject in two letter cases",
			payload(`{` + strings.Replace(complete, `"sub"`, `"Sub"`, 1) + `}`), 403, "caller_not_trusted"},
		{"no object", payload(`[]`), 403, "caller_not_trusted"},
		{"null", payload(`null`), 403, "caller_not_trusted"},
		{"two objects", payload(`{` + complete + `}{}`), 403, "caller_not_trusted"},
		{"text that is not UTF-8", payload(`{` + complete + `,"name":"` + "\xff" + `"}`), 403, "caller_not_trusted"},
		{"no token", func(e *event) { delete(e.Headers, "authorization") }, 403, "caller_not_trusted"},
		{"two headers", sent(func(v string) string { return v + "," + v }), 403, "caller_not_trusted"},
		{"two headers in two letter cases",
			func(e *event) { e.Headers["Authorization"] = e.Headers["authorization"] }, 403, "caller_not_trusted"},
		{"two tokens", sent(func(v string) string { return v + " " + v }), 403, "caller_not_trusted"},
		{"four parts", sent(func(v string) string { return v + ".x" }), 403, "caller_not_trusted"},
		{"two parts",
			sent(func(v string) string { return v[:strings.LastIndexByte(v, '.')] }), 403, "caller_not_trusted"},
		{"padded", sent(func(v string) string { return strings.Replace(v, ".", "=.", 2) }), 403, "caller_not_trusted"},
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

func TestTokenIsReadInEachFormThatTheGatewayTakes(t *testing.T) {
	t.Parallel()
	h, _ := newTestHandler(t, &fakeUsers{})
	for _, prefix := range []string{"Bearer ", "bearer ", "Bearer  ", " Bearer ", ""} {
		e := request(`{}`)
		e.Headers["authorization"] = prefix + strings.TrimPrefix(e.Headers["authorization"], "Bearer ")
		sign(t, h, e)
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
		t.Errorf("the log does not name the missing claim:\n%s", log)
	}
}
