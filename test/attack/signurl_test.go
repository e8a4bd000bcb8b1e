package attack_test

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"io"
	"net/http"
	"strings"
	"testing"

	"signedsocket/internal/stageclient/clienttest"
	"signedsocket/localstage/stagetest"
)

// post asks signurl for a URL and returns the status and the body of its answer.
func (s *scene) post(t *testing.T, body string, header http.Header) (int, string) {
	t.Helper()
	r, err := http.NewRequestWithContext(clienttest.Within(t), http.MethodPost, s.client.Outputs.SignURL,
		strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Content-Type", "application/json")
	for name, values := range header {
		r.Header[name] = values
	}
	response, err := s.client.HTTP.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	answer, err := io.ReadAll(io.LimitReader(response.Body, 64<<10))
	if err != nil {
		t.Fatal(err)
	}
	return response.StatusCode, string(answer)
}

func bearer(token string) http.Header { return http.Header{"Authorization": {"Bearer " + token}} }

// TestSignUrlRefusesRequestsWithoutAToken: a signing route without a check of the user would sign for every visitor.
func TestSignUrlRefusesRequestsWithoutAToken(t *testing.T) {
	t.Parallel()
	localOnly(t, "needs a second issuer and a user's claims by name")
	s := open(t, stagetest.Options{})
	foreign := clienttest.Token(t, openEmpty(t, stagetest.Options{}).client, "victim")
	mine := strings.Split(clienttest.Token(t, s.client, "mallory"), ".")
	encode := base64.RawURLEncoding.EncodeToString
	victims := encode([]byte(strings.ReplaceAll(decode(t, mine[1]), "mallory", "victim")))
	public := sha256.Sum256([]byte("any public key"))
	mac := hmac.New(sha256.New, public[:])
	_, _ = mac.Write([]byte(encode([]byte(`{"alg":"HS256"}`)) + "." + victims)) // a hash never fails
	tests := map[string]http.Header{
		"no token":                  {},
		"an empty token":            bearer(""),
		"no JWT":                    bearer("open sesame"),
		"a token of another issuer": bearer(foreign),
		"no algorithm":              bearer(encode([]byte(`{"alg":"none"}`)) + "." + victims + "."),
		"a shared key": bearer(encode([]byte(`{"alg":"HS256"}`)) + "." + victims + "." +
			encode(mac.Sum(nil))),
		"somebody else's claims":       bearer(mine[0] + "." + victims + "." + mine[2]),
		"without a signature":          bearer(mine[0] + "." + mine[1] + "."),
		"Basic":                        {"Authorization": {"Basic dmljdGltOnZpY3RpbQ=="}},
		"a cookie":                     {"Cookie": {"access_token=" + strings.Join(mine, ".")}},
		"a user of one's own choice":   {"X-Forwarded-User": {"victim"}, "X-Amzn-Oidc-Identity": {"victim"}},
		"an address of the inner side": {"X-Forwarded-For": {"127.0.0.1"}, "Forwarded": {"for=127.0.0.1"}},
	}
	for name, header := range tests {
		s.unharmed(t, nil, func() {
			if status, body := s.post(t, `{}`, header); status != http.StatusUnauthorized ||
				strings.Contains(body, "url") {
				t.Errorf("%s: answered %d %s, want 401", name, status, body)
			}
		})
	}
}

func decode(t *testing.T, part string) string {
	t.Helper()
	text, err := base64.RawURLEncoding.DecodeString(part)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// TestATokenInTheAddressIsIgnored: logs record addresses.
func TestATokenInTheAddressIsIgnored(t *testing.T) {
	t.Parallel()
	s := open(t, stagetest.Options{})
	token := clienttest.Token(t, s.client, "mallory")
	s.client.Outputs.SignURL += "?access_token=" + token + "&authorization=Bearer%20" + token
	s.unharmed(t, nil, func() {
		if status, _ := s.post(t, `{}`, nil); status != http.StatusUnauthorized {
			t.Errorf("answered %d, want 401", status)
		}
	})
}

// TestSignUrlGrantsNoMoreThanTheTokenSays: a signed-in user asks for rooms and names of other users.
func TestSignUrlGrantsNoMoreThanTheTokenSays(t *testing.T) {
	t.Parallel()
	s := open(t, stagetest.Options{})
	header := bearer(clienttest.Token(t, s.client, "mallory"))
	challenge := strings.Repeat("A", 43)
	tests := []struct {
		name, body string
		status     int
		reason     string
	}{
		{name: "somebody else", body: `{"challenge":"` + challenge + `","user":{"sub":"victim"}}`, status: 400,
			reason: "bad_request"},
		{name: "a name", body: `{"challenge":"` + challenge + `","name":"Victim"}`, status: 400, reason: "bad_request"},
		{name: "another host", body: `{"challenge":"` + challenge + `","url":"wss://evil.example"}`, status: 400,
			reason: "bad_request"},
		{name: "another's room", body: `{"challenge":"` + challenge + `","rooms":["vault"]}`, status: 403,
			reason: "room_not_allowed"},
		{name: "a room list in disguise", body: `{"challenge":"` + challenge + `","rooms":["lobby.vault"]}`,
			status: 400, reason: "bad_request"},
		{name: "a room of the table's", body: `{"challenge":"` + challenge + `","rooms":["lobby#0"]}`, status: 400,
			reason: "bad_request"},
		{name: "rooms twice", body: `{"challenge":"` + challenge + `","rooms":["lobby"],"rooms":["vault"]}`,
			status: 400, reason: "bad_request"},
		{name: "rooms in another case", body: `{"challenge":"` + challenge + `","Rooms":["vault"]}`, status: 400,
			reason: "bad_request"},
		{name: "the role of a moderator", body: `{"challenge":"` + challenge + `","moderator":true}`, status: 400,
			reason: "bad_request"},
		{name: "the role of a moderator in a user",
			body: `{"challenge":"` + challenge + `","user":{"sub":"mallory","sessionStart":1,` +
				`"sessionEndsAt":1999999999,"moderator":true}}`, status: 400, reason: "bad_request"},
		{name: "a parameter of the grant", body: `{"challenge":"` + challenge + `","md":"1"}`, status: 400,
			reason: "bad_request"},
		{name: "a right instead of a room", body: `{"challenge":"` + challenge + `","rooms":["lobby:r"]}`, status: 400,
			reason: "bad_request"},
		{name: "two documents", body: `{"challenge":"` + challenge + `"}{"rooms":["vault"]}`, status: 400,
			reason: "bad_request"},
		{name: "depth", body: strings.Repeat("[", 500) + strings.Repeat("]", 500), status: 400, reason: "bad_request"},
		{name: "size", body: `{"rooms":["` + strings.Repeat("a", 2000) + `"]}`, status: 413, reason: "too_large"},
	}
	for _, test := range tests {
		s.unharmed(t, []string{signURLFunction}, func() {
			if status, body := s.post(t, test.body, header); status != test.status || strings.Contains(body, "wss") {
				t.Errorf("%s: answered %d %s, want %d", test.name, status, body, test.status)
			}
			s.wantReason(t, signURLFunction, test.reason)
		})
	}
}

// TestTheSignedHostIsConfiguration: host names in the request do not change the signed URL.
func TestTheSignedHostIsConfiguration(t *testing.T) {
	t.Parallel()
	s := openEmpty(t, stagetest.Options{})
	header := bearer(clienttest.Token(t, s.client, "mallory"))
	for _, name := range []string{"X-Forwarded-Host", "X-Forwarded-Proto", "Forwarded", "X-Original-Host", "Origin",
		"Referer"} {
		header[name] = []string{"https://evil.example"}
	}
	status, body := s.post(t, `{"challenge":"`+strings.Repeat("A", 43)+`"}`, header)
	if status != http.StatusOK || !strings.Contains(body, `"url":"`+s.client.Outputs.WebSocketURL+"?") ||
		strings.Contains(body, "evil") {
		t.Errorf("answered %d, and the URL is not below %s", status, s.client.Outputs.WebSocketURL)
	}
}

// TestCrossSiteFormsGetNoURL: requests that a page of another site can send without a preflight are refused.
func TestCrossSiteFormsGetNoURL(t *testing.T) {
	t.Parallel()
	s := open(t, stagetest.Options{})
	token := clienttest.Token(t, s.client, "mallory")
	for _, kind := range []string{"application/x-www-form-urlencoded", "multipart/form-data; boundary=x", "text/plain",
		""} {
		header := bearer(token)
		header["Content-Type"] = []string{kind}
		s.unharmed(t, []string{signURLFunction}, func() {
			if status, body := s.post(t, `{}`, header); status != http.StatusUnsupportedMediaType ||
				strings.Contains(body, "wss") {
				t.Errorf("%q: answered %d %s, want 415", kind, status, body)
			}
		})
	}
}
