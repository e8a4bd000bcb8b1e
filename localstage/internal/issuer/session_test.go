package issuer_test

import (
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"testing"
	"time"

	"github.com/coreos/go-oidc/v3/oidc"
)

// withCookies makes the client of a stage keep cookies, as a browser does.
func (s *stage) withCookies() *stage {
	s.t.Helper()
	jar, err := cookiejar.New(nil)
	if err != nil {
		s.t.Fatal(err)
	}
	s.client.Jar = jar
	return s
}

// ask makes an authorization request and returns the parameters of the redirect to the client, or nil when the issuer
// asks for a user.
func (s *stage) ask(change url.Values) url.Values {
	s.t.Helper()
	resp, _ := s.do(s.request("GET", "/authorize?"+signIn(change).Encode(), nil))
	if resp.StatusCode == http.StatusOK {
		return nil
	}
	back, err := resp.Location()
	if err != nil {
		s.t.Fatalf("%d: %v", resp.StatusCode, err)
	}
	return back.Query()
}

// authTime returns the time at which the user of a token authenticated.
func (s *stage) authTime(token string) time.Time {
	s.t.Helper()
	verifier := s.provider.Verifier(&oidc.Config{ClientID: audience, SkipExpiryCheck: true})
	verified, err := verifier.Verify(s.t.Context(), token)
	if err != nil {
		s.t.Fatal(err)
	}
	var claims struct {
		AuthTime int64 `json:"auth_time"`
	}
	if err := verified.Claims(&claims); err != nil {
		s.t.Fatal(err)
	}
	return time.Unix(claims.AuthTime, 0)
}

func TestSessionStaysOpenAndKeepsItsTime(t *testing.T) {
	t.Parallel()
	s := start(t).withCookies()
	signedInAt := time.Now().Truncate(time.Second)
	s.pick("bob", nil)
	s.offset.Store(int64(time.Hour))
	for _, prompt := range []string{"", "none"} {
		back := s.ask(url.Values{"prompt": {prompt}})
		status, answer := s.tokens(s.request("POST", "/token", exchangeForm(back.Get("code"), nil)))
		if status != http.StatusOK || back.Get("state") != "s1" {
			t.Fatalf("prompt %q: %d, back with %v", prompt, status, back)
		}
		for _, token := range []string{answer.AccessToken, answer.IDToken} {
			if at := s.authTime(token); at.Before(signedInAt) || at.After(signedInAt.Add(time.Minute)) {
				t.Errorf("authenticated at %s, signed in at %s", at, signedInAt)
			}
			if sub := s.claims(token)["sub"]; sub != "bob" {
				t.Errorf("the session is %v's", sub)
			}
		}
	}
}

func TestClientCanRequireANewAuthentication(t *testing.T) {
	t.Parallel()
	for name, change := range map[string]url.Values{
		"prompt login": {"prompt": {"login"}}, "prompt select_account": {"prompt": {"select_account"}},
		"max_age": {"max_age": {"60"}}, "max_age of nothing": {"max_age": {"0"}},
	} {
		s := start(t).withCookies()
		s.pick("bob", nil)
		s.offset.Store(int64(time.Hour))
		if back := s.ask(change); back != nil {
			t.Errorf("%s: back with %v", name, back)
		}
	}
	s := start(t).withCookies()
	s.pick("bob", nil)
	s.offset.Store(int64(time.Minute))
	if back := s.ask(url.Values{"max_age": {"3600"}}); back.Get("code") == "" {
		t.Errorf("max_age of an hour: back with %v", back)
	}
}

func TestSessionEnds(t *testing.T) {
	t.Parallel()
	for name, end := range map[string]func(*stage){
		"signed out":     func(s *stage) { s.do(s.request("GET", "/end_session", nil)) },
		"after its time": func(s *stage) { s.offset.Store(int64(12 * time.Hour)) },
		"elsewhere":      func(s *stage) { s.withCookies() },
	} {
		s := start(t).withCookies()
		s.pick("bob", nil)
		end(s)
		if back := s.ask(nil); back != nil {
			t.Errorf("%s: back with %v", name, back)
		}
		if back := s.ask(url.Values{"prompt": {"none"}}); back.Get("error") != "login_required" || back.Has("code") {
			t.Errorf("%s: without a question back with %v", name, back)
		}
	}
}

func TestDevTokenOfAUserWhoAuthenticatedEarlier(t *testing.T) {
	t.Parallel()
	s := start(t)
	_, answer := s.tokens(s.request("GET", "/dev/token?user=alice&auth_time_ago=3600", nil))
	if ago := time.Since(s.authTime(answer.AccessToken)); ago < time.Hour || ago > time.Hour+time.Minute {
		t.Errorf("authenticated %s ago", ago)
	}
}
