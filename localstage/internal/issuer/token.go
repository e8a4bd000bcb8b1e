package issuer

import (
	"errors"
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/go-jose/go-jose/v4"
	"github.com/go-jose/go-jose/v4/jwt"
)

// lifetime is how long tokens are valid, in seconds.
const lifetime = 3600

var (
	userPattern  = regexp.MustCompile(`^[a-z0-9-]{1,32}$`)
	claimPattern = regexp.MustCompile(`^claim\.([A-Za-z0-9_:/.-]{1,64})$`)
)

// user is the user of a token: sub, name, and other claims of a test.
type user map[string]any

// newUser makes a user from the parameters of /dev/token and /authorize:
//
//	user=alice          sub, needed
//	sub=auth0|alice     another sub, of 1 to 255 bytes
//	name=Alice          the claim name; by default made from the user
//	claim.rooms=lobby   any other claim; repeated, it becomes a list
func newUser(parameters url.Values) (user, error) {
	sub := parameters.Get("user")
	if !userPattern.MatchString(sub) {
		return nil, errors.New("a development user is 1 to 32 characters of a-z, 0-9 and -, for example user=alice")
	}
	u := user{"sub": sub, "name": displayName(sub)}
	for _, claim := range []string{"sub", "name"} {
		if value := parameters.Get(claim); value != "" {
			u[claim] = value
		}
	}
	if len(parameters.Get("sub")) > 255 {
		return nil, errors.New("a sub has at most 255 bytes")
	}
	for parameter, values := range parameters {
		claim := claimPattern.FindStringSubmatch(parameter)
		switch {
		case claim == nil:
			continue
		case slices.Contains([]string{"iss", "sub", "iat", "exp", "auth_time"}, claim[1]):
			return nil, fmt.Errorf("the claim %s is the issuer's to set", claim[1])
		case len(values) == 1:
			u[claim[1]] = values[0]
		default:
			u[claim[1]] = values
		}
	}
	return u, nil
}

// addClaims adds the claims that a developer wrote on the page to the parameters: name=value, separated by spaces. A
// name that is there twice makes a list.
func addClaims(parameters url.Values, text string) error {
	for field := range strings.FieldsSeq(text) {
		name, value, found := strings.Cut(field, "=")
		if !found || !claimPattern.MatchString("claim."+name) {
			return fmt.Errorf("%q is no claim: write name=value, for example moderator=true", field)
		}
		parameters.Add("claim."+name, value)
	}
	return nil
}

// displayName turns "mary-ann" into "Mary Ann".
func displayName(sub string) string {
	words := strings.FieldsFunc(sub, func(r rune) bool { return r == '-' })
	for i, word := range words {
		words[i] = strings.ToUpper(word[:1]) + word[1:]
	}
	if len(words) == 0 {
		return sub
	}
	return strings.Join(words, " ")
}

// accessToken signs a token for the API, in the name of the client.
func (i *Issuer) accessToken(s session, scope string, validFor time.Duration) (string, error) {
	claims := map[string]any{"aud": i.config.Audience, "client_id": i.config.ClientID}
	if scope != "" {
		claims["scope"] = scope
	}
	return i.sign("at+jwt", claims, s, validFor)
}

// idToken signs a token for the page that signed the user in.
func (i *Issuer) idToken(s session, nonce string) (string, error) {
	claims := map[string]any{"aud": i.config.ClientID}
	if nonce != "" {
		claims["nonce"] = nonce
	}
	u := maps.Clone(s.user)
	maps.Copy(u, claims) // the token's own claims are not the user's to set
	s.user = u
	return i.sign("JWT", claims, s, lifetime*time.Second)
}

func (i *Issuer) sign(
	tokenType jose.ContentType, claims map[string]any, s session, validFor time.Duration,
) (string, error) {
	key, err := i.key()
	if err != nil {
		return "", err
	}
	signer, err := jose.NewSigner(jose.SigningKey{Algorithm: jose.RS256, Key: key},
		new(jose.SignerOptions).WithType(tokenType))
	if err != nil {
		return "", fmt.Errorf("sign token: %w", err)
	}
	maps.Copy(claims, s.user)
	claims["auth_time"] = s.authenticatedAt.Unix()
	now := i.config.Now()
	claims["iss"], claims["iat"], claims["exp"] = i.config.Issuer, now.Unix(), now.Add(validFor).Unix()
	token, err := jwt.Signed(signer).Claims(claims).Serialize()
	if err != nil {
		return "", fmt.Errorf("sign token: %w", err)
	}
	return token, nil
}

// devToken answers with an access token for the user of the query or form. Beside newUser's parameters it takes scope,
// expires_in in seconds, negative for an expired token, and auth_time_ago in seconds, for a user who authenticated
// earlier. It refuses unknown parameters, so that a misspelt one does not let a test pass by accident.
func (i *Issuer) devToken(w http.ResponseWriter, r *http.Request) {
	token, expiresIn, err := i.newDevToken(w, r)
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	w.Header().Set("Cache-Control", "no-store")
	writeJSON(w, http.StatusOK, map[string]any{"access_token": token, "token_type": "Bearer", "expires_in": expiresIn})
}

func (i *Issuer) newDevToken(w http.ResponseWriter, r *http.Request) (string, int, error) {
	r.Body = http.MaxBytesReader(w, r.Body, 1<<16)
	if err := r.ParseForm(); err != nil {
		return "", 0, errors.New("the parameters cannot be read")
	}
	for parameter := range r.Form {
		known := []string{"user", "sub", "name", "expires_in", "auth_time_ago", "scope"}
		if !slices.Contains(known, parameter) && !claimPattern.MatchString(parameter) {
			return "", 0, fmt.Errorf("unknown parameter %q: use %s or claim.<name>", parameter,
				strings.Join(known, ", "))
		}
	}
	expiresIn, err := secondsOf(r.Form, "expires_in", lifetime)
	if err != nil {
		return "", 0, err
	}
	ago, err := secondsOf(r.Form, "auth_time_ago", 0)
	if err != nil {
		return "", 0, err
	}
	u, err := newUser(r.Form)
	if err != nil {
		return "", 0, err
	}
	signedIn := session{u, i.config.Now().Add(-time.Duration(ago) * time.Second)}
	token, err := i.accessToken(signedIn, r.Form.Get("scope"), time.Duration(expiresIn)*time.Second)
	return token, expiresIn, err
}

// secondsOf parses a parameter that is a number of seconds.
func secondsOf(form url.Values, name string, fallback int) (int, error) {
	if form.Get(name) == "" {
		return fallback, nil
	}
	seconds, err := strconv.Atoi(form.Get(name))
	if err != nil || seconds < -86400 || seconds > 86400 {
		return 0, fmt.Errorf("%s is a number of seconds, at most a day either way", name)
	}
	return seconds, nil
}

// userinfo returns the user of an access token of this issuer.
func (i *Issuer) userinfo(w http.ResponseWriter, r *http.Request) {
	token, _ := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer ")
	u, err := i.verify(token)
	if err != nil {
		w.Header().Set("WWW-Authenticate", `Bearer error="invalid_token"`)
		http.Error(w, "The access token is not one of this issuer, or it has expired.", http.StatusUnauthorized)
		return
	}
	w.Header().Set("Cache-Control", "no-store")
	writeJSON(w, http.StatusOK, u)
}

func (i *Issuer) verify(token string) (user, error) {
	key, err := i.key()
	if err != nil {
		return nil, err
	}
	parsed, err := jwt.ParseSigned(token, []jose.SignatureAlgorithm{jose.RS256})
	if err != nil {
		return nil, fmt.Errorf("parse token: %w", err)
	}
	if parsed.Headers[0].ExtraHeaders["typ"] != "at+jwt" {
		return nil, errors.New("not an access token")
	}
	var standard jwt.Claims
	u := user{}
	if err := parsed.Claims(key.Public().Key, &standard, &u); err != nil {
		return nil, fmt.Errorf("verify token: %w", err)
	}
	if err := standard.ValidateWithLeeway(jwt.Expected{Issuer: i.config.Issuer, Time: i.config.Now()}, 0); err != nil {
		return nil, fmt.Errorf("verify token: %w", err)
	}
	for _, ours := range []string{"iss", "aud", "client_id", "iat", "exp", "auth_time", "scope"} {
		delete(u, ours)
	}
	return u, nil
}
