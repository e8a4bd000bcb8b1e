package e2e_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"signedsocket/internal/stageclient"
	"signedsocket/localstage/stagetest"
)

const signFunction = "SignUrlFunction"

// post sends any body to signurl. authorize, which may be nil, adds the caller's token or signature. post returns the
// answer's status, error code and message, or its URL.
func post(t *testing.T, c *stageclient.Client, body string, authorize func(*http.Request)) (status int,
	answer struct{ Error, Message, URL string }) {
	t.Helper()
	r, err := http.NewRequestWithContext(within(t), http.MethodPost, c.Outputs.SignURL, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Content-Type", "application/json")
	if authorize != nil {
		authorize(r)
	}
	response, err := c.HTTP.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	if err := json.NewDecoder(response.Body).Decode(&answer); err != nil {
		t.Fatalf("HTTP %d: %v", response.StatusCode, err)
	}
	return response.StatusCode, answer
}

// signedAs signs a request with the keys of a profile. The signed body may differ from the body that is sent.
func signedAs(t *testing.T, c *stageclient.Client, profile, body string) func(*http.Request) {
	t.Helper()
	credentials, err := c.Credentials(within(t), profile)
	if err != nil {
		t.Fatal(err)
	}
	return func(r *http.Request) {
		if err := c.SignRequest(within(t), credentials, r, []byte(body)); err != nil {
			t.Error(err)
		}
	}
}

func bearer(token string) func(*http.Request) {
	return func(r *http.Request) { r.Header.Set("Authorization", "Bearer "+token) }
}

// enter opens the connection of a signed URL as a page of the stage does.
func enter(t *testing.T, c *stageclient.Client, signed *stageclient.Signed, proof stageclient.Proof) (*stageclient.Conn,
	error) {
	t.Helper()
	page, err := url.Parse(c.Outputs.FrontendURL)
	if err != nil {
		t.Fatal(err)
	}
	header := http.Header{"Origin": {page.Scheme + "://" + page.Host}}
	conn, err := stageclient.Dial(within(t), signed, stageclient.DialOptions{
		Verifier: proof.Verifier, Header: header, HTTP: c.HTTP, Trace: c.Trace,
	})
	if err == nil {
		t.Cleanup(func() { _ = conn.Close() })
	}
	return conn, err
}

func mustEnter(t *testing.T, c *stageclient.Client, signed *stageclient.Signed,
	proof stageclient.Proof) *stageclient.Conn {
	t.Helper()
	conn, err := enter(t, c, signed, proof)
	if err != nil {
		t.Fatalf("connect as %s: %v", signed.User.Sub, err)
	}
	return conn
}

// wantSignError checks that signurl, or the gateway before it, refused a request.
func wantSignError(t *testing.T, err error, status int, code string) *stageclient.SignError {
	t.Helper()
	refused, ok := errors.AsType[*stageclient.SignError](err)
	if !ok || refused.Status != status || refused.Code != code {
		t.Fatalf("asking for a URL gave %v, want %d %s", err, status, code)
	}
	return refused
}

// webCaller gives the disconnect function's role the name web and the right to ask for URLs: it stands for the role
// of a server that serves pages.
func webCaller(template string) string {
	const (
		role       = "      Description: Removes the records of a connection.\n"
		signURL    = "arn:${AWS::Partition}:execute-api:${AWS::Region}:${AWS::AccountId}:${HttpApi}/*/POST/signurl"
		statements = "        - PolicyName: Disconnect\n          PolicyDocument:\n" +
			"            Version: \"2012-10-17\"\n            Statement:\n"
	)
	template = strings.Replace(template, role, "      RoleName: web\n"+role, 1)
	return strings.Replace(template, statements, statements+`              - Sid: AskForURLs
                Effect: Allow
                Action: execute-api:Invoke
                Resource: !Sub `+signURL+"\n", 1)
}

const webProfile = "DisconnectFunction"

// startIam starts a stage in mode iam that trusts the role web.
func startIam(t *testing.T) (*stagetest.Stage, *stageclient.Client) {
	t.Helper()
	return startIamIn(t, "")
}

// startIamIn is startIam with a state folder of the test's own.
func startIamIn(t *testing.T, state string) (*stagetest.Stage, *stageclient.Client) {
	t.Helper()
	return startStage(t, stagetest.Options{State: state, Edit: webCaller, Parameters: map[string]string{
		"AuthMode":          "iam",
		"TrustedCallerArns": "arn:aws:iam::111122223333:role/service/web,arn:aws:iam::111122223333:user/deploy",
	}})
}

func namedBody(t *testing.T, change func(user map[string]any)) string {
	t.Helper()
	now := time.Now()
	user := map[string]any{"sub": "alice", "name": "Alice", "sessionStart": now.Unix() - 60,
		"sessionEndsAt": now.Unix() + 3600}
	change(user)
	body, err := json.Marshal(map[string]any{"challenge": stageclient.NewProof().Challenge, "user": user})
	if err != nil {
		t.Fatal(err)
	}
	return string(body)
}

func TestATrustedCallerNamesTheUserWhoThenChats(t *testing.T) {
	t.Parallel()
	_, client := startIam(t)
	credentials, err := client.Credentials(within(t), webProfile)
	if err != nil {
		t.Fatal(err)
	}
	open := func(user stageclient.NamedUser, rooms ...string) *stageclient.Conn {
		proof := stageclient.NewProof()
		signed, err := client.SignURLFor(within(t), credentials, user, rooms, proof.Challenge)
		if err != nil {
			t.Fatal(err)
		}
		if signed.User.Sub != user.Sub || signed.User.Name != user.Name {
			t.Errorf("signed for %+v, want %s named %s", signed.User, user.Sub, user.Name)
		}
		return mustEnter(t, client, signed, proof)
	}
	alice := stageclient.NewNamedUser(stageclient.User{Sub: "alice", Name: "Alice Ä"}, time.Now())
	bob := stageclient.NewNamedUser(stageclient.User{Sub: "bob", Name: "Bob"}, time.Now())
	bob.Rooms = []string{"vault", "lobby"} // more than the default rooms: the caller chooses
	speaks, hears := open(alice), open(bob, "lobby", "vault")
	send(t, speaks, "hello", "1")
	if got := await[stageclient.Message](t, hears); got.From != (stageclient.User{Sub: "alice", Name: "Alice Ä"}) ||
		got.Text != "hello" || got.Room != "lobby" {
		t.Errorf("bob received %+v", got)
	}
	if err := hears.Send(within(t), stageclient.Outgoing{Text: "gold", Room: "vault", ID: "2"}); err != nil {
		t.Fatal(err)
	}
	if got := await[stageclient.Message](t, hears); got.Room != "vault" {
		t.Errorf("bob received %+v, want his own words in the vault", got)
	}
}

// TestThePagesServerIsATrustedCaller: mode iam needs no other parameter. It trusts the role of the page's server only.
func TestThePagesServerIsATrustedCaller(t *testing.T) {
	t.Parallel()
	localOnly(t, "sets parameters")
	_, client := startStage(t, stagetest.Options{Parameters: map[string]string{"AuthMode": "iam"}})
	credentials, err := client.Credentials(within(t), stagetest.FrontendFunction)
	if err != nil {
		t.Fatal(err)
	}
	proof := stageclient.NewProof()
	signed, err := client.SignURLFor(within(t), credentials,
		stageclient.NewNamedUser(stageclient.User{Sub: "alice", Name: "Alice"}, time.Now()), nil, proof.Challenge)
	if err != nil {
		t.Fatal(err)
	}
	mustEnter(t, client, signed, proof)
	body := namedBody(t, func(map[string]any) {})
	if status, answer := post(t, client, body, signedAs(t, client, "admin", body)); status != http.StatusForbidden ||
		answer.Error != "caller_not_trusted" {
		t.Errorf("admin: answered %d %+v, want 403 caller_not_trusted", status, answer)
	}
}

func TestAConnectionEndsWithTheNamedSession(t *testing.T) {
	t.Parallel()
	_, client := startIam(t)
	credentials, err := client.Credentials(within(t), webProfile)
	if err != nil {
		t.Fatal(err)
	}
	now := time.Now()
	user := stageclient.NewNamedUser(stageclient.User{Sub: "alice"}, now)
	user.SessionStart, user.SessionEndsAt = now.Add(-time.Hour).Unix(), now.Add(5*time.Minute).Unix()
	signed, err := client.SignURLFor(within(t), credentials, user, nil, stageclient.NewProof().Challenge)
	if err != nil {
		t.Fatal(err)
	}
	address, err := url.Parse(signed.URL)
	if err != nil {
		t.Fatal(err)
	}
	sx, ait := address.Query().Get("sx"), address.Query().Get("ait")
	if sx != fmt.Sprint(user.SessionEndsAt) || ait != fmt.Sprint(user.SessionStart) || signed.SessionEndsIn > 300 ||
		signed.SessionEndsIn < 280 {
		t.Errorf("the session of %+v is signed as from %s to %s, and ends in %d s", user, ait, sx, signed.SessionEndsIn)
	}
	user.SessionStart, user.SessionEndsAt = now.Add(-time.Hour).Unix(), now.Add(-time.Second).Unix()
	_, err = client.SignURLFor(within(t), credentials, user, nil, stageclient.NewProof().Challenge)
	wantSignError(t, err, http.StatusUnauthorized, "revoked")
}

// TestOnlyTrustedCallersNameUsers: the gateway refuses callers that IAM refuses, and signurl refuses callers that it
// does not trust.
func TestOnlyTrustedCallersNameUsers(t *testing.T) {
	t.Parallel()
	stage, client := startIam(t)
	body := namedBody(t, func(map[string]any) {})
	token, err := client.Token(within(t), "alice")
	if err != nil {
		t.Fatal(err)
	}
	forbidden := map[string]func(*http.Request){
		"unsigned":                       nil,
		"a token":                        bearer(token),
		"a role that IAM does not allow": signedAs(t, client, "ConnectFunction", body),
		"signurl itself":                 signedAs(t, client, signFunction, body),
		"a body other than signed":       signedAs(t, client, webProfile, body+" "),
	}
	for name, authorize := range forbidden {
		status, answer := post(t, client, body, authorize)
		if status != http.StatusForbidden || answer.Message != "Forbidden" || answer.Error != "" || answer.URL != "" {
			t.Errorf("%s: answered %d %+v, want the gateway's 403 Forbidden", name, status, answer)
		}
	}
	if n := stage.Invocations(signFunction); n != 0 {
		t.Errorf("signurl was invoked %d times for callers that the gateway refused", n)
	}
	status, answer := post(t, client, body, signedAs(t, client, "admin", body))
	if status != http.StatusForbidden || answer.Error != "caller_not_trusted" || answer.URL != "" {
		t.Errorf("admin: answered %d %+v, want 403 caller_not_trusted", status, answer)
	}
}

func TestANamedUserMustBeComplete(t *testing.T) {
	t.Parallel()
	_, client := startIam(t)
	change := func(member string, value any) string {
		return namedBody(t, func(user map[string]any) {
			if value == nil {
				delete(user, member)
			} else {
				user[member] = value
			}
		})
	}
	tests := map[string]string{
		"no user":              `{"rooms":["lobby"]}`,
		"no sub":               change("sub", nil),
		"a sub of two lines":   change("sub", "alice\nbob"),
		"a name of two lines":  change("name", "Alice\nadmin"),
		"no sessionStart":      change("sessionStart", nil),
		"no sessionEndsAt":     change("sessionEndsAt", nil),
		"milliseconds":         change("sessionStart", time.Now().UnixMilli()),
		"a malformed room":     change("rooms", []string{"Lobby"}),
		"an unknown member":    change("admin", true),
		"a sub that is a list": change("sub", []string{"alice"}),
	}
	for name, body := range tests {
		status, answer := post(t, client, body, signedAs(t, client, webProfile, body))
		if status != http.StatusBadRequest || answer.Error != "bad_request" || answer.URL != "" {
			t.Errorf("%s: answered %d %+v, want 400 bad_request", name, status, answer)
		}
	}
	for _, room := range []string{"vault", "news"} {
		body := change("rooms", []string{room})
		status, answer := post(t, client, body, signedAs(t, client, webProfile, body))
		if status != http.StatusForbidden || answer.Error != "room_not_allowed" {
			t.Errorf("lobby for a user who may enter %s: answered %d %+v, want 403 room_not_allowed", room, status,
				answer)
		}
	}
}

// TestAModeWithoutItsSettingsRefusesEveryRequest: an unfinished deployment gives no user access.
func TestAModeWithoutItsSettingsRefusesEveryRequest(t *testing.T) {
	t.Parallel()
	localOnly(t, "sets parameters")
	lost := func(template string) string { // a change in the console has removed the authorization of the route
		template = strings.Replace(template,
			"AuthorizationType: !If [AuthModeIsJwt, JWT, !If [AuthModeIsIam, AWS_IAM, NONE]]",
			"AuthorizationType: NONE", 1)
		return strings.Replace(template,
			"      AuthorizerId: !If [AuthModeIsJwt, !Ref SignUrlAuthorizer, !Ref AWS::NoValue]\n", "", 1)
	}
	web := map[string]string{"AuthMode": "iam", "TrustedCallerArns": "arn:aws:iam::111122223333:user/admin"}
	tests := map[string]struct {
		options stagetest.Options
		named   bool
	}{
		"iam without trusted callers": {stagetest.Options{Parameters: map[string]string{"AuthMode": "iam",
			"DeployFrontend": "false"}}, true},
		"iam without authorization": {stagetest.Options{Parameters: web, Edit: lost}, true},
		"guest without guest rooms": {stagetest.Options{Parameters: map[string]string{"AuthMode": "guest"}}, false},
		"jwt without authorization": {stagetest.Options{Edit: lost}, false},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, client := startStage(t, test.options)
			body := `{"challenge":"` + stageclient.NewProof().Challenge + `"}`
			if test.named {
				body = namedBody(t, func(map[string]any) {})
			}
			token, err := client.Token(within(t), "alice")
			if err != nil {
				t.Fatal(err)
			}
			for who, authorize := range map[string]func(*http.Request){"signed": signedAs(t, client, "admin", body),
				"token": bearer(token)} {
				status, answer := post(t, client, body, authorize)
				closed := status == http.StatusServiceUnavailable && answer.Error == "auth_not_configured"
				if name == "iam without trusted callers" && who == "token" { // the gateway still asks for a signature
					closed = status == http.StatusForbidden && answer.Message == "Forbidden"
				}
				if !closed || answer.URL != "" {
					t.Errorf("%s: answered %d %+v, want 503 auth_not_configured", who, status, answer)
				}
			}
		})
	}
}

func TestOtherSitesMayAskOnlyWhenNamed(t *testing.T) {
	t.Parallel()
	// without the page, whose server would answer the preflight
	_, own := startStage(t, stagetest.Options{Parameters: map[string]string{"DeployFrontend": "false"}})
	_, shared := startStage(t,
		stagetest.Options{Parameters: map[string]string{"AllowedOrigins": "https://app.example,http://localhost:3000"}})
	preflight := func(c *stageclient.Client, origin string) (int, http.Header) {
		r, err := http.NewRequestWithContext(within(t), http.MethodOptions, c.Outputs.SignURL, bytes.NewReader(nil))
		if err != nil {
			t.Fatal(err)
		}
		r.Header = http.Header{"Origin": {origin}, "Access-Control-Request-Method": {"POST"},
			"Access-Control-Request-Headers": {"authorization,content-type"}}
		response, err := c.HTTP.Do(r)
		if err != nil {
			t.Fatal(err)
		}
		_ = response.Body.Close()
		granted := maps.Clone(response.Header)
		maps.DeleteFunc(granted,
			func(name string, _ []string) bool { return !strings.HasPrefix(name, "Access-Control-") })
		return response.StatusCode, granted
	}
	for _, origin := range []string{"https://app.example", "http://localhost:3000"} {
		status, header := preflight(shared, origin)
		want := http.Header{
			"Access-Control-Allow-Origin": {origin}, "Access-Control-Allow-Methods": {"POST"},
			"Access-Control-Allow-Headers": {"authorization,content-type"}, "Access-Control-Max-Age": {"600"},
		}
		if status != http.StatusNoContent || !maps.EqualFunc(header, want, slices.Equal) {
			t.Errorf("%s is answered %d %v, want 204 %v", origin, status, header, want)
		}
		if status, header := preflight(own, origin); status != http.StatusNotFound || len(header) != 0 {
			t.Errorf("without AllowedOrigins %s is answered %d %v, want 404", origin, status, header)
		}
	}
	for _, origin := range []string{"https://app.example.evil.example", "http://app.example",
		"https://app.example:8443", "null", "https://APP.example"} {
		if _, header := preflight(shared, origin); len(header) != 0 {
			t.Errorf("%s is granted %v", origin, header)
		}
	}
}
