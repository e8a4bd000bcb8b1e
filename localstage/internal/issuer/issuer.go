// Package issuer is the development OpenID Connect provider of a local stage. It gives every caller a token for any
// development user, without a password. So it serves only loopback addresses, and template.yaml refuses such an issuer.
//
// It answers at the root of its origin:
//
//	GET      /.well-known/openid-configuration   discovery
//	GET      /keys                               the public key of this run
//	GET|POST /dev/token?user=alice               a token, without ceremony
//	GET|POST /authorize                          authorization code flow with PKCE: pick a user, once a session
//	POST     /token                              authorization code flow: code for tokens
//	GET|POST /userinfo                           the user of a token
//	GET|POST /end_session                        ends the browser's session, and leads back to the page
//
// A user is any name of [a-z0-9-]{1,32}; the name is its sub. By default each issuer makes a key of its own, so no
// token outlives a stage.
package issuer

import (
	"cmp"
	"crypto/rand"
	"crypto/rsa"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/netip"
	"net/url"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/go-jose/go-jose/v4"
)

// Config describes an issuer.
type Config struct {
	Issuer   string // its own address, an http(s) loopback origin without a path
	Audience string // aud of access tokens
	ClientID string // the only client of the code flow; Audience when empty
	// origins of the client's pages, which may sign users in here and call the endpoints from a browser
	Origins []string
	Key     *rsa.PrivateKey  // signs the tokens; nil makes one of 2048 bits
	Now     func() time.Time // time.Now when nil
}

// Issuer is an [http.Handler]; make one with [New].
type Issuer struct {
	config Config
	mux    *http.ServeMux
	key    func() (jose.JSONWebKey, error) // the private key, made once, in the background

	mu       sync.Mutex
	codes    map[string]grant   // unused authorization codes
	sessions map[string]session // browsers with a signed-in user, by cookie
}

// New returns an issuer, or an error when its address is not a loopback origin or the audience is empty.
func New(c Config) (*Issuer, error) {
	u, err := url.Parse(c.Issuer)
	if err != nil || !isLoopback(u) || u.Path != "" || u.RawQuery != "" {
		return nil,
			fmt.Errorf("development issuer %q: must be a loopback origin such as http://127.0.0.1:3003", c.Issuer)
	}
	if c.Audience == "" {
		return nil, errors.New("development issuer: the audience is empty")
	}
	if c.Now == nil {
		c.Now = time.Now
	}
	c.ClientID = cmp.Or(c.ClientID, c.Audience)
	i := &Issuer{config: c, mux: http.NewServeMux(), key: sync.OnceValues(c.key), codes: map[string]grant{},
		sessions: map[string]session{}}
	go i.key() //nolint:errcheck // takes a tenth of a second; the first request that needs the key gets the error
	i.mux.HandleFunc("GET /.well-known/openid-configuration", i.forPages(i.discovery))
	i.mux.HandleFunc("GET /keys", i.forPages(i.keys))
	i.mux.HandleFunc("POST /token", i.forPages(i.exchange))
	i.mux.HandleFunc("GET /userinfo", i.forPages(i.userinfo))
	i.mux.HandleFunc("POST /userinfo", i.forPages(i.userinfo))
	i.mux.HandleFunc("OPTIONS /", i.forPages(http.NotFound))
	i.mux.HandleFunc("GET /", http.NotFound) // without it, the line above would answer 405
	i.mux.HandleFunc("GET /dev/token", i.devToken)
	i.mux.HandleFunc("POST /dev/token", i.devToken)
	i.mux.HandleFunc("GET /authorize", i.authorize)
	i.mux.Handle("POST /authorize", http.NewCrossOriginProtection().Handler(http.HandlerFunc(i.authorize)))
	i.mux.HandleFunc("GET /end_session", i.endSession)
	i.mux.HandleFunc("POST /end_session", i.endSession)
	i.mux.HandleFunc("GET /style.css", serveStyle)
	return i, nil
}

// ServeHTTP answers requests to the issuer's origin, and 404 for other paths.
func (i *Issuer) ServeHTTP(w http.ResponseWriter, r *http.Request) { i.mux.ServeHTTP(w, r) }

func (c Config) key() (jose.JSONWebKey, error) {
	private := c.Key
	if private == nil {
		var err error
		if private, err = rsa.GenerateKey(rand.Reader, 2048); err != nil {
			return jose.JSONWebKey{}, fmt.Errorf("make signing key: %w", err)
		}
	}
	return jose.JSONWebKey{Key: private, KeyID: rand.Text(), Algorithm: string(jose.RS256), Use: "sig"}, nil
}

func (i *Issuer) discovery(w http.ResponseWriter, _ *http.Request) {
	at := i.config.Issuer
	writeJSON(w, http.StatusOK, map[string]any{
		"issuer":                                at,
		"jwks_uri":                              at + "/keys",
		"authorization_endpoint":                at + "/authorize",
		"token_endpoint":                        at + "/token",
		"userinfo_endpoint":                     at + "/userinfo",
		"end_session_endpoint":                  at + "/end_session",
		"scopes_supported":                      []string{"openid", "profile"},
		"claims_supported":                      []string{"sub", "name", "auth_time"},
		"prompt_values_supported":               []string{"none", "login", "select_account"},
		"response_types_supported":              []string{"code"},
		"response_modes_supported":              []string{"query"},
		"grant_types_supported":                 []string{"authorization_code"},
		"subject_types_supported":               []string{"public"},
		"code_challenge_methods_supported":      []string{"S256"},
		"token_endpoint_auth_methods_supported": []string{"none"},
		"id_token_signing_alg_values_supported": []string{string(jose.RS256)},
	})
}

func (i *Issuer) keys(w http.ResponseWriter, _ *http.Request) {
	key, err := i.key()
	if err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	writeJSON(w, http.StatusOK, jose.JSONWebKeySet{Keys: []jose.JSONWebKey{key.Public()}})
}

// forPages lets browsers show the answers to pages of the registered origins, and to no others.
func (i *Issuer) forPages(next http.HandlerFunc) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		header := w.Header()
		header.Add("Vary", "Origin")
		if origin := r.Header.Get("Origin"); slices.Contains(i.config.Origins, origin) {
			header.Set("Access-Control-Allow-Origin", origin)
			if r.Method == http.MethodOptions {
				header.Set("Access-Control-Allow-Methods", "GET, POST")
				header.Set("Access-Control-Allow-Headers", "authorization, content-type")
				header.Set("Access-Control-Max-Age", "600")
				w.WriteHeader(http.StatusNoContent)
				return
			}
		}
		next(w, r)
	}
}

// isOfClient reports whether u is an address of one of the client's pages. Only the origin counts: the owner of the
// page owns the path.
func (i *Issuer) isOfClient(u *url.URL) bool {
	return isLoopback(u) && slices.Contains(i.config.Origins, u.Scheme+"://"+u.Host)
}

// isLoopback reports whether u is an http(s) address of this machine, in a form that no reader can take for another
// place.
func isLoopback(u *url.URL) bool {
	if u.Scheme != "http" && u.Scheme != "https" || u.User != nil || u.Fragment != "" || u.Opaque != "" {
		return false
	}
	if strings.EqualFold(u.Hostname(), "localhost") {
		return true
	}
	ip, err := netip.ParseAddr(u.Hostname())
	return err == nil && ip.IsLoopback()
}

func writeJSON(w http.ResponseWriter, status int, value any) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(value) // a client that hung up needs no answer
}
