package issuer

import (
	"crypto/rand"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"
)

// sessionLifetime is the time for which a browser stays signed in at the issuer.
const sessionLifetime = 12 * time.Hour

// session is a browser with a signed-in user. As at real providers it outlives the tokens, so that a client gets new
// ones without a question.
type session struct {
	user            user
	authenticatedAt time.Time
}

// newSession opens a session and gives the browser its cookie.
func (i *Issuer) newSession(w http.ResponseWriter, u user) session {
	opened := session{u, i.config.Now()}
	id := rand.Text()
	i.mu.Lock()
	defer i.mu.Unlock()
	for old, s := range i.sessions {
		if s.over(i.config.Now()) {
			delete(i.sessions, old)
		}
	}
	i.sessions[id] = opened
	i.setCookie(w, id, int(sessionLifetime/time.Second))
	return opened
}

// sessionOf returns the session of the browser that makes a request.
func (i *Issuer) sessionOf(r *http.Request) (session, bool) {
	cookie, err := r.Cookie(i.cookieName())
	if err != nil {
		return session{}, false
	}
	i.mu.Lock()
	defer i.mu.Unlock()
	found, ok := i.sessions[cookie.Value]
	return found, ok && !found.over(i.config.Now())
}

// dropSession ends the session of the browser that makes a request.
func (i *Issuer) dropSession(w http.ResponseWriter, r *http.Request) {
	if cookie, err := r.Cookie(i.cookieName()); err == nil {
		i.mu.Lock()
		defer i.mu.Unlock()
		delete(i.sessions, cookie.Value)
		i.setCookie(w, "", -1)
	}
}

func (s session) over(now time.Time) bool { return now.Sub(s.authenticatedAt) >= sessionLifetime }

// goesOn reports whether a session answers an authorization request without a question: the client does not ask for a
// new authentication, and the last one is recent enough.
// Source: OpenID Connect Core 1.0, section 3.1.2.1, prompt and max_age.
func (s session) goesOn(query url.Values, now time.Time) bool {
	for prompt := range strings.FieldsSeq(query.Get("prompt")) {
		if prompt == "login" || prompt == "select_account" || prompt == "consent" {
			return false
		}
	}
	if !query.Has("max_age") {
		return true
	}
	seconds, err := strconv.Atoi(query.Get("max_age"))
	return err == nil && now.Sub(s.authenticatedAt) < time.Duration(seconds)*time.Second
}

func (i *Issuer) setCookie(w http.ResponseWriter, value string, maxAge int) {
	http.SetCookie(w, &http.Cookie{ //nolint:gosec // the stage is plain http on loopback
		Name: i.cookieName(), Value: value, Path: "/", MaxAge: maxAge, HttpOnly: true, SameSite: http.SameSiteLaxMode,
	})
}

// cookieName differs between the issuers of several stages, because browsers send a cookie to every port of a host.
func (i *Issuer) cookieName() string {
	at, _ := url.Parse(i.config.Issuer) // New has parsed it
	return "local-issuer-" + at.Port()
}
