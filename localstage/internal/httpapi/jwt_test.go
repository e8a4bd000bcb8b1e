package httpapi

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"encoding/base64"
	"encoding/json"
	"maps"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/coreos/go-oidc/v3/oidc/oidctest"
	"github.com/go-jose/go-jose/v4"
	"github.com/google/go-cmp/cmp"
)

// provider is an OIDC provider with one RSA and one EC key, and a clock.
type provider struct {
	rsa   *rsa.PrivateKey
	ec    *ecdsa.PrivateKey
	url   string
	now   time.Time
	asked atomic.Int32 // requests for keys
	down  atomic.Bool
}

func newProvider(t *testing.T) *provider {
	t.Helper()
	p := &provider{now: time.Date(2026, 11, 22, 6, 0, 0, 0, time.UTC)}
	var err error
	if p.rsa, err = rsa.GenerateKey(rand.Reader, 2048); err != nil {
		t.Fatal(err)
	}
	if p.ec, err = ecdsa.GenerateKey(elliptic.P256(), rand.Reader); err != nil {
		t.Fatal(err)
	}
	server := &oidctest.Server{PublicKeys: []oidctest.PublicKey{
		{PublicKey: p.rsa.Public(), KeyID: "r", Algorithm: "RS256"},
		{PublicKey: p.ec.Public(), KeyID: "e", Algorithm: "ES256"},
	}, Algorithms: []string{"RS256", "ES256"}}
	listening := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if p.down.Load() {
			http.Error(w, "down", http.StatusBadGateway)
			return
		}
		if r.URL.Path == "/keys" {
			p.asked.Add(1)
		}
		server.ServeHTTP(w, r)
	}))
	t.Cleanup(listening.Close)
	p.url = listening.URL
	server.SetIssuer(p.url)
	return p
}

// claims returns good claims with some changes. A nil value removes a claim.
func (p *provider) claims(change map[string]any) string {
	claims := map[string]any{
		"iss": p.url, "aud": "chat", "sub": "alice", "iat": p.now.Unix(), "exp": p.now.Add(time.Hour).Unix(),
	}
	maps.Copy(claims, change)
	maps.DeleteFunc(claims, func(_ string, v any) bool { return v == nil })
	encoded, err := json.Marshal(claims)
	if err != nil {
		panic(err)
	}
	return string(encoded)
}

func (p *provider) token(change map[string]any) string {
	return oidctest.SignIDToken(p.rsa, "r", "RS256", p.claims(change))
}

// signed returns a token in any algorithm, with any key id, even an empty one.
func signed(t *testing.T, algorithm jose.SignatureAlgorithm, key any, kid, claims string) string {
	t.Helper()
	options := &jose.SignerOptions{}
	if kid != "" {
		options.WithHeader("kid", kid)
	}
	signer, err := jose.NewSigner(jose.SigningKey{Algorithm: algorithm, Key: key}, options)
	if err != nil {
		t.Fatal(err)
	}
	object, err := signer.Sign([]byte(claims))
	if err != nil {
		t.Fatal(err)
	}
	token, err := object.CompactSerialize()
	if err != nil {
		t.Fatal(err)
	}
	return token
}

func (p *provider) api(t *testing.T, scopes ...string) *API {
	t.Helper()
	c := testConfig(Route{Key: "POST /signurl", AuthorizationType: "JWT", Scopes: scopes, Integration: function(echo),
		JWT: &JWTAuthorizer{Issuer: p.url, Audience: []string{"chat", "other"}}})
	c.Now = func() time.Time { return p.now }
	return newAPI(t, c)
}

func post(h http.Handler, authorization ...string) *httptest.ResponseRecorder {
	r := httptest.NewRequest("POST", "/signurl", nil)
	r.Header["Authorization"] = authorization
	return do(h, r)
}

func TestClaimsReachTheEventAsStrings(t *testing.T) {
	t.Parallel()
	p := newProvider(t)
	token := p.token(map[string]any{
		"rooms": []string{"lobby", "ops"}, "admin": true, "level": 7, "ratio": 1.5,
		"address": map[string]any{"b": 1, "a": "x"}, "none": []string{}, "scope": "chat:read chat:write",
	})
	want := map[string]string{
		"iss": p.url, "aud": "chat", "sub": "alice", "iat": "1795327200", "exp": "1795330800", "rooms": "[lobby ops]",
		"admin": "true",
		"level": "7", "ratio": "1.5", "address": "map[a:x b:1]", "none": "[]", "scope": "chat:read chat:write",
	}
	w := post(p.api(t), "Bearer "+token)
	granted := sentEvent(t, w).RequestContext.Authorizer.JWT
	if diff := cmp.Diff(&eventJWT{Claims: want}, granted); diff != "" {
		t.Error(diff)
	}
	if !strings.Contains(w.Body.String(), `"scopes":null`) {
		t.Error("a route without scopes must say scopes: null")
	}
	granted = sentEvent(t, post(p.api(t, "chat:write"), token)).RequestContext.Authorizer.JWT
	if diff := cmp.Diff([]string{"chat:read", "chat:write"}, granted.Scopes); diff != "" {
		t.Error(diff)
	}
}

func TestTokensThatAreAccepted(t *testing.T) {
	t.Parallel()
	p := newProvider(t)
	api := p.api(t)
	tests := map[string]string{
		"with the prefix":         "Bearer " + p.token(nil),
		"prefix in lower case":    "bearer " + p.token(nil),
		"without the prefix":      p.token(nil),
		"one of several aud":      p.token(map[string]any{"aud": []string{"x", "other"}}),
		"client_id, no aud":       p.token(map[string]any{"aud": nil, "client_id": "chat"}),
		"nbf just now":            p.token(map[string]any{"nbf": p.now.Unix()}),
		"RS512":                   signed(t, jose.RS512, p.rsa, "r", p.claims(nil)),
		"expires within a second": p.token(map[string]any{"exp": float64(p.now.Unix()) + 0.5}),
	}
	for name, authorization := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if w := post(api, authorization); w.Code != http.StatusOK {
				t.Errorf("%d %s, %s", w.Code, w.Body, w.Header().Get("Www-Authenticate"))
			}
		})
	}
}

func TestTokensThatAreRefused(t *testing.T) {
	t.Parallel()
	p := newProvider(t)
	stranger, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	none := base64.RawURLEncoding.EncodeToString([]byte(`{"alg":"none","kid":"r"}`)) + "." +
		base64.RawURLEncoding.EncodeToString([]byte(p.claims(nil))) + "."
	modulus := p.rsa.N.Bytes() // the classic confusion: a public key as an HMAC secret
	good := p.token(nil)
	head, rest, _ := strings.Cut(good, ".")
	const invalid = `Bearer scope="" error="invalid_token" error_description="`
	tests := map[string]struct {
		authorization []string
		challenge     string // prefix
	}{
		"no token":        {nil, "Bearer"},
		"only the scheme": {[]string{"Bearer "}, "Bearer"},
		"two headers":     {[]string{good, good}, "Bearer"},
		"not a token": {
			[]string{"Bearer not-a-token"}, invalid + `token contains an invalid number of segments"`,
		},
		"another scheme": {[]string{"Basic YTpi"}, invalid + `token contains an invalid number of segments"`},
		"broken":         {[]string{"a.b.c"}, invalid},
		"JSON form":      {[]string{`{"payload":"a.b","signatures":["."]}`}, invalid},
		"none":           {[]string{none}, invalid},
		"HS256":          {[]string{signed(t, jose.HS256, modulus, "r", p.claims(nil))}, invalid},
		"ES256":          {[]string{signed(t, jose.ES256, p.ec, "e", p.claims(nil))}, invalid},
		"PS256":          {[]string{signed(t, jose.PS256, p.rsa, "r", p.claims(nil))}, invalid},
		"no key id":      {[]string{signed(t, jose.RS256, p.rsa, "", p.claims(nil))}, invalid},
		"unknown key id": {[]string{oidctest.SignIDToken(p.rsa, "x", "RS256", p.claims(nil))}, invalid},
		"another key": {
			[]string{oidctest.SignIDToken(crypto.PrivateKey(stranger), "r", "RS256", p.claims(nil))}, invalid,
		},
		"changed": {[]string{head + "." + strings.Replace(rest, rest[:4], "eyJ7", 1)}, invalid},
		"another issuer": {
			[]string{p.token(map[string]any{"iss": p.url + "/"})}, invalid + `issuer does not match"`,
		},
		"another audience": {
			[]string{p.token(map[string]any{"aud": "x"})}, invalid + `the token does not have a valid audience"`,
		},
		"aud before client": {
			[]string{p.token(map[string]any{"aud": "x", "client_id": "chat"})},
			invalid + `the token does not have a valid audience"`,
		},
		"no audience": {
			[]string{p.token(map[string]any{"aud": nil})}, invalid + `the token does not have a valid audience"`,
		},
		"expired":        {[]string{p.token(map[string]any{"exp": p.now.Unix()})}, invalid + `the token has expired"`},
		"no expiry":      {[]string{p.token(map[string]any{"exp": nil})}, invalid},
		"expiry is text": {[]string{p.token(map[string]any{"exp": "never"})}, invalid},
		"not yet": {
			[]string{p.token(map[string]any{"nbf": p.now.Unix() + 1})}, invalid + `the token is not valid yet (nbf)"`,
		},
		"from the future": {
			[]string{p.token(map[string]any{"iat": p.now.Unix() + 1})}, invalid + `the token is not valid yet (iat)"`,
		},
	}
	api := p.api(t)
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := post(api, test.authorization...)
			if w.Code != http.StatusUnauthorized || w.Body.String() != `{"message":"Unauthorized"}` {
				t.Errorf("%d %s", w.Code, w.Body)
			}
			challenge := w.Header().Get("Www-Authenticate")
			if !strings.HasPrefix(challenge, test.challenge) || test.challenge == "Bearer" && challenge != "Bearer" {
				t.Errorf("www-authenticate %s, want %s…", challenge, test.challenge)
			}
			if got := w.Result().Header["Content-Type"]; len(got) != 0 {
				t.Errorf("content type %q, AWS sends none with this answer", got)
			}
		})
	}
}

func TestScopeThatIsMissingIsForbidden(t *testing.T) {
	t.Parallel()
	p := newProvider(t)
	api := p.api(t, "chat:write", "chat:admin")
	tests := map[string]struct {
		claims map[string]any
		status int
	}{
		"none":         {nil, 403},
		"another":      {map[string]any{"scope": "chat:read"}, 403},
		"part of one":  {map[string]any{"scope": "chat:writer"}, 403},
		"one of them":  {map[string]any{"scope": "openid chat:write"}, 200},
		"in scp":       {map[string]any{"scp": "chat:admin"}, 200},
		"in scp, list": {map[string]any{"scp": []string{"x", "chat:admin"}}, 200},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := post(api, p.token(test.claims))
			if w.Code != test.status {
				t.Fatalf("status %d, want %d", w.Code, test.status)
			}
			if w.Code == 403 && (w.Body.String() != `{"message":"Forbidden"}` ||
				!strings.Contains(w.Header().Get("Www-Authenticate"),
					`scope="chat:write chat:admin" error="insufficient_scope"`)) {
				t.Errorf("%s, %s", w.Body, w.Header().Get("Www-Authenticate"))
			}
		})
	}
}

func TestKeysAreCachedForTwoHours(t *testing.T) {
	t.Parallel()
	p := newProvider(t)
	api := p.api(t)
	p.down.Store(true)
	if w := post(api, p.token(nil)); w.Code != 401 ||
		!strings.Contains(w.Header().Get("Www-Authenticate"), "OIDC discovery endpoint communication error") {
		t.Errorf("issuer down: %d %s", w.Code, w.Header().Get("Www-Authenticate"))
	}
	p.down.Store(false)
	for _, step := range []struct {
		after time.Duration
		asked int32
	}{{0, 1}, {time.Minute, 1}, {2 * time.Hour, 2}} {
		p.now = p.now.Add(step.after)
		if w := post(api, p.token(nil)); w.Code != 200 || p.asked.Load() != step.asked {
			t.Errorf("after %v: status %d, asked %d times, want %d", step.after, w.Code, p.asked.Load(), step.asked)
		}
	}
}

func TestTokenInTheQuery(t *testing.T) {
	t.Parallel()
	p := newProvider(t)
	c := testConfig(Route{Key: "$default", AuthorizationType: "JWT", Integration: function(echo),
		JWT: &JWTAuthorizer{Issuer: p.url, Audience: []string{"chat"}, IdentitySource: "$request.querystring.token"}})
	c.Now = func() time.Time { return p.now }
	api := newAPI(t, c)
	for query, status := range map[string]int{"token=" + p.token(nil): 200, "Token=" + p.token(nil): 401, "": 401} {
		if w := do(api, httptest.NewRequest("GET", "/?"+query, nil)); w.Code != status {
			t.Errorf("?%.10s: status %d, want %d", query, w.Code, status)
		}
	}
}

// For any Authorization header, the token is a part of it without spaces around, and a prefixed token is the same as
// the bare one.
func FuzzBearerToken(f *testing.F) {
	for _, seed := range []string{
		"", "Bearer", "Bearer ", "bearer a.b.c", "a.b.c", "Bearer Bearer x", " \tBEARER  x ", "Basic YTpi",
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, value string) {
		token := bearerToken(value)
		if !strings.Contains(value, token) || strings.TrimSpace(token) != token {
			t.Errorf("%q gives %q", value, token)
		}
		if token != "" && !strings.ContainsAny(token, " \t") && !strings.EqualFold(token, "Bearer") &&
			bearerToken("Bearer "+token) != token {
			t.Errorf("prefix changes %q", token)
		}
	})
}
