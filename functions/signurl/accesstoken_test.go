package main

import (
	"maps"
	"testing"

	"github.com/aws/aws-lambda-go/events"
)

// requestOfKind returns the event of a request whose token has another header and other claims.
func requestOfKind(header, changes map[string]any) events.APIGatewayV2HTTPRequest {
	claims := map[string]any{"iss": issuer, "sub": "alice", "iat": 1795327140, "exp": 1795330740, "aud": "signedsocket"}
	maps.Copy(claims, changes)
	return requestOf(`{}`, header, claims)
}

func TestOnlyAccessTokensGetURLs(t *testing.T) {
	t.Parallel()
	type members = map[string]any
	tests := []struct {
		name           string
		header, claims members
		ok             bool
	}{
		{"RFC 9068", members{"typ": "at+jwt"}, members{"client_id": "page", "scope": "openid"}, true},
		{"RFC 9068, in the long form", members{"typ": "Application/AT+JWT"}, members{"client_id": "page"}, true},
		{"no type, but scopes", members{"alg": "RS256"}, members{"scope": "openid"}, true},
		{"no type, but a client", members{"alg": "RS256"}, members{"client_id": "page"}, true},
		{"no type, and an API as its audience", members{"alg": "RS256"}, members{"azp": "page"}, true},
		{"Amazon Cognito", members{"kid": "1"}, members{"token_use": "access", "client_id": "page", "aud": "x"}, true},
		{"Auth0", members{"typ": "JWT"},
			members{"azp": "page", "scope": "openid profile", "aud": []string{"signedsocket", issuer + "/userinfo"}},
			true},
		{"Keycloak", members{"typ": "JWT"}, members{"typ": "Bearer", "azp": "page", "scope": "openid"}, true},
		{"Okta", members{}, members{"cid": "page", "scp": []string{"openid"}}, true},
		{"Entra ID", members{"typ": "JWT"}, members{"azp": "page", "scp": "chat"}, true},
		{"Keycloak, the client is the audience", members{"typ": "JWT"},
			members{"typ": "Bearer", "azp": "signedsocket"}, true},
		{"RFC 9068, the client is the audience", members{"typ": "at+jwt"}, members{"azp": "signedsocket"}, true},

		{"an ID token without any mark", members{"typ": "JWT"}, nil, false},
		{"a token without type or claims of its kind", members{"alg": "RS256"}, nil, false},
		{"an ID token with a nonce", members{"typ": "JWT"}, members{"nonce": "n"}, false},
		{"an ID token with an empty nonce", members{"typ": "JWT"}, members{"nonce": ""}, false},
		{"an ID token that says it is an access token", members{"typ": "at+jwt"}, members{"nonce": "n"}, false},
		{"an ID token with the hash of an access token", members{}, members{"at_hash": "x"}, false},
		{"an ID token with the hash of a code", members{}, members{"c_hash": "x"}, false},
		{"an ID token with the hash of a state", members{}, members{"s_hash": "x"}, false},
		{"an ID token without a nonce", members{"typ": "JWT"}, members{"azp": "signedsocket"}, false},
		{"an ID token for two", members{"typ": "JWT"},
			members{"azp": "signedsocket", "aud": []string{"signedsocket", "y"}}, false},
		{"an ID token of Amazon Cognito", members{}, members{"token_use": "id"}, false},
		{"an ID token of Keycloak", members{"typ": "JWT"}, members{"typ": "ID"}, false},
		{"a refresh token of Keycloak", members{"typ": "JWT"}, members{"typ": "Refresh"}, false},
		{"a logout token", members{"typ": "logout+jwt"}, nil, false},
		{"a logout token without type", members{},
			members{"events": members{"http://schemas.openid.net/event/backchannel-logout": members{}}}, false},
		{"a security event", members{"typ": "secevent+jwt"}, nil, false},
		{"a security event without type", members{}, members{"toe": 1795327140}, false},
		{"a proof of possession", members{"typ": "dpop+jwt"}, nil, false},
		{"a type that is no text", members{"typ": []string{"at+jwt"}}, nil, false},
		{"an empty type", members{"typ": ""}, nil, false},
		{"a use that is no text", members{}, members{"token_use": true}, false},
		{"another use", members{}, members{"token_use": "Access2"}, false},

		{"another client, azp", members{"typ": "at+jwt"}, members{"azp": "intranet"}, false},
		{"another client, client_id", members{"typ": "at+jwt"}, members{"client_id": "intranet"}, false},
		{"another client, cid", members{}, members{"cid": "intranet"}, false},
		{"another client, appid", members{}, members{"appid": "intranet"}, false},
		{"two clients", members{"typ": "at+jwt"}, members{"client_id": "page", "azp": "intranet"}, false},
		{"clients in a list", members{"typ": "at+jwt"}, members{"client_id": []string{"page"}}, false},
		{"no client's name", members{"typ": "at+jwt"}, members{"client_id": ""}, false},
		{"a part of a client's name", members{"typ": "at+jwt"}, members{"client_id": "pag"}, false},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			h, log := newTestHandler(t, &fakeUsers{})
			e := requestOfKind(test.header, test.claims)
			if test.ok {
				sign(t, h, e)
				return
			}
			checkRefusal(t, h, e, 403, "caller_not_trusted", log)
		})
	}
}

func TestTokenNeedsOneOfTheScopes(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		name        string
		claim       string
		value       any
		demanded    string
		wantRefused bool
	}{
		{"none is demanded", "scope", "openid", "", false},
		{"the only one", "scope", "chat", "chat", false},
		{"one of several", "scope", "openid chat", "chat,write", false},
		{"in a list", "scp", []string{"openid", "chat"}, "chat", false},
		{"as a text in scp", "scp", "openid chat", "chat", false},
		{"another one", "scope", "openid", "chat", true},
		{"a part of one", "scope", "chat2 cha", "chat", true},
		{"no scope", "sub", "alice", "chat", true},
		{"in another claim", "scopes", "chat", "chat", true},
		{"in an object", "scope", map[string]any{"chat": true}, "chat", true},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			h, log := newHandlerWith(t, &fakeUsers{}, map[string]string{"AUTHORIZATION_SCOPES": test.demanded})
			e := requestWith(`{}`, map[string]any{test.claim: test.value})
			if !test.wantRefused {
				sign(t, h, e)
				return
			}
			checkRefusal(t, h, e, 403, "caller_not_trusted", log)
		})
	}
}

// FuzzToken feeds headers that are no tokens of ours to the reader: it must not accept claims that the authorizer did
// not see.
func FuzzToken(f *testing.F) {
	good := request(`{}`)
	f.Add(good.Headers["authorization"], "alice", "1795327140")
	f.Add("Bearer e30.e30.c2ln", "", "")
	f.Add(`Bearer e30.eyJzdWIiOiJhIiwic3ViIjoiYiJ9.c2ln`, "a", "1")
	f.Add("a.b.c,d.e.f", "alice", "1")
	f.Fuzz(func(t *testing.T, authorization, sub, iat string) {
		h, _ := newTestHandler(t, &fakeUsers{})
		e := request(`{}`)
		e.Headers["authorization"] = authorization
		claims(e)["sub"], claims(e)["iat"] = sub, iat
		found, err := h.config.callerOf(e, signRequest{}, epoch)
		if err != nil {
			return
		}
		read, err := readToken(e.Headers)
		if got, _ := read.text("sub"); err != nil || got != sub || found.userID == "" ||
			found.authenticatedAt.After(epoch) {
			t.Errorf("%q gives %+v", authorization, found)
		}
	})
}
