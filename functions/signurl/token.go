package main

import (
	"encoding/base64"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/aws/aws-lambda-go/events"
	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"signedsocket/shared/grant"
	"signedsocket/shared/text"
	"signedsocket/shared/userid"
)

// tokenCaller reads the caller from the token that the JWT authorizer has verified. An event without its claims, or
// with those of another issuer, means that the route has lost its authorizer. A token without a user or a time of
// authentication could not be revoked, so it is refused.
func (c config) tokenCaller(event events.APIGatewayV2HTTPRequest, now time.Time) (caller, error) {
	authorizer := event.RequestContext.Authorizer
	switch {
	case c.OIDCIssuer == "":
		return caller{}, fmt.Errorf("OidcIssuer is empty: %w", errNotConfigured)
	case authorizer == nil || authorizer.JWT == nil || len(authorizer.JWT.Claims) == 0:
		// mutate:signurl-no-authorizer
		return caller{}, fmt.Errorf("the route has no JWT authorizer: %w", errNotConfigured)
	case authorizer.JWT.Claims["iss"] != c.OIDCIssuer:
		return caller{}, fmt.Errorf("the route's JWT authorizer is not OidcIssuer's: %w", errNotConfigured)
	}
	t, err := readToken(event.Headers)
	if err != nil {
		return caller{}, err
	}
	if err := t.mustBe(authorizer.JWT.Claims); err != nil { // mutate:signurl-another-token
		return caller{}, err
	}
	if err := c.mustBeAccessToken(t); err != nil { // mutate:signurl-other-kinds
		return caller{}, err
	}
	return c.fromToken(t, now)
}

// fromToken reads the caller from the claims of an access token.
func (c config) fromToken(t token, now time.Time) (caller, error) {
	sub, _ := t.text("sub")
	authenticatedAt, known := t.authenticatedAt()
	if !userid.ValidSub(sub) || !known {
		return caller{}, errUnknownUser
	}
	expires, ok := t.seconds("exp")
	if !ok || !expires.After(now) {
		return caller{}, errRevoked
	}
	id, old := userid.Forms(c.StackID, c.OIDCIssuer, sub)
	claimed, _ := t.text(c.NameClaim)
	line, ok := text.CleanLine(claimed)
	name := text.Cut(line, grant.MaxNameBytes)
	if !ok || !grant.ValidName(name) {
		name = userid.Name(id)
	}
	return caller{
		userID: id, oldUserID: old, name: name, rooms: c.tokenRooms(t), moderator: c.isModerator(t), comesBack: true,
		authenticatedAt: earlier(authenticatedAt, now),
		// mutate:signurl-token-end => sessionEndsAt: expires.Add(c.sessionGrace() + c.sessionMax()),
		sessionEndsAt: expires.Add(c.sessionGrace()),
	}, nil
}

// token is a JSON Web Token of which the gateway has verified the signature. The gateway passes each claim on as a
// text. In it a list, a number and a text with the same characters look alike. So this function reads the claims from
// the token itself.
type token struct{ header, claims map[string]jsontext.Value }

// readToken reads the token in the one Authorization header of a request. Header and claims are read strictly: a name
// that appears twice, which the gateway may have read in another way, is refused.
func readToken(headers map[string]string) (token, error) {
	compact, ok := bearer(headers)
	parts := strings.Split(compact, ".")
	if !ok || len(parts) != 3 {
		return token{}, fmt.Errorf("not one token in one Authorization header: %w", errNotAccessToken)
	}
	var read token
	for i, into := range []*map[string]jsontext.Value{&read.header, &read.claims} {
		decoded, err := base64.RawURLEncoding.DecodeString(parts[i])
		if err == nil {
			err = json.Unmarshal(decoded, into)
		}
		if err != nil {
			return token{}, fmt.Errorf("part %d of the token cannot be read: %w", i+1, errNotAccessToken)
		}
	}
	return read, nil
}

// bearer returns the only token of a request. The gateway takes one with and without "Bearer". It joins the values of a
// repeated header with a comma, which no token has.
func bearer(headers map[string]string) (string, bool) {
	var values []string
	for name, value := range headers {
		if strings.EqualFold(name, "authorization") {
			values = append(values, value)
		}
	}
	if len(values) != 1 { // mutate:signurl-several-tokens => if len(values) == 0 {
		return "", false
	}
	value := strings.TrimSpace(values[0])
	if scheme, rest, found := strings.Cut(value, " "); found && strings.EqualFold(scheme, "Bearer") {
		value = strings.TrimSpace(rest)
	}
	return value, !strings.ContainsAny(value, ", \t")
}

// mustBe checks that the authorizer's claims are those of the token.
func (t token) mustBe(verified map[string]string) error {
	for _, name := range []string{"iss", "sub"} {
		if value, ok := t.text(name); !ok || value != verified[name] {
			return fmt.Errorf("%s is not what the authorizer has verified: %w", name, errNotAccessToken)
		}
	}
	for _, name := range []string{"iat", "exp"} {
		value, ok := t.seconds(name)
		if other, known := numericDate(verified[name]); !ok || !known || !value.Equal(other) {
			return fmt.Errorf("%s is not what the authorizer has verified: %w", name, errNotAccessToken)
		}
	}
	return nil
}

// authenticatedAt returns when the user authenticated: auth_time, which a silent sign-in does not renew, if the token
// has it, else iat. A token that was issued earlier than that counts from then on.
func (t token) authenticatedAt() (time.Time, bool) {
	issuedAt, ok := t.seconds("iat")
	if !ok || !t.has("auth_time") { // mutate:signurl-silent-sign-in => if true || !ok {
		return issuedAt, ok
	}
	authenticatedAt, ok := t.seconds("auth_time")
	return earlier(authenticatedAt, issuedAt), ok
}

func (t token) has(name string) bool {
	_, ok := t.claims[name]
	return ok
}

// text returns a claim that is a text.
func (t token) text(name string) (string, bool) { return textOf(t.claims[name]) }

// texts returns a claim that is a text or a list of texts.
func (t token) texts(name string) (all []string) {
	if one, ok := t.text(name); ok {
		return []string{one}
	}
	if value := t.claims[name]; value.Kind() == '[' && json.Unmarshal(value, &all) == nil {
		return all
	}
	return nil
}

// seconds returns a claim that is a number of seconds since 1970.
func (t token) seconds(name string) (time.Time, bool) {
	value := t.claims[name]
	if value.Kind() != '0' {
		return time.Time{}, false
	}
	return numericDate(string(value))
}

func textOf(value jsontext.Value) (text string, ok bool) {
	return text, value.Kind() == '"' && json.Unmarshal(value, &text) == nil
}

// numericDate reads a number of seconds since 1970, which may have a fraction or an exponent.
func numericDate(claim string) (time.Time, bool) {
	seconds, err := strconv.ParseFloat(claim, 64)
	if err != nil || !(seconds >= 1 && seconds < maxSeconds) {
		return time.Time{}, false
	}
	return time.Unix(int64(seconds), 0).UTC(), true
}
