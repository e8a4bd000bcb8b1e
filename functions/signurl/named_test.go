package main

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-lambda-go/events"
	"github.com/google/go-cmp/cmp"
)

const (
	webRole = "arn:aws:sts::111122223333:assumed-role/web/chat-web"
	devUser = "arn:aws:iam::111122223333:user/dev"

	// named is a user who signed in a minute ago, for an hour.
	named = `{"sub":"alice","name":"Alice","sessionStart":1795327140,"sessionEndsAt":1795330740,"rooms":["news","team-1"]}`
)

// signedBy returns the event of a request that this caller signed, naming alice.
func signedBy(userARN string) events.APIGatewayV2HTTPRequest {
	e := request(`{"rooms":["news"],"user":` + named + `}`)
	e.RequestContext.Authorizer = &events.APIGatewayV2HTTPRequestContextAuthorizerDescription{
		IAM: &events.APIGatewayV2HTTPRequestContextAuthorizerIAMDescription{
			AccessKey: "ASIAEXAMPLE", AccountID: "111122223333", CallerID: "AROAEXAMPLE:chat-web", UserARN: userARN, UserID: "AROAEXAMPLE:chat-web",
		},
	}
	return e
}

func trusting(arns string) map[string]string {
	return map[string]string{"AUTH_MODE": "iam", "TRUSTED_CALLER_ARNS": arns}
}

const trusted = "arn:aws:iam::111122223333:role/service/web,arn:aws:iam::111122223333:user/dev"

func TestTrustedCallerNamesTheUser(t *testing.T) {
	t.Parallel()
	for _, caller := range []string{webRole, devUser} {
		users := &fakeUsers{}
		h, _ := newHandlerWith(t, users, trusting(trusted))
		body, granted := sign(t, h, signedBy(caller))
		issuedAt := epoch.Truncate(time.Second)
		if granted.Subject != "alice" || granted.Name != "Alice" || !cmp.Equal(granted.Rooms, []string{"news"}) ||
			!granted.AuthenticatedAt.Equal(issuedAt.Add(-time.Minute)) || !granted.SessionEndsAt.Equal(time.Unix(1795330740, 0)) {
			t.Errorf("%s is granted %+v", caller, granted)
		}
		if body["sessionEndsIn"] != 3540.0 || !cmp.Equal(body["user"], any(map[string]any{"sub": "alice", "name": "Alice"})) {
			t.Errorf("answer %v", body)
		}
		if users.subject != "alice" || !users.authenticatedAt.Equal(granted.AuthenticatedAt) {
			t.Errorf("asked about %s of %s", users.subject, users.authenticatedAt)
		}
	}
}

func TestOtherCallersNameNobody(t *testing.T) {
	t.Parallel()
	// principal.TestContains has the whole table of who is whom.
	for _, caller := range []string{
		"arn:aws:sts::111122223333:assumed-role/web2/chat-web", "arn:aws:sts::111122223333:assumed-role/service/web",
		"arn:aws:iam::111122223333:role/service/web", "arn:aws:iam::111122223333:user/dev2", "arn:aws:iam::111122223333:root",
		"arn:aws:iam::444455556666:user/dev",
	} {
		h, log := newHandlerWith(t, &fakeUsers{}, trusting(trusted))
		checkRefusal(t, h, signedBy(caller), 403, "caller_not_trusted", log)
	}
}

func TestWithoutIamIdentityOrTrustedCallersModeIamIsClosed(t *testing.T) {
	t.Parallel()
	withoutARN := signedBy("")
	unsigned := signedBy(webRole)
	unsigned.RequestContext.Authorizer = nil
	otherKind := signedBy(webRole)
	otherKind.RequestContext.Authorizer = request("").RequestContext.Authorizer
	tests := []struct {
		name, trusted string
		event         events.APIGatewayV2HTTPRequest
	}{
		{"nobody is trusted", "", signedBy(webRole)},
		{"nobody is trusted, and nobody signed", "", unsigned},
		{"nobody signed", trusted, unsigned},
		{"a token instead of a signature", trusted, otherKind},
		{"a signer without ARN", trusted, withoutARN},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			h, log := newHandlerWith(t, &fakeUsers{}, trusting(test.trusted))
			checkRefusal(t, h, test.event, 503, "auth_not_configured", log)
		})
	}
}

func TestNamedUserIsChecked(t *testing.T) {
	t.Parallel()
	user := func(old, replacement string) string {
		changed := strings.Replace(named, old, replacement, 1)
		if changed == named {
			panic(old + " is not in the user")
		}
		return `{"rooms":["news"],"user":` + changed + `}`
	}
	tests := []struct{ name, body string }{
		{"no user", `{"rooms":["news"]}`},
		{"null", `{"rooms":["news"],"user":null}`},
		{"a text", `{"user":"alice"}`},
		{"an unknown member", user(`"sub"`, `"admin":true,"sub"`)},
		{"a repeated member", user(`"sub":"alice"`, `"sub":"alice","sub":"bob"`)},
		{"another letter case", user(`"sub"`, `"Sub"`)},
		{"no sub", user(`"sub":"alice",`, ``)},
		{"an empty sub", user(`"alice"`, `""`)},
		{"a sub of two lines", user(`"alice"`, `"alice\nbob"`)},
		{"a long sub", user(`"alice"`, `"`+strings.Repeat("a", 256)+`"`)},
		{"a name of two lines", user(`"Alice"`, `"Alice\nadmin"`)},
		{"a name with a direction override", user(`"Alice"`, `"Alice\u202e"`)},
		{"a long name", user(`"Alice"`, `"`+strings.Repeat("é", 33)+`"`)},
		{"a name of spaces", user(`"Alice"`, `"  "`)},
		{"no sessionStart", user(`"sessionStart":1795327140,`, ``)},
		{"a sessionStart before 1970", user(`1795327140`, `-1`)},
		{"a sessionStart in milliseconds", user(`1795327140`, `1795327140000`)},
		{"a fraction", user(`1795327140`, `1795327140.5`)},
		{"a time as text", user(`1795327140`, `"1795327140"`)},
		{"no sessionEndsAt", user(`"sessionEndsAt":1795330740,`, ``)},
		{"a sessionEndsAt in milliseconds", user(`1795330740`, `1795330740000`)},
		{"a session that ends when it starts", user(`1795330740`, `1795327140`)},
		{"a room that is none", user(`"team-1"`, `"Team 1"`)},
		{"a number of more than 64 bits", user(`1795330740`, `179533074000000000000`)},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			h, log := newHandlerWith(t, &fakeUsers{}, trusting(trusted))
			e := signedBy(webRole)
			e.Body = test.body
			checkRefusal(t, h, e, 400, "bad_request", log)
			// The same from a caller who may not speak for users tells nothing about the form, unless it is no JSON of ours at all.
			other := signedBy("arn:aws:sts::111122223333:assumed-role/other/s")
			other.Body = test.body
			if response, err := h.handle(t.Context(), other); err != nil || response.StatusCode == 200 {
				t.Errorf("a caller that is not trusted got %d, %v", response.StatusCode, err)
			}
		})
	}
}

func TestNamedUsersRoomsNameAndSession(t *testing.T) {
	t.Parallel()
	const template = `{"rooms":%s,"user":{"sub":"0123456789"%s,"sessionStart":%d,"sessionEndsAt":%d%s}}`
	now := epoch.Unix()
	tests := []struct {
		name, asked, displayName, allowed string
		start, end                        int64
		status                            int
		wantRooms                         []string
		wantName                          string
		wantSessionEndsIn                 int64
	}{
		{"rooms left out are the default ones", `[]`, `,"name":"A"`, ``, now - 60, now + 60, 200, []string{"lobby", "news"}, "A", 60},
		{"a default room", `["news"]`, ``, ``, now - 60, now + 60, 200, []string{"news"}, "01234567", 60},
		{"no default room", `["team-1"]`, ``, ``, now - 60, now + 60, 403, nil, "", 0},
		{"a room of the list", `["team-1"]`, `,"name":""`, `,"rooms":["team-1"]`, now - 60, now + 60, 200, []string{"team-1"}, "01234567", 60},
		{"the default rooms are not on the list", `[]`, ``, `,"rooms":["team-1"]`, now - 60, now + 60, 403, nil, "", 0},
		{"no rooms at all", `["lobby"]`, ``, `,"rooms":[]`, now - 60, now + 60, 403, nil, "", 0},
		{"the session ends in a second", `["lobby"]`, ``, ``, now - 60, now + 1, 200, []string{"lobby"}, "01234567", 1},
		{"the session is over", `["lobby"]`, ``, ``, now - 60, now, 401, nil, "", 0},
		{"a session longer than allowed", `["lobby"]`, ``, ``, now - 60, now + 90_000, 200, []string{"lobby"}, "01234567", 7200},
		{"a caller whose clock is ahead", `["lobby"]`, ``, ``, now + 5, now + 60, 200, []string{"lobby"}, "01234567", 60},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			h, log := newHandlerWith(t, &fakeUsers{}, trusting(trusted))
			e := signedBy(webRole)
			e.Body = fmt.Sprintf(template, test.asked, test.displayName, test.start, test.end, test.allowed)
			if test.status != 200 {
				checkRefusal(t, h, e, test.status, map[int]string{401: "revoked", 403: "room_not_allowed"}[test.status], log)
				return
			}
			body, granted := sign(t, h, e)
			wantAIT := time.Unix(min(test.start, now), 0).UTC()
			if !cmp.Equal(granted.Rooms, test.wantRooms) || granted.Name != test.wantName || body["sessionEndsIn"] != float64(test.wantSessionEndsIn) ||
				!granted.SessionEndsAt.Equal(time.Unix(now+test.wantSessionEndsIn, 0)) || granted.AuthenticatedAt.Unix() != wantAIT.Unix() {
				t.Errorf("granted %+v, ends in %v", granted, body["sessionEndsIn"])
			}
		})
	}
}
