package main

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-lambda-go/events"
	"github.com/google/go-cmp/cmp"

	"signedsocket/shared/userid"
)

const (
	webRole = "arn:aws:sts::111122223333:assumed-role/web/chat-web"
	devUser = "arn:aws:iam::111122223333:user/dev"

	// named is a user who signed in a minute ago, for an hour.
	named = `{"sub":"alice","name":"Alice","sessionStart":1795327140,"sessionEndsAt":1795330740,` +
		`"rooms":["news","team-1"]}`
)

// signedBy returns the event of a request that this caller signed, naming alice.
func signedBy(userARN string) events.APIGatewayV2HTTPRequest {
	e := request(`{"rooms":["news"],"user":` + named + `}`)
	e.RequestContext.Authorizer = &events.APIGatewayV2HTTPRequestContextAuthorizerDescription{
		IAM: &events.APIGatewayV2HTTPRequestContextAuthorizerIAMDescription{
			AccessKey: "ASIAEXAMPLE", AccountID: "111122223333", CallerID: "AROAEXAMPLE:chat-web", UserARN: userARN,
			UserID: "AROAEXAMPLE:chat-web",
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
			!granted.AuthenticatedAt.Equal(issuedAt.Add(-time.Minute)) ||
			!granted.SessionEndsAt.Equal(time.Unix(1795330740, 0)) {
			t.Errorf("%s is granted %+v", caller, granted)
		}
		if body["sessionEndsIn"] != 3540.0 ||
			!cmp.Equal(body["user"], any(map[string]any{"sub": "alice", "name": "Alice"})) {
			t.Errorf("answer %v", body)
		}
		if users.subject != "alice" || !users.authenticatedAt.Equal(granted.AuthenticatedAt) {
			t.Errorf("asked about %s of %s", users.subject, users.authenticatedAt)
		}
	}
}

func TestNamedUserHasTheIDOfTheToken(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name, user, issuer, sub string
	}{
		{"a plain sub", `"sub":"alice"`, issuer, "alice"},
		{"a sub of a provider", `"sub":"auth0|alice"`, issuer, "auth0|alice"},
		{"the longest sub", `"sub":"` + strings.Repeat("a", 255) + `"`, issuer, strings.Repeat("a", 255)},
		{"a sub like a guest's", `"sub":"guest-alice"`, issuer, "guest-alice"},
		{"the sub of all guests", `"sub":"guest-pool"`, issuer, "guest-pool"},
		{"a sub like a hash", `"sub":"h--alice"`, issuer, "h--alice"},
		{"another issuer", `"sub":"auth0|alice","iss":"https://other.example"`, "https://other.example", "auth0|alice"},
		{"the issuer of the deployment", `"sub":"auth0|alice","iss":"` + issuer + `"`, issuer, "auth0|alice"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			users := &fakeUsers{}
			h, _ := newHandlerWith(t, users, trusting(trusted))
			e := signedBy(webRole)
			e.Body = `{"rooms":["news"],"user":` + strings.Replace(named, `"sub":"alice"`, test.user, 1) + `}`
			_, granted := sign(t, h, e)
			id, old := userid.Forms("stack", test.issuer, test.sub)
			if granted.Subject != id || users.asked.UserID != id || users.asked.OldUserID != old ||
				!cmp.Equal(users.counted, []string{id}) {
				t.Errorf("granted to %s, asked about %+v; want %s and %s", granted.Subject, users.asked, id, old)
			}
		})
	}
}

func TestSignInIsGrantedAndAsked(t *testing.T) {
	t.Parallel()
	users := &fakeUsers{}
	h, log := newHandlerWith(t, users, trusting(trusted))
	e := signedBy(webRole)
	e.Body = `{"rooms":["news"],"signIn":"` + signIn + `","user":` + named + `}`
	if _, granted := sign(t, h, e); granted.SignIn != signIn || users.asked.SignIn != signIn {
		t.Errorf("granted %q, asked about %q", granted.SignIn, users.asked.SignIn)
	}
	if strings.Contains(log.String(), signIn) {
		t.Errorf("the sign-in is in the log:\n%s", log)
	}
}

func TestServersMaySendLongRequests(t *testing.T) {
	t.Parallel()
	rooms := make([]string, 200)
	for i := range rooms {
		rooms[i] = fmt.Sprintf("a-room-with-a-long-name-%08d", i)
	}
	list, err := json.Marshal(rooms)
	if err != nil {
		t.Fatal(err)
	}
	e := signedBy(webRole)
	user := strings.Replace(named, `["news","team-1"]`, string(list), 1)
	e.Body = `{"rooms":["` + rooms[199] + `"],"user":` + user + `}`
	h, log := newHandlerWith(t, &fakeUsers{}, trusting(trusted))
	if _, granted := sign(t, h, e); !cmp.Equal(granted.Rooms, rooms[199:]) {
		t.Errorf("granted %v", granted.Rooms)
	}
	e.Body += strings.Repeat(" ", maxServerBody)
	checkRefusal(t, h, e, 413, "too_large", log)
}

func TestOtherCallersNameNoUser(t *testing.T) {
	t.Parallel()
	// grant.TestPrincipals has the whole table of callers.
	for _, caller := range []string{
		"arn:aws:sts::111122223333:assumed-role/web2/chat-web", "arn:aws:sts::111122223333:assumed-role/service/web",
		"arn:aws:iam::111122223333:role/service/web", "arn:aws:iam::111122223333:user/dev2",
		"arn:aws:iam::111122223333:root",
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
		{"no caller is trusted", "", signedBy(webRole)},
		{"no caller is trusted, and none signed", "", unsigned},
		{"no caller signed", trusted, unsigned},
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
		{"an issuer of two lines", user(`"sub"`, `"iss":"https://a.example\n","sub"`)},
		{"an issuer that is a list", user(`"sub"`, `"iss":["https://a.example"],"sub"`)},
		{"a sign-in inside of the user", user(`"sub"`, `"signIn":"`+signIn+`","sub"`)},
		{"a short sign-in", `{"signIn":"` + signIn[1:] + `","user":` + named + `}`},
		{"an empty sign-in", `{"signIn":"","user":` + named + `}`},
		{"a sign-in without a user", `{"signIn":"` + signIn + `"}`},
		{"a guest's secret", `{"guest":"` + secret + `","user":` + named + `}`},
		{"a name of two lines", user(`"Alice"`, `"Alice\nadmin"`)},
		{"a name with a direction override", user(`"Alice"`, `"Alice\u202e"`)},
		{"a long name", user(`"Alice"`, `"`+strings.Repeat("é", 65)+`"`)},
		{"a name of spaces", user(`"Alice"`, `"  "`)},
		{"no sessionStart", user(`"sessionStart":1795327140,`, ``)},
		{"a sessionStart before 1970", user(`1795327140`, `-1`)},
		{"a sessionStart in milliseconds", user(`1795327140`, `1795327140000`)},
		{"a fraction", user(`1795327140`, `1795327140.5`)},
		{"a time as text", user(`1795327140`, `"1795327140"`)},
		{"no sessionEndsAt", user(`"sessionEndsAt":1795330740,`, ``)},
		{"a sessionEndsAt in milliseconds", user(`1795330740`, `1795330740000`)},
		{"a session that ends when it starts", user(`1795330740`, `1795327140`)},
		{"a room with an unknown flag", user(`"team-1"`, `"team-1:x"`)},
		{"a moderator in words", user(`"sub"`, `"moderator":"true","sub"`)},
		{"a moderator that is a number", user(`"sub"`, `"moderator":1,"sub"`)},
		{"a moderator outside of the user", `{"moderator":true,"user":` + named + `}`},
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
			// A caller who may not name users learns nothing about the form of the same request. The one exception is a
			// body that is not the JSON of the route.
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
		{"rooms left out are the default ones", `[]`, `,"name":"A"`, ``, now - 60, now + 60, 200,
			[]string{"lobby", "news"}, "A", 60},
		{"a default room", `["news"]`, ``, ``, now - 60, now + 60, 200, []string{"news"}, "01234567", 60},
		{"no default room", `["team-1"]`, ``, ``, now - 60, now + 60, 403, nil, "", 0},
		{"a room of the list", `["team-1"]`, `,"name":""`, `,"rooms":["team-1"]`, now - 60, now + 60, 200,
			[]string{"team-1"}, "01234567", 60},
		{"the default rooms are not on the list", `[]`, ``, `,"rooms":["team-1"]`, now - 60, now + 60, 403, nil, "", 0},
		{"no rooms at all", `["lobby"]`, ``, `,"rooms":[]`, now - 60, now + 60, 403, nil, "", 0},
		{"the session ends in a second", `["lobby"]`, ``, ``, now - 60, now + 1, 200, []string{"lobby"}, "01234567", 1},
		{"the session is over", `["lobby"]`, ``, ``, now - 60, now, 401, nil, "", 0},
		{"a session longer than allowed", `["lobby"]`, ``, ``, now - 60, now + 90_000, 200, []string{"lobby"},
			"01234567", 7200},
		{"a caller whose clock is ahead", `["lobby"]`, ``, ``, now + 5, now + 60, 200, []string{"lobby"}, "01234567",
			60},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			h, log := newHandlerWith(t, &fakeUsers{}, trusting(trusted))
			e := signedBy(webRole)
			e.Body = fmt.Sprintf(template, test.asked, test.displayName, test.start, test.end, test.allowed)
			if test.status != 200 {
				checkRefusal(t, h, e, test.status, map[int]string{401: "revoked", 403: "room_not_allowed"}[test.status],
					log)
				return
			}
			body, granted := sign(t, h, e)
			wantAIT := time.Unix(min(test.start, now), 0).UTC()
			if !cmp.Equal(granted.Rooms, test.wantRooms) || granted.Name != test.wantName ||
				body["sessionEndsIn"] != float64(test.wantSessionEndsIn) ||
				!granted.SessionEndsAt.Equal(time.Unix(now+test.wantSessionEndsIn, 0)) ||
				granted.AuthenticatedAt.Unix() != wantAIT.Unix() {
				t.Errorf("granted %+v, ends in %v", granted, body["sessionEndsIn"])
			}
		})
	}
}
