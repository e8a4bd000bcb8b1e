package issuer

import (
	"cmp"
	"crypto/rand"
	"crypto/sha256"
	"crypto/subtle"
	_ "embed"
	"encoding/base64"
	"html/template"
	"io"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"time"
)

// codeLifetime is how long an authorization code may be used, once.
const codeLifetime = time.Minute

var (
	//go:embed page/authorize.html
	pageText string
	//go:embed page/style.css
	styleText string

	page             = template.Must(template.New("authorize").Parse(pageText))
	challengePattern = regexp.MustCompile(`^[A-Za-z0-9_-]{43}$`)
	verifierPattern  = regexp.MustCompile(`^[A-Za-z0-9._~-]{43,128}$`)
)

// grant is what an authorization code stands for.
type grant struct {
	user                                 user
	redirectURI, challenge, nonce, scope string
	expires                              time.Time
}

// view is what the page shows.
type view struct {
	Client, Problem, Hint string
	Users                 []string
	CanSignIn             bool
}

// authorize shows the page that asks for a user, and sends the user that was
// picked back to the client with a code. A request whose client or redirect
// address is wrong gets an error page, and never a redirect.
func (i *Issuer) authorize(w http.ResponseWriter, r *http.Request) {
	query := r.URL.Query()
	redirect, err := url.Parse(query.Get("redirect_uri"))
	switch {
	case query.Get("client_id") != i.config.Audience:
		i.show(w, http.StatusBadRequest, nil, view{Problem: "This issuer knows one client, whose client_id is the audience of the stage: " + i.config.Audience})
		return
	case err != nil || !isLoopback(redirect):
		i.show(w, http.StatusBadRequest, nil, view{Problem: "redirect_uri must be an address of this machine, such as http://127.0.0.1:3001/callback, without a fragment."})
		return
	}
	if code, description := refuseAuthorization(query); code != "" {
		sendBack(w, r, redirect, url.Values{"error": {code}, "error_description": {description}, "state": query["state"]})
		return
	}
	if r.Method == http.MethodGet {
		i.show(w, http.StatusOK, redirect, view{Hint: query.Get("login_hint")})
		return
	}
	r.Body = http.MaxBytesReader(w, r.Body, 1<<16)
	query.Set("user", strings.TrimSpace(r.PostFormValue("user")))
	user, err := newUser(query)
	if err != nil {
		i.show(w, http.StatusBadRequest, redirect, view{Problem: err.Error(), Hint: query.Get("user")})
		return
	}
	code := i.newCode(grant{user, query.Get("redirect_uri"), query.Get("code_challenge"), query.Get("nonce"), query.Get("scope"), i.config.Now().Add(codeLifetime)})
	sendBack(w, r, redirect, url.Values{"code": {code}, "state": query["state"]})
}

// refuseAuthorization returns an error code of RFC 6749 and why, or nothing.
func refuseAuthorization(query url.Values) (code, description string) {
	switch {
	case query.Get("response_type") != "code":
		return "unsupported_response_type", "only response_type=code is supported"
	case query.Get("code_challenge_method") != "S256" || !challengePattern.MatchString(query.Get("code_challenge")):
		return "invalid_request", "PKCE with code_challenge_method=S256 is required"
	case query.Get("prompt") == "none":
		return "login_required", "the development issuer keeps no sessions"
	}
	return "", ""
}

// sendBack redirects to the client with the parameters added to those it has; an
// absent state stays absent.
func sendBack(w http.ResponseWriter, r *http.Request, to *url.URL, parameters url.Values) {
	query := to.Query()
	for name, values := range parameters {
		if len(values) > 0 {
			query[name] = values
		}
	}
	target := *to
	target.RawQuery = query.Encode()
	w.Header().Set("Cache-Control", "no-store")
	http.Redirect(w, r, target.String(), http.StatusSeeOther)
}

// show writes the page. Its form may lead on to redirect's origin and nowhere else.
func (i *Issuer) show(w http.ResponseWriter, status int, redirect *url.URL, v view) {
	formAction := "'self'"
	if redirect != nil {
		formAction += " " + redirect.Scheme + "://" + redirect.Host
		v.CanSignIn, v.Client, v.Users = true, redirect.Host, []string{"alice", "bob", "carol"}
	}
	header := w.Header()
	header.Set("Content-Type", "text/html; charset=utf-8")
	header.Set("Content-Security-Policy", "default-src 'none'; style-src 'self'; base-uri 'none'; frame-ancestors 'none'; form-action "+formAction)
	header.Set("Referrer-Policy", "same-origin")
	header.Set("X-Content-Type-Options", "nosniff")
	header.Set("Cache-Control", "no-store")
	w.WriteHeader(status)
	_ = page.Execute(w, v) // the browser may be gone; nobody is left to tell
}

func serveStyle(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("Content-Type", "text/css; charset=utf-8")
	_, _ = w.Write([]byte(styleText))
}

func (i *Issuer) newCode(g grant) string {
	i.mu.Lock()
	defer i.mu.Unlock()
	for code, old := range i.codes {
		if i.config.Now().After(old.expires) {
			delete(i.codes, code)
		}
	}
	code := rand.Text()
	i.codes[code] = g
	return code
}

// redeem takes the grant of a code out, so that no code is used twice.
func (i *Issuer) redeem(code string) (grant, bool) {
	i.mu.Lock()
	defer i.mu.Unlock()
	g, ok := i.codes[code]
	delete(i.codes, code)
	return g, ok && !i.config.Now().After(g.expires)
}

// exchange is the token endpoint: a code and its PKCE verifier for an access token
// and an ID token.
func (i *Issuer) exchange(w http.ResponseWriter, r *http.Request) {
	r.Body = http.MaxBytesReader(w, r.Body, 1<<16)
	w.Header().Set("Cache-Control", "no-store")
	form := func(name string) string { return r.PostFormValue(name) }
	switch {
	case form("client_id") != i.config.Audience:
		refuseExchange(w, "invalid_client", "client_id must be sent in the form, and be the audience of the stage")
		return
	case form("grant_type") != "authorization_code":
		refuseExchange(w, "unsupported_grant_type", "only authorization_code is supported")
		return
	}
	g, ok := i.redeem(form("code"))
	if !ok || g.redirectURI != form("redirect_uri") || !verifies(form("code_verifier"), g.challenge) {
		refuseExchange(w, "invalid_grant", "the code is unknown, used or older than a minute, or redirect_uri or code_verifier do not belong to it")
		return
	}
	access, err := i.accessToken(g.user, g.scope, lifetime*time.Second)
	id, idErr := i.idToken(g.user, g.nonce)
	if err := cmp.Or(err, idErr); err != nil {
		refuseExchange(w, "server_error", err.Error())
		return
	}
	writeJSON(w, http.StatusOK, map[string]any{
		"access_token": access, "id_token": id, "token_type": "Bearer", "expires_in": lifetime, "scope": g.scope,
	})
}

func refuseExchange(w http.ResponseWriter, code, description string) {
	writeJSON(w, http.StatusBadRequest, map[string]string{"error": code, "error_description": description})
}

// verifies tells whether challenge is the S256 challenge of verifier (RFC 7636, section 4.6).
func verifies(verifier, challenge string) bool {
	sum := sha256.Sum256([]byte(verifier))
	mine := base64.RawURLEncoding.EncodeToString(sum[:])
	return verifierPattern.MatchString(verifier) && subtle.ConstantTimeCompare([]byte(mine), []byte(challenge)) == 1
}

// endSession sends a browser back to the page that signed its user out. There is
// no session here to end.
func endSession(w http.ResponseWriter, r *http.Request) {
	back, err := url.Parse(r.FormValue("post_logout_redirect_uri"))
	if err != nil || !isLoopback(back) {
		_, _ = io.WriteString(w, "Signed out.\n")
		return
	}
	sendBack(w, r, back, url.Values{"state": r.Form["state"]})
}
