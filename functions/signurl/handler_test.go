package main

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-lambda-go/events"
	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/google/go-cmp/cmp"

	"signedsocket/protocol"
	"signedsocket/shared/connections"
	"signedsocket/shared/grant"
	"signedsocket/shared/logging"
)

const (
	challenge = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM"
	ticket    = "AAECAwQFBgcICQoLDA0ODw"
	issuer    = "https://issuer.example"
	instance  = "EBESExQVFhcYGRobHB0eHw"
	signIn    = "hash_of_a_sign-in_0123"
	secret    = "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8"
)

var epoch = time.Date(2026, 11, 22, 6, 0, 0, 400_000_000, time.UTC)

// fakeUsers refuses all users with err.
type fakeUsers struct {
	err, countErr   error
	subject         string
	authenticatedAt time.Time
	asked           connections.Applicant
	counted         []string
}

func (f *fakeUsers) CountURL(_ context.Context, userID string, _ time.Time) error {
	f.counted = append(f.counted, userID)
	return f.countErr
}

func (f *fakeUsers) MayConnect(_ context.Context, a connections.Applicant, _ time.Time) error {
	f.subject, f.authenticatedAt, f.asked = a.UserID, a.AuthenticatedAt, a
	return f.err
}

func newTestHandler(t *testing.T, users *fakeUsers) (*handler, *bytes.Buffer) {
	t.Helper()
	return newHandlerWith(t, users, nil)
}

// newHandlerWith returns a handler in an environment that differs from the usual one.
func newHandlerWith(t *testing.T, users *fakeUsers, changes map[string]string) (*handler, *bytes.Buffer) {
	t.Helper()
	presigner, err := grant.NewPresigner("wss://abc123.execute-api.us-east-1.amazonaws.com/prod", "us-east-1",
		aws.CredentialsProviderFunc(func(context.Context) (aws.Credentials, error) {
			return aws.Credentials{
				AccessKeyID: "AKIDEXAMPLE", SecretAccessKey: "example", SessionToken: "tok/en+==",
			}, nil
		}))
	if err != nil {
		t.Fatal(err)
	}
	environment := environment()
	maps.Copy(environment, changes)
	c, err := readConfig(environment)
	if err != nil {
		t.Fatal(err)
	}
	log := new(bytes.Buffer)
	return &handler{
		log: logging.New(log), config: c, users: users, presigner: presigner,
		now: func() time.Time { return epoch }, newTicket: func() string { return ticket },
	}, log
}

func environment() map[string]string {
	return map[string]string{
		"WEBSOCKET_URL": "wss://abc123.execute-api.us-east-1.amazonaws.com/prod", "PROOF_OF_POSSESSION": "optional",
		"TABLE_NAME": "table", "BANS_TABLE_NAME": "bans", "ACCOUNT_ID": "111122223333",
		"AUTH_MODE": "jwt", "STACK_ID": "stack", "OIDC_ISSUER": issuer, "OIDC_CLIENTS": "page,signedsocket",
		"TRUSTED_CALLER_ARNS": "", "GUEST_ROOMS": "", "GUEST_CONNECTIONS": "100",
		"DEFAULT_ROOMS": "lobby,news", "NAME_CLAIM": "name", "ROOMS_CLAIM": "", "MODERATOR_CLAIM": "",
		"URL_LIFETIME_SECONDS": "10", "SESSION_MAX_SECONDS": "7200",
	}
}

// request returns the event of a request of alice's, whose token is a minute old and good for an hour.
func request(body string) events.APIGatewayV2HTTPRequest { return requestWith(body, nil) }

// requestWith returns the event of a request whose token has other claims; nil leaves a claim out.
func requestWith(body string, changes map[string]any) events.APIGatewayV2HTTPRequest {
	claims := map[string]any{
		"iss": issuer, "sub": "alice", "name": "Alice", "iat": 1795327140, "exp": 1795330740, "aud": "signedsocket",
	}
	maps.Copy(claims, changes)
	maps.DeleteFunc(claims, func(_ string, value any) bool { return value == nil })
	return requestOf(body, map[string]any{"alg": "RS256", "typ": "at+jwt", "kid": "1"}, claims)
}

// requestOf returns the event of a request with this token, whose claims the gateway has written as texts.
func requestOf(body string, header, claims map[string]any) events.APIGatewayV2HTTPRequest {
	written := make(map[string]string, len(claims))
	for name, value := range claims {
		written[name] = fmt.Sprint(value)
	}
	return events.APIGatewayV2HTTPRequest{
		Version: "2.0", RouteKey: "POST /signurl", Body: body,
		Headers: map[string]string{
			"content-type": "application/json", "host": "evil.example",
			"authorization": "Bearer " + tokenOf(header, claims),
		},
		RequestContext: events.APIGatewayV2HTTPRequestContext{
			Authorizer: &authorizer{
				JWT: &events.APIGatewayV2HTTPRequestContextAuthorizerJWTDescription{Claims: written},
			},
		},
	}
}

// tokenOf returns a token whose signature is not checked again.
func tokenOf(parts ...map[string]any) string {
	var text string
	for _, part := range parts {
		encoded, err := json.Marshal(part)
		if err != nil {
			panic(err)
		}
		text += base64.RawURLEncoding.EncodeToString(encoded) + "."
	}
	return text + "c2ln"
}

func claims(event events.APIGatewayV2HTTPRequest) map[string]string {
	return event.RequestContext.Authorizer.JWT.Claims
}

// sign returns the answer to a request that must be granted, and the grant in its URL.
func sign(t *testing.T, h *handler, event events.APIGatewayV2HTTPRequest) (map[string]any, grant.Grant) {
	t.Helper()
	response, err := h.handle(t.Context(), event)
	if err != nil || response.StatusCode != 200 {
		t.Fatalf("handle = %+v, %v", response, err)
	}
	if err := protocol.SignURLAnswer(response.StatusCode, []byte(response.Body)); err != nil {
		t.Errorf("answer %s: %v", response.Body, err)
	}
	var body map[string]any
	if err := json.Unmarshal([]byte(response.Body), &body); err != nil {
		t.Fatal(err)
	}
	signed, err := url.Parse(body["url"].(string))
	if err != nil {
		t.Fatal(err)
	}
	granted, err := grant.Parse(signed.Query())
	if err != nil {
		t.Fatal(err)
	}
	if err := granted.CheckTimes(epoch); err != nil {
		t.Error(err)
	}
	return body, granted
}

func TestSignedURLGrantsTheRequest(t *testing.T) {
	t.Parallel()
	users := &fakeUsers{}
	h, log := newTestHandler(t, users)
	body, granted := sign(t, h, request(`{"rooms":["news"],"challenge":"`+challenge+`"}`))
	issuedAt := epoch.Truncate(time.Second)
	want := grant.Grant{
		Subject: "alice", Name: "Alice", Rooms: []string{"news"}, IssuedAt: issuedAt,
		ExpiresAt: issuedAt.Add(10 * time.Second),
		SessionEndsAt: issuedAt.Add(time.Hour +
			4*time.Minute), AuthenticatedAt: issuedAt.Add(-time.Minute), Ticket: ticket, Challenge: challenge,
	}
	if diff := cmp.Diff(want, granted); diff != "" {
		t.Errorf("grant (-want +got):\n%s", diff)
	}
	if users.subject != "alice" || !users.authenticatedAt.Equal(granted.AuthenticatedAt) {
		t.Errorf("asked about %s of %s", users.subject, users.authenticatedAt)
	}
	signed, _ := body["url"].(string)
	if !strings.HasPrefix(signed, "wss://abc123.execute-api.us-east-1.amazonaws.com/prod?") ||
		!strings.Contains(signed, "&X-Amz-Signature=") {
		t.Errorf("url %s", signed)
	}
	delete(body, "url")
	rest := map[string]any{
		"protocols": []any{"chat.v1"}, "expiresIn": 10.0, "sessionEndsIn": 3840.0,
		"user":  map[string]any{"sub": "alice", "name": "Alice"},
		"rooms": []any{map[string]any{"room": "lobby"}, map[string]any{"room": "news"}},
	}
	if diff := cmp.Diff(rest, body); diff != "" {
		t.Errorf("answer (-want +got):\n%s", diff)
	}
	for _, secret := range []string{ticket, challenge, "X-Amz", "Alice", "eyJ"} {
		if strings.Contains(log.String(), secret) {
			t.Errorf("%s is in the log:\n%s", secret, log)
		}
	}
}

func TestAnswersMayNotBeStored(t *testing.T) {
	t.Parallel()
	h, _ := newTestHandler(t, &fakeUsers{})
	for _, body := range []string{`{}`, `x`} {
		response, err := h.handle(t.Context(), request(body))
		want := map[string]string{"Cache-Control": "no-store", "Content-Type": "application/json"}
		if err != nil || !cmp.Equal(response.Headers, want) {
			t.Errorf("headers %v, %v", response.Headers, err)
		}
	}
}

func TestRoomsDefault(t *testing.T) {
	t.Parallel()
	h, _ := newTestHandler(t, &fakeUsers{})
	for _, body := range []string{`{}`, `{"rooms":[]}`, `{"rooms":null}`} {
		if _, granted := sign(t, h, request(body)); !cmp.Equal(granted.Rooms, []string{"lobby", "news"}) ||
			granted.Challenge != "" {
			t.Errorf("%s grants %v", body, granted.Rooms)
		}
	}
}

func TestSignRefuses(t *testing.T) {
	t.Parallel()
	type event = events.APIGatewayV2HTTPRequest
	body := func(body string) func(*event) { return func(e *event) { e.Body = body } }
	contentType := func(value string) func(*event) { return func(e *event) { e.Headers["content-type"] = value } }
	tests := []struct {
		name   string
		change func(*event)
		status int
		code   string
	}{
		{"no body", body(""), 400, "bad_request"},
		{"no JSON", body("rooms=lobby"), 400, "bad_request"},
		{"no object", body(`["lobby"]`), 400, "bad_request"},
		{"two objects", body(`{}{}`), 400, "bad_request"},
		{"an unknown name", body(`{"room":"lobby"}`), 400, "bad_request"},
		{"a user of the caller's choice", body(`{"user":{"sub":"bob"}}`), 400, "bad_request"},
		{"a user of the caller's choice, all complete",
			body(`{"user":{"sub":"bob","name":"Bob","sessionStart":1795327140,"sessionEndsAt":1795330740,` +
				`"rooms":["lobby"]}}`), 400, "bad_request"},
		{"a repeated name", body(`{"rooms":["lobby"],"rooms":["news"]}`), 400, "bad_request"},
		{"another letter case", body(`{"Rooms":["lobby"]}`), 400, "bad_request"},
		{"an ill-formed room", body(`{"rooms":["Lobby"]}`), 400, "bad_request"},
		{"a right instead of a room", body(`{"rooms":["lobby:r"]}`), 400, "bad_request"},
		{"a moderator of the caller's choice", body(`{"moderator":true}`), 400, "bad_request"},
		{"a moderator of the caller's choice in a user", body(`{"user":{"moderator":true}}`), 400, "bad_request"},
		{"a room twice", body(`{"rooms":["lobby","lobby"]}`), 400, "bad_request"},
		{"nine rooms", body(`{"rooms":["a","b","c","d","e","f","g","h","i"]}`), 400, "bad_request"},
		{"an ill-formed challenge", body(`{"challenge":"short"}`), 400, "bad_request"},
		{"broken base64", func(e *event) { e.IsBase64Encoded, e.Body = true, "?" }, 400, "bad_request"},
		{"a guest's secret", body(`{"guest":"` + secret + `"}`), 400, "bad_request"},
		{"a name of the user's choice", body(`{"name":"Bob"}`), 400, "bad_request"},
		{"a sign-in", body(`{"signIn":"` + signIn + `"}`), 400, "bad_request"},
		{"an empty client instance", body(`{"ci":""}`), 400, "bad_request"},
		{"a short client instance", body(`{"ci":"` + instance[1:] + `"}`), 400, "bad_request"},
		{"a client instance with spare bits set", body(`{"ci":"` + instance[:21] + `x"}`), 400, "bad_request"},
		{"a client instance that is a number", body(`{"ci":1}`), 400, "bad_request"},
		{"a long body", body(`{}` + strings.Repeat(" ", maxBody)), 413, "too_large"},
		{"no content type", func(e *event) { delete(e.Headers, "content-type") }, 415, "unsupported_media_type"},
		{"a form", contentType("application/x-www-form-urlencoded"), 415, "unsupported_media_type"},
		{"plain text, which needs no preflight", contentType("text/plain"), 415, "unsupported_media_type"},
		{"nearly JSON", contentType("application/json-patch+json"), 415, "unsupported_media_type"},
		{"a room of others", body(`{"rooms":["lobby","secret"]}`), 403, "room_not_allowed"},
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

func checkRefusal(
	t *testing.T, h *handler, e events.APIGatewayV2HTTPRequest, status int, code string, log *bytes.Buffer,
) {
	t.Helper()
	response, err := h.handle(t.Context(), e)
	if err != nil || response.StatusCode != status ||
		!strings.HasPrefix(response.Body, `{"error":"`+code+`","message":"`) ||
		strings.Contains(response.Body, "wss:") {
		t.Errorf("handle = %d %s, %v; want %d %s", response.StatusCode, response.Body, err, status, code)
	}
	if !strings.Contains(log.String(), `"reason":"`+code+`"`) {
		t.Errorf("log lacks the reason %s:\n%s", code, log)
	}
}

func TestRevokedUserGetsNoURL(t *testing.T) {
	t.Parallel()
	for _, err := range []error{connections.ErrRevoked, connections.ErrBanned} {
		h, log := newTestHandler(t, &fakeUsers{err: err})
		checkRefusal(t, h, request(`{}`), 401, "revoked", log)
	}
}

func TestAUserWithTooManyRequestsLearnsWhenToAskAgain(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name       string
		users      fakeUsers
		code       string
		retryAfter string
	}{
		{"too many URLs", fakeUsers{countErr: &connections.RateLimitError{RetryAfter: 20_300 * time.Millisecond}},
			"too_many_requests", "21"},
		{"in the last moment", fakeUsers{countErr: &connections.RateLimitError{RetryAfter: time.Millisecond}},
			"too_many_requests", "1"},
		{"kicked", fakeUsers{err: &connections.KickedError{RetryAfter: time.Minute}}, "kicked", "60"},
		{"kicked for no time", fakeUsers{err: &connections.KickedError{}}, "kicked", "1"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			h, log := newTestHandler(t, &test.users)
			checkRefusal(t, h, request(`{}`), 429, test.code, log)
			response, _ := h.handle(t.Context(), request(`{}`))
			if got := response.Headers["Retry-After"]; got != test.retryAfter || test.users.subject != "alice" {
				t.Errorf("Retry-After %q, want %q; asked about %q", got, test.retryAfter, test.users.subject)
			}
			if !cmp.Equal(test.users.counted, []string{"alice", "alice"}) {
				t.Errorf("counted %v", test.users.counted)
			}
		})
	}
	broken := errors.New("no route to table")
	h, _ := newTestHandler(t, &fakeUsers{countErr: broken})
	if _, err := h.handle(t.Context(), request(`{}`)); !errors.Is(err, broken) {
		t.Errorf("a count that fails: %v", err)
	}
}

func TestRequestsThatAreRefusedAreNotCounted(t *testing.T) {
	t.Parallel()
	for _, e := range []events.APIGatewayV2HTTPRequest{
		request(`x`), request(`{"rooms":["secret"]}`), requestWith(`{}`, map[string]any{"nonce": "n"}),
	} {
		users := &fakeUsers{}
		h, _ := newTestHandler(t, users)
		if response, err := h.handle(t.Context(), e); err != nil || response.StatusCode == 200 ||
			len(users.counted) > 0 {
			t.Errorf("handle = %d, %v; counted %v", response.StatusCode, err, users.counted)
		}
	}
}

func TestClientInstanceIsGranted(t *testing.T) {
	t.Parallel()
	users := &fakeUsers{}
	h, _ := newTestHandler(t, users)
	for body, want := range map[string]string{`{"ci":"` + instance + `"}`: instance, `{"ci":null}`: "", `{}`: ""} {
		_, granted := sign(t, h, request(body))
		if granted.ClientInstance != want || users.asked.ClientInstance != want || granted.SignIn != "" {
			t.Errorf("%s: granted %q, asked about %q", body, granted.ClientInstance, users.asked.ClientInstance)
		}
	}
}

func TestFaultIsAnErrorForTheGateway(t *testing.T) {
	t.Parallel()
	broken := errors.New("no route to table")
	h, log := newTestHandler(t, &fakeUsers{err: broken})
	if response, err := h.handle(t.Context(), request(`{}`)); !errors.Is(err, broken) || response.Body != "" ||
		!strings.Contains(log.String(), "no route to table") {
		t.Errorf("handle = %+v, %v\n%s", response, err, log)
	}
	h, _ = newTestHandler(t, &fakeUsers{})
	noKeys := aws.CredentialsProviderFunc(func(context.Context) (aws.Credentials, error) {
		return aws.Credentials{}, nil
	})
	presigner, err := grant.NewPresigner(h.config.WebSocketURL, "us-east-1", noKeys)
	if err != nil {
		t.Fatal(err)
	}
	h.presigner = presigner
	if response, err := h.handle(t.Context(), request(`{}`)); err == nil || response.StatusCode != 0 {
		t.Errorf("without credentials: %+v, %v", response, err)
	}
}

func TestRequestForms(t *testing.T) {
	t.Parallel()
	h, _ := newTestHandler(t, &fakeUsers{})
	encoded := request(base64.StdEncoding.EncodeToString([]byte(`{"rooms":["news"]}`)))
	encoded.IsBase64Encoded = true
	charset := request(`{"rooms":["news"]}`)
	charset.Headers = map[string]string{
		"Content-Type": "application/JSON; charset=utf-8", "Authorization": charset.Headers["authorization"],
	}
	for _, e := range []events.APIGatewayV2HTTPRequest{encoded, charset} {
		if _, granted := sign(t, h, e); !cmp.Equal(granted.Rooms, []string{"news"}) {
			t.Errorf("rooms %v", granted.Rooms)
		}
	}
}
