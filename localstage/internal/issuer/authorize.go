package issuer

import (
	"cmp"
	"crypto/rand"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base64"
	"io"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"time"
)

// codeLifetime is the lifetime of an authorization code, which works once.
const codeLifetime = time.Minute

var (
	challengePattern = regexp.MustCompile(`^[A-Za-z0-9_-]{43}$`)
	verifierPattern  = regexp.MustCompile(`^[A-Za-z0-9._~-]{43,128}$`)
)

// grant is the authorization behind a code.
type grant struct {
	session                              session
	redirectURI, challenge, nonce, scope string
	expires                              time.Time
}

// authorize shows the page on which a developer picks a user, and sends that user back to the client with a code. A
// browser with a session goes back at once, unless the client wants the user to authenticate. A request whose client or
// redirect address is wrong gets an error page, and never a redirect.
func (i *Issuer) authorize(w http.ResponseWriter, r *http.Request) {
	query := r.URL.Query()
	redirect, err := url.Parse(query.Get("redirect_uri"))
	switch {
	case query.Get("client_id") != i.config.ClientID:
		show(w, r, http.StatusBadRequest, nil, view{Problem: "This issuer knows one client, the template's parameter " +
			"OidcClientId. Its client_id is " + i.config.ClientID + "."})
		return
	case err != nil || !i.isOfClient(redirect):
		show(w, r, http.StatusBadRequest, nil, view{Problem: "redirect_uri must be an address, without a " +
			"fragment, below " + strings.Join(i.config.Origins, " or ") +
			". The stage takes more of this machine's origins by the parameter AllowedOrigins."})
		return
	}
	if code, description := refuseAuthorization(query); code != "" {
		sendBack(w, r, redirect,
			url.Values{"error": {code}, "error_description": {description}, "state": query["state"]})
		return
	}
	if open, ok := i.sessionOf(r); ok && r.Method == http.MethodGet && open.goesOn(query, i.config.Now()) {
		i.sendCode(w, r, redirect, open)
		return
	}
	if query.Get("prompt") == "none" {
		sendBack(w, r, redirect, url.Values{
			"error": {"login_required"}, "error_description": {"this browser has no session here"},
			"state": query["state"],
		})
		return
	}
	if r.Method == http.MethodGet {
		show(w, r, http.StatusOK, redirect, view{Hint: query.Get("login_hint")})
		return
	}
	r.Body = http.MaxBytesReader(w, r.Body, 1<<16)
	query.Set("user", strings.TrimSpace(r.PostFormValue("user")))
	claims := r.PostFormValue("claims")
	err = addClaims(query, claims)
	var chosen user
	if err == nil {
		chosen, err = newUser(query)
	}
	if err != nil {
		show(w, r, http.StatusBadRequest, redirect,
			view{Problem: err.Error(), Hint: query.Get("user"), Claims: claims})
		return
	}
	i.sendCode(w, r, redirect, i.newSession(w, chosen))
}

// sendCode sends the user of a session back to the client with a code.
func (i *Issuer) sendCode(w http.ResponseWriter, r *http.Request, redirect *url.URL, open session) {
	query := r.URL.Query()
	code := i.newCode(grant{
		open, query.Get("redirect_uri"), query.Get("code_challenge"), query.Get("nonce"), query.Get("scope"),
		i.config.Now().Add(codeLifetime),
	})
	sendBack(w, r, redirect, url.Values{"code": {code}, "state": query["state"]})
}

// refuseAuthorization returns an error code of RFC 6749 and the reason, or two empty texts.
func refuseAuthorization(query url.Values) (code, description string) {
	switch {
	case query.Get("response_type") != "code":
		return "unsupported_response_type", "only response_type=code is supported"
	case query.Get("code_challenge_method") != "S256" || !challengePattern.MatchString(query.Get("code_challenge")):
		return "invalid_request", "PKCE with code_challenge_method=S256 is required"
	}
	return "", ""
}

// sendBack redirects to the client and adds the parameters to those of its address. An absent state stays absent.
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
	//nolint:gosec // the target was checked to be a loopback address
	http.Redirect(w, r, target.String(), http.StatusSeeOther)
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

// redeem removes the grant of a code and returns it, so that a code works once.
func (i *Issuer) redeem(code string) (grant, bool) {
	i.mu.Lock()
	defer i.mu.Unlock()
	g, ok := i.codes[code]
	delete(i.codes, code)
	return g, ok && !i.config.Now().After(g.expires)
}

// exchange is the token endpoint. It takes a code and its PKCE verifier, and returns an access token and an ID token.
func (i *Issuer) exchange(w http.ResponseWriter, r *http.Request) {
	r.Body = http.MaxBytesReader(w, r.Body, 1<<16)
	w.Header().Set("Cache-Control", "no-store")
	form := func(name string) string { return r.PostFormValue(name) }
	switch {
	case form("client_id") != i.config.ClientID:
		refuseExchange(w, "invalid_client",
			"client_id must be sent in the form, and be the template's parameter OidcClientId")
		return
	case form("grant_type") != "authorization_code":
		refuseExchange(w, "unsupported_grant_type", "only authorization_code is supported")
		return
	}
	g, ok := i.redeem(form("code"))
	if !ok || g.redirectURI != form("redirect_uri") || !verifies(form("code_verifier"), g.challenge) {
		refuseExchange(w, "invalid_grant",
			"the code is unknown, used or older than a minute, or redirect_uri or code_verifier do not belong to it")
		return
	}
	access, err := i.accessToken(g.session, g.scope, lifetime*time.Second)
	id, idErr := i.idToken(g.session, g.nonce)
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

// verifies reports whether challenge is the S256 challenge of verifier (RFC 7636, section 4.6).
func verifies(verifier, challenge string) bool {
	sum := sha256.Sum256([]byte(verifier))
	mine := base64.RawURLEncoding.EncodeToString(sum[:])
	return verifierPattern.MatchString(verifier) && subtle.ConstantTimeCompare([]byte(mine), []byte(challenge)) == 1
}

// endSession ends the browser's session and sends it back to the page that signed its user out.
func (i *Issuer) endSession(w http.ResponseWriter, r *http.Request) {
	i.dropSession(w, r)
	back, err := url.Parse(r.FormValue("post_logout_redirect_uri"))
	if err != nil || !i.isOfClient(back) {
		_, _ = io.WriteString(w, "Signed out.\n")
		return
	}
	sendBack(w, r, back, url.Values{"state": r.Form["state"]})
}
