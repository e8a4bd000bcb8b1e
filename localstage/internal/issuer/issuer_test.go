package issuer_test

import (
	"encoding/json"
	"errors"
	"io"
	"maps"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/coreos/go-oidc/v3/oidc"
	"github.com/google/go-cmp/cmp"

	"signedsocket/localstage/internal/issuer"
)

const audience = "signedsocket"

// stage is a running issuer, with a clock that tests move, and go-oidc as its client.
type stage struct {
	t        *testing.T
	url      string
	offset   atomic.Int64 // of the clock, in nanoseconds
	provider *oidc.Provider
	client   *http.Client // does not follow redirects
}

func start(t *testing.T) *stage { t.Helper(); return startWith(t, "") }

// startWith starts an issuer whose client has this id.
func startWith(t *testing.T, clientID string) *stage {
	t.Helper()
	server := httptest.NewUnstartedServer(nil)
	s := &stage{t: t, url: "http://" + server.Listener.Addr().String()}
	made, err := issuer.New(issuer.Config{
		Issuer: s.url, Audience: audience, ClientID: clientID, Origins: []string{"http://127.0.0.1:3001"},
		Now: func() time.Time { return time.Now().Add(time.Duration(s.offset.Load())) },
	})
	if err != nil {
		t.Fatal(err)
	}
	server.Config.Handler = made
	server.Start()
	t.Cleanup(server.Close)
	if s.provider, err = oidc.NewProvider(t.Context(), s.url); err != nil {
		t.Fatal(err)
	}
	s.client = &http.Client{
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
	return s
}

// do sends a request and returns the answer with its body.
func (s *stage) do(r *http.Request) (*http.Response, string) {
	s.t.Helper()
	resp, err := s.client.Do(r)
	if err != nil {
		s.t.Fatal(err)
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		s.t.Fatal(err)
	}
	return resp, string(body)
}

func (s *stage) request(method, path string, form url.Values) *http.Request {
	s.t.Helper()
	r, err := http.NewRequestWithContext(s.t.Context(), method, s.url+path, strings.NewReader(form.Encode()))
	if err != nil {
		s.t.Fatal(err)
	}
	if form != nil {
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	}
	return r
}

type tokens struct {
	AccessToken string `json:"access_token"`
	IDToken     string `json:"id_token"`
	TokenType   string `json:"token_type"`
	ExpiresIn   int    `json:"expires_in"`
	Error       string `json:"error"`
}

func (s *stage) tokens(r *http.Request) (int, tokens) {
	s.t.Helper()
	resp, body := s.do(r)
	var answer tokens
	if err := json.Unmarshal([]byte(body), &answer); err != nil {
		s.t.Fatalf("%d %q: %v", resp.StatusCode, body, err)
	}
	return resp.StatusCode, answer
}

// claims verifies a token as go-oidc does and returns its claims.
func (s *stage) claims(token string) map[string]any {
	s.t.Helper()
	return s.claimsFor(audience, token)
}

// claimsFor is claims for a token with another audience.
func (s *stage) claimsFor(audience, token string) map[string]any {
	s.t.Helper()
	now := func() time.Time { return time.Now().Add(time.Duration(s.offset.Load())) }
	verified, err := s.provider.Verifier(&oidc.Config{ClientID: audience, Now: now}).Verify(s.t.Context(), token)
	if err != nil {
		s.t.Fatal(err)
	}
	claims := map[string]any{}
	if err := verified.Claims(&claims); err != nil {
		s.t.Fatal(err)
	}
	if claims["iss"] != s.url || claims["exp"].(float64)-claims["iat"].(float64) != 3600 {
		s.t.Errorf("iss %v, iat %v, exp %v", claims["iss"], claims["iat"], claims["exp"])
	}
	delete(claims, "iss")
	delete(claims, "iat")
	delete(claims, "exp")
	if at, ok := claims["auth_time"].(float64); !ok || at <= 0 {
		s.t.Errorf("auth_time %v", claims["auth_time"])
	}
	delete(claims, "auth_time")
	return claims
}

func TestDevTokenIsForTheUserOfTheRequest(t *testing.T) {
	t.Parallel()
	s := start(t)
	base := func(sub, name string) map[string]any {
		return map[string]any{"aud": audience, "client_id": audience, "sub": sub, "name": name}
	}
	tests := map[string]struct {
		query string
		want  map[string]any
		more  map[string]any
	}{
		"a name":          {"user=alice", base("alice", "Alice"), nil},
		"two words":       {"user=mary-ann2", base("mary-ann2", "Mary Ann2"), nil},
		"nothing to name": {"user=-", base("-", "-"), nil},
		"another name":    {"user=alice&name=" + url.QueryEscape("アリス"), base("alice", "アリス"), nil},
		"one claim":       {"user=alice&claim.rooms=lobby", base("alice", "Alice"), map[string]any{"rooms": "lobby"}},
		"a list": {
			"user=alice&claim.rooms=lobby&claim.rooms=ops",
			base("alice", "Alice"),
			map[string]any{"rooms": []any{"lobby", "ops"}},
		},
		"its own aud": {
			"user=alice&claim.aud=" + audience + "&claim.aud=x",
			base("alice", "Alice"),
			map[string]any{"aud": []any{audience, "x"}},
		},
		"another sub": {"user=alice&sub=" + url.QueryEscape("auth0|alice"), base("auth0|alice", "Alice"), nil},
		"scope":       {"user=alice&scope=a+b", base("alice", "Alice"), map[string]any{"scope": "a b"}},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := &stage{t: t, url: s.url, provider: s.provider, client: s.client}
			form, err := url.ParseQuery(test.query)
			if err != nil {
				t.Fatal(err)
			}
			maps.Copy(test.want, test.more)
			for _, r := range []*http.Request{
				s.request("GET", "/dev/token?"+test.query, nil), s.request("POST", "/dev/token", form),
			} {
				status, answer := s.tokens(r)
				if status != http.StatusOK || answer.TokenType != "Bearer" || answer.ExpiresIn != 3600 {
					t.Errorf("%s: %d %s %d", r.Method, status, answer.TokenType, answer.ExpiresIn)
				}
				if diff := cmp.Diff(test.want, s.claims(answer.AccessToken)); diff != "" {
					t.Errorf("%s (-want +got):\n%s", r.Method, diff)
				}
			}
		})
	}
}

func TestDevTokenThatHasExpired(t *testing.T) {
	t.Parallel()
	s := start(t)
	_, answer := s.tokens(s.request("GET", "/dev/token?user=alice&expires_in=-60", nil))
	_, err := s.provider.Verifier(&oidc.Config{ClientID: audience}).Verify(t.Context(), answer.AccessToken)
	if expired := new(oidc.TokenExpiredError); !errors.As(err, &expired) {
		t.Errorf("error %v", err)
	}
}

func TestDevTokenRefusesUnknownParameters(t *testing.T) {
	t.Parallel()
	s := start(t)
	for query, want := range map[string]string{
		"":                                           "user=alice",
		"user=Alice":                                 "user=alice",
		"user=" + strings.Repeat("a", 33):            "user=alice",
		"user=a%0Ab":                                 "user=alice",
		"user=alice&rooms=x":                         `unknown parameter "rooms"`,
		"user=alice&claim.sub=bob":                   "the claim sub is the issuer's",
		"user=alice&claim.exp=1":                     "the claim exp is the issuer's",
		"user=alice&expires_in=x":                    "number of seconds",
		"user=alice&expires_in=90000":                "number of seconds",
		"user=alice&auth_time_ago=x":                 "number of seconds",
		"user=alice&claim.auth_time=1":               "the claim auth_time is the issuer's",
		"user=alice&sub=" + strings.Repeat("a", 256): "at most 255 bytes",
		"user=alice&%zz":                             "cannot be read",
		"user=alice&claim." + "%20" + "=1":           "unknown parameter",
		"user=alice&claim.=1":                        "unknown parameter",
		"user=alice&name=x&client_secret=secret":     "unknown parameter",
	} {
		resp, body := s.do(s.request("GET", "/dev/token?"+query, nil))
		if resp.StatusCode != http.StatusBadRequest || !strings.Contains(body, want) {
			t.Errorf("?%s: %d %q, want 400 with %q", query, resp.StatusCode, body, want)
		}
	}
}

func TestOtherPathsGet404(t *testing.T) {
	t.Parallel()
	s := start(t)
	for method, want := range map[string]int{
		http.MethodGet: http.StatusNotFound, http.MethodPost: http.StatusMethodNotAllowed,
	} {
		r, err := http.NewRequestWithContext(t.Context(), method, s.url+"/favicon.ico", nil)
		if err != nil {
			t.Fatal(err)
		}
		if answer, _ := s.do(r); answer.StatusCode != want {
			t.Errorf("%s answered %d, want %d", method, answer.StatusCode, want)
		}
	}
}

func TestOnlyRegisteredOriginsReadAnswers(t *testing.T) {
	t.Parallel()
	s := start(t)
	for _, path := range []string{"/.well-known/openid-configuration", "/keys", "/userinfo", "/dev/token?user=alice"} {
		for origin, allowed := range map[string]bool{
			"http://127.0.0.1:3001": true, "http://127.0.0.1:3002": false, "null": false,
		} {
			r := s.request("GET", path, nil)
			r.Header.Set("Origin", origin)
			resp, _ := s.do(r)
			// A page of another origin must not read a token for any user.
			want := allowed && !strings.HasPrefix(path, "/dev/")
			if got := resp.Header.Get("Access-Control-Allow-Origin") == origin; got != want {
				t.Errorf("%s from %s: allowed %v, want %v", path, origin, got, want)
			}
		}
	}
	r := s.request("OPTIONS", "/token", nil)
	r.Header.Set("Origin", "http://127.0.0.1:3001")
	resp, _ := s.do(r)
	if resp.StatusCode != http.StatusNoContent ||
		resp.Header.Get("Access-Control-Allow-Headers") != "authorization, content-type" {
		t.Errorf("preflight: %d %v", resp.StatusCode, resp.Header)
	}
	r.Header.Set("Origin", "http://evil.example")
	if resp, _ := s.do(r); resp.StatusCode != http.StatusNotFound {
		t.Errorf("preflight of a stranger: %d", resp.StatusCode)
	}
}

func TestNewRefusesAddressesOfOtherMachines(t *testing.T) {
	t.Parallel()
	for address, ok := range map[string]bool{
		"http://127.0.0.1:3003": true, "http://[::1]:3003": true, "http://localhost:3003": true,
		"": false, "https://issuer.example": false, "http://127.0.0.1:3003/": false, "http://10.0.0.1:3003": false,
		"http://user@127.0.0.1:3003": false, "ftp://127.0.0.1": false, "http://127.0.0.1.example": false,
	} {
		if _, err := issuer.New(issuer.Config{Issuer: address, Audience: audience}); (err == nil) != ok {
			t.Errorf("%q: error %v", address, err)
		}
	}
	if _, err := issuer.New(issuer.Config{Issuer: "http://127.0.0.1:3003"}); err == nil {
		t.Error("an empty audience was taken")
	}
}
