package issuer_test

import (
	"crypto/sha256"
	"encoding/base64"
	"maps"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

const (
	redirectURI = "http://127.0.0.1:3001/callback"
	verifier    = "a-verifier-of-43-characters-as-RFC-7636-says"
)

// signIn returns the parameters of a good authorization request with some changes. An empty value removes one.
func signIn(change url.Values) url.Values {
	sum := sha256.Sum256([]byte(verifier))
	query := url.Values{
		"client_id": {audience}, "redirect_uri": {redirectURI}, "response_type": {"code"}, "scope": {"openid profile"},
		"state": {"s1"}, "nonce": {"n1"},
		"code_challenge": {base64.RawURLEncoding.EncodeToString(sum[:])}, "code_challenge_method": {"S256"},
	}
	maps.Copy(query, change)
	maps.DeleteFunc(query, func(_ string, v []string) bool { return v[0] == "" })
	return query
}

// pick signs a user in and returns the code.
func (s *stage) pick(user string, change url.Values) string {
	s.t.Helper()
	resp, body := s.do(s.request("POST", "/authorize?"+signIn(change).Encode(), url.Values{"user": {user}}))
	back, err := resp.Location()
	if err != nil {
		s.t.Fatalf("%d %s: %v", resp.StatusCode, body, err)
	}
	return back.Query().Get("code")
}

func exchangeForm(code string, change url.Values) url.Values {
	form := url.Values{
		"grant_type": {"authorization_code"}, "client_id": {audience}, "redirect_uri": {redirectURI}, "code": {code},
		"code_verifier": {verifier},
	}
	maps.Copy(form, change)
	return form
}

func TestCodeFlowSignsAUserIn(t *testing.T) {
	t.Parallel()
	s := start(t)
	endpoint := s.provider.Endpoint()
	if endpoint.AuthURL != s.url+"/authorize" || endpoint.TokenURL != s.url+"/token" {
		t.Fatalf("endpoints %+v", endpoint)
	}
	resp, body := s.do(s.request("GET", "/authorize?"+signIn(url.Values{"login_hint": {`al"ice`}}).Encode(), nil))
	if resp.StatusCode != http.StatusOK || !strings.Contains(body, `<label for="user">`) ||
		!strings.Contains(body, "al&#34;ice") {
		t.Errorf("page: %d %s", resp.StatusCode, body)
	}
	if policy := resp.Header.Get("Content-Security-Policy"); !strings.Contains(policy,
		"form-action 'self' http://127.0.0.1:3001") {
		t.Errorf("policy %q: the form must lead back to the page", policy)
	}

	resp, _ = s.do(s.request("POST", "/authorize?"+signIn(nil).Encode(), url.Values{"user": {" bob "}}))
	back, err := resp.Location()
	if err != nil || !strings.HasPrefix(back.String(), redirectURI+"?") || back.Query().Get("state") != "s1" {
		t.Fatalf("%d, back to %v, %v", resp.StatusCode, back, err)
	}
	status, answer := s.tokens(s.request("POST", "/token", exchangeForm(back.Query().Get("code"), nil)))
	if status != http.StatusOK || answer.TokenType != "Bearer" || answer.ExpiresIn != 3600 {
		t.Fatalf("%d %+v", status, answer)
	}
	want := map[string]any{"aud": audience, "sub": "bob", "name": "Bob", "nonce": "n1"}
	if diff := cmp.Diff(want, s.claims(answer.IDToken)); diff != "" {
		t.Errorf("ID token (-want +got):\n%s", diff)
	}
	want = map[string]any{
		"aud": audience, "client_id": audience, "sub": "bob", "name": "Bob", "scope": "openid profile",
	}
	if diff := cmp.Diff(want, s.claims(answer.AccessToken)); diff != "" {
		t.Errorf("access token (-want +got):\n%s", diff)
	}
	r := s.request("GET", "/userinfo", nil)
	r.Header.Set("Authorization", "Bearer "+answer.AccessToken)
	if resp, body := s.do(r); resp.StatusCode != http.StatusOK || body != `{"name":"Bob","sub":"bob"}`+"\n" {
		t.Errorf("userinfo: %d %s", resp.StatusCode, body)
	}
}

func TestADeveloperChoosesClaimsOnThePage(t *testing.T) {
	t.Parallel()
	s := start(t)
	form := url.Values{"user": {"bob"}, "claims": {"  moderator=true rooms=lobby  rooms=news:r nonce=x "}}
	resp, _ := s.do(s.request("POST", "/authorize?"+signIn(nil).Encode(), form))
	back, err := resp.Location()
	if err != nil {
		t.Fatal(err)
	}
	_, answer := s.tokens(s.request("POST", "/token", exchangeForm(back.Query().Get("code"), nil)))
	want := map[string]any{
		"aud": audience, "sub": "bob", "name": "Bob", "nonce": "n1", "moderator": "true",
		"rooms": []any{"lobby", "news:r"},
	}
	if diff := cmp.Diff(want, s.claims(answer.IDToken)); diff != "" {
		t.Errorf("ID token (-want +got):\n%s", diff)
	}
	if got := s.claims(answer.AccessToken); got["moderator"] != "true" || !cmp.Equal(got["rooms"], want["rooms"]) {
		t.Errorf("access token %v", got)
	}
	for _, claims := range []string{"moderator", "=true", "a b=c", "sub=alice", "ä=1"} {
		form := url.Values{"user": {"bob"}, "claims": {claims}}
		resp, body := s.do(s.request("POST", "/authorize?"+signIn(nil).Encode(), form))
		if resp.StatusCode != http.StatusBadRequest || !strings.Contains(body, `role="alert"`) ||
			!strings.Contains(body, `value="`+claims+`"`) {
			t.Errorf("claims %q: %d %s", claims, resp.StatusCode, body)
		}
	}
}

func TestCodeIsGoodForOneClientOnceForAMinute(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		form  url.Values
		after time.Duration
		want  string
	}{
		"another verifier":     {url.Values{"code_verifier": {strings.Repeat("b", 43)}}, 0, "invalid_grant"},
		"no verifier":          {url.Values{"code_verifier": {""}}, 0, "invalid_grant"},
		"another redirect_uri": {url.Values{"redirect_uri": {redirectURI + "2"}}, 0, "invalid_grant"},
		"another code":         {url.Values{"code": {"x"}}, 0, "invalid_grant"},
		"too late":             {nil, time.Minute + time.Second, "invalid_grant"},
		"another client":       {url.Values{"client_id": {"x"}}, 0, "invalid_client"},
		"another grant type":   {url.Values{"grant_type": {"refresh_token"}}, 0, "unsupported_grant_type"},
		"in time":              {nil, time.Minute - 5*time.Second, ""},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := start(t)
			code := s.pick("alice", nil)
			s.offset.Store(int64(test.after))
			status, answer := s.tokens(s.request("POST", "/token", exchangeForm(code, test.form)))
			if answer.Error != test.want || (status == http.StatusOK) != (test.want == "") {
				t.Errorf("%d %q, want %q", status, answer.Error, test.want)
			}
		})
	}
}

func TestCodeWorksOnce(t *testing.T) {
	t.Parallel()
	s := start(t)
	used, burnt := s.pick("alice", nil), s.pick("alice", nil)
	s.tokens(s.request("POST", "/token", exchangeForm(used, nil)))
	s.tokens(s.request("POST", "/token", exchangeForm(burnt, url.Values{"code_verifier": {strings.Repeat("b", 43)}})))
	for _, code := range []string{used, burnt} {
		status, answer := s.tokens(s.request("POST", "/token", exchangeForm(code, nil)))
		if status != http.StatusBadRequest || answer.Error != "invalid_grant" {
			t.Errorf("%d %s", status, answer.Error)
		}
	}
}

func TestAuthorizeRedirectsToRegisteredPagesOnly(t *testing.T) {
	t.Parallel()
	s := start(t)
	for name, change := range map[string]url.Values{
		"another client": {"client_id": {"x"}},
		"no address":     {"redirect_uri": {""}},
		"another host":   {"redirect_uri": {"https://evil.example/callback"}},
		"a look-alike":   {"redirect_uri": {"http://127.0.0.1@evil.example/"}},
		"a longer name":  {"redirect_uri": {"http://localhost.evil.example/"}},
		"a script":       {"redirect_uri": {"javascript:alert(1)"}},
		"a fragment":     {"redirect_uri": {redirectURI + "#x"}},
		"another port":   {"redirect_uri": {"http://127.0.0.1:3009/callback"}},
		"another scheme": {"redirect_uri": {"https://127.0.0.1:3001/callback"}},
		"a relative one": {"redirect_uri": {"//127.0.0.1/"}},
	} {
		for _, r := range []*http.Request{
			s.request("GET", "/authorize?"+signIn(change).Encode(), nil),
			s.request("POST", "/authorize?"+signIn(change).Encode(), url.Values{"user": {"alice"}}),
		} {
			if resp, _ := s.do(r); resp.StatusCode != http.StatusBadRequest || resp.Header.Get("Location") != "" {
				t.Errorf("%s, %s: %d %q", name, r.Method, resp.StatusCode, resp.Header.Get("Location"))
			}
		}
	}
}

func TestAuthorizeSendsItsErrorsToTheClient(t *testing.T) {
	t.Parallel()
	s := start(t)
	for want, changes := range map[string][]url.Values{
		"unsupported_response_type": {{"response_type": {"token"}}, {"response_type": {""}}},
		"invalid_request": {
			{"code_challenge": {""}},
			{"code_challenge": {"short"}},
			{"code_challenge_method": {"plain"}},
			{"code_challenge_method": {""}},
		},
		"login_required": {{"prompt": {"none"}}},
	} {
		for _, change := range changes {
			resp, _ := s.do(s.request("GET", "/authorize?"+signIn(change).Encode(), nil))
			back, err := resp.Location()
			if err != nil || back.Query().Get("error") != want || back.Query().Get("state") != "s1" ||
				back.Query().Has("code") {
				t.Errorf("%v: %d, back to %v, want error %s", change, resp.StatusCode, back, want)
			}
		}
	}
	resp, body := s.do(s.request("POST", "/authorize?"+signIn(nil).Encode(), url.Values{"user": {"Alice B"}}))
	if resp.StatusCode != http.StatusBadRequest || !strings.Contains(body, `role="alert"`) ||
		!strings.Contains(body, `value="Alice B"`) {
		t.Errorf("a user that cannot be: %d %s", resp.StatusCode, body)
	}
	r := s.request("POST", "/authorize?"+signIn(nil).Encode(), url.Values{"user": {"alice"}})
	r.Header.Set("Sec-Fetch-Site", "cross-site")
	if resp, _ := s.do(r); resp.StatusCode != http.StatusForbidden {
		t.Errorf("a form of another site: %d", resp.StatusCode)
	}
}

func TestUserinfoTakesAccessTokensOnly(t *testing.T) {
	t.Parallel()
	s, other := start(t), start(t)
	_, good := s.tokens(s.request("POST", "/token", exchangeForm(s.pick("alice", nil), nil)))
	_, foreign := other.tokens(other.request("GET", "/dev/token?user=alice", nil))
	_, expired := s.tokens(s.request("GET", "/dev/token?user=alice&expires_in=-1", nil))
	for name, token := range map[string]string{
		"none": "", "nonsense": "a.b.c", "an ID token": good.IDToken, "another issuer's": foreign.AccessToken,
		"expired": expired.AccessToken,
	} {
		r := s.request("GET", "/userinfo", nil)
		r.Header.Set("Authorization", "Bearer "+token)
		if resp, _ := s.do(r); resp.StatusCode != http.StatusUnauthorized || resp.Header.Get("WWW-Authenticate") == "" {
			t.Errorf("%s: %d", name, resp.StatusCode)
		}
	}
}

func TestEndSessionLeadsBackToTheClientOnly(t *testing.T) {
	t.Parallel()
	s := start(t)
	for target, want := range map[string]string{
		"http://127.0.0.1:3001/bye": "http://127.0.0.1:3001/bye?state=s", "http://127.0.0.1:3009/": "",
		"https://evil.example/": "", "": "",
	} {
		resp, _ := s.do(s.request("GET", "/end_session?state=s&post_logout_redirect_uri="+url.QueryEscape(target), nil))
		if got := resp.Header.Get("Location"); got != want {
			t.Errorf("%s: back to %q, want %q", target, got, want)
		}
	}
}

func TestThePageSpeaksTheBrowsersLanguage(t *testing.T) {
	t.Parallel()
	s := start(t)
	for language, want := range map[string]string{
		"": `<html lang="en">`, "en-GB,ja;q=0.5": `<html lang="en">`, "ja-JP,en;q=0.5": `<html lang="ja">`,
	} {
		r := s.request("GET", "/authorize?"+signIn(nil).Encode(), nil)
		r.Header.Set("Accept-Language", language)
		if resp, body := s.do(r); !strings.Contains(body, want) || resp.Header.Get("Vary") == "" {
			t.Errorf("%q: want %s in\n%s", language, want, body)
		}
	}
}

func TestTheClientNeedNotBeNamedLikeTheAudience(t *testing.T) {
	t.Parallel()
	s := startWith(t, "page")
	as := url.Values{"client_id": {"page"}}
	status, answer := s.tokens(s.request("POST", "/token", exchangeForm(s.pick("alice", as), as)))
	if status != http.StatusOK {
		t.Fatalf("%d %s", status, answer.Error)
	}
	if id, access := s.claimsFor("page", answer.IDToken), s.claims(answer.AccessToken); id["aud"] != "page" ||
		access["aud"] != audience || access["client_id"] != "page" {
		t.Errorf("ID token %v, access token %v", id, access)
	}
	resp, _ := s.do(s.request("GET", "/authorize?"+signIn(nil).Encode(), nil))
	if resp.StatusCode != http.StatusBadRequest {
		t.Errorf("the audience as a client: %d", resp.StatusCode)
	}
}
