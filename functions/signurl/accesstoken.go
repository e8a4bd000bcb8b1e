package main

import (
	"fmt"
	"slices"
	"strings"

	"github.com/go-json-experiment/json/jsontext"
)

// mustBeAccessToken refuses tokens of other kinds, clients and scopes. One provider signs all of them with the same
// keys, so that the gateway's check of issuer, audience and signature does not tell them apart.
//
// Sources: RFC 9068, section 4; RFC 8725, sections 3.11 and 3.12; OpenID Connect Core 1.0, section 2; OpenID Connect
// Back-Channel Logout 1.0, section 2.4; and claims of providers: Amazon Cognito token_use, Keycloak typ.
func (c config) mustBeAccessToken(t token) error {
	for _, rule := range []struct {
		holds bool
		text  string
	}{
		{t.absentOrOneOf(t.header, "typ", "at+jwt", "application/at+jwt", "jwt", "application/jwt"), "header typ"},
		{t.absentOrOneOf(t.claims, "typ", "bearer", "at+jwt", "jwt"), "claim typ"},
		{t.absentOrOneOf(t.claims, "token_use", "access"), "claim token_use"},
		{!t.hasAny("nonce", "at_hash", "c_hash", "s_hash"), "claims of an ID token"},
		{t.saysAccess(), "nothing says that it is an access token"}, // mutate:signurl-unmarked => {true, ""},
		{!t.hasAny("events", "toe"), "claims of a security event or a logout token"},
		// mutate:signurl-any-client => {true, "issued to another client"},
		{c.knowsClient(t), "issued to another client than OidcClientId, OidcAudience and OtherOidcClientIds name"},
		{c.hasScope(t), "none of AuthorizationScopes"}, // mutate:signurl-any-scope => {true, ""},
	} {
		if !rule.holds {
			return fmt.Errorf("%s: %w", rule.text, errNotAccessToken)
		}
	}
	return nil
}

// absentOrOneOf reports whether a member is absent, or a text that is one of these in any letter case.
func (t token) absentOrOneOf(members map[string]jsontext.Value, name string, allowed ...string) bool {
	value, found := members[name]
	if !found {
		return true
	}
	text, ok := textOf(value)
	return ok && slices.Contains(allowed, strings.ToLower(text))
}

func (t token) hasAny(names ...string) bool { return slices.ContainsFunc(names, t.has) }

// saysAccess reports whether something in the token tells it from an ID token: its type, its use, its scopes, a claim
// that only access tokens have, or an audience that is not the client. The audience of an ID token is the client (azp);
// that of an access token is an API.
func (t token) saysAccess() bool {
	if t.hasAny("scope", "scp", "client_id", "cid", "appid", "token_use", "typ") {
		return true
	}
	typ, _ := textOf(t.header["typ"])
	party, ok := t.text("azp")
	return strings.HasSuffix(strings.ToLower(typ), "at+jwt") || ok && !slices.Contains(t.texts("aud"), party)
}

// knowsClient reports whether each claim that names the client to which the token was issued names one whose users may
// chat. A token without such a claim counts: its audience is right.
func (c config) knowsClient(t token) bool {
	return !slices.ContainsFunc([]string{"azp", "client_id", "cid", "appid"}, func(name string) bool {
		client, ok := t.text(name)
		return t.has(name) && (!ok || !slices.Contains(c.OIDCClients, client))
	})
}

// hasScope reports whether the token has one of the scopes that the deployment demands, if it demands any. The route's
// authorizer asks the same.
func (c config) hasScope(t token) bool {
	if len(c.AuthorizationScopes) == 0 {
		return true
	}
	for _, claim := range []string{"scope", "scp"} {
		for _, list := range t.texts(claim) {
			for scope := range strings.FieldsSeq(list) {
				if slices.Contains(c.AuthorizationScopes, scope) {
					return true
				}
			}
		}
	}
	return false
}
