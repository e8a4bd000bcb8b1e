package httpapi

import (
	"bytes"
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"github.com/coreos/go-oidc/v3/oidc"
)

// decodeClaims keeps numbers as the issuer wrote them.
func decodeClaims(token *oidc.IDToken) (map[string]any, error) {
	var payload json.RawMessage
	if err := token.Claims(&payload); err != nil {
		return nil, fmt.Errorf("decode claims: %w", err)
	}
	claims := map[string]any{}
	decoder := json.NewDecoder(bytes.NewReader(payload))
	decoder.UseNumber()
	if err := decoder.Decode(&claims); err != nil {
		return nil, fmt.Errorf("decode claims: %w", err)
	}
	return claims, nil
}

func (a *jwtAuthorizer) checkAudience(claims map[string]any) *tokenError {
	claimed, present := claims["aud"]
	if !present {
		claimed = claims["client_id"]
	}
	for _, audience := range texts(claimed) {
		if slices.Contains(a.Audience, audience) {
			return nil
		}
	}
	return invalidToken("the token does not have a valid audience")
}

func (a *jwtAuthorizer) checkTimes(claims map[string]any) *tokenError {
	now := float64(a.now().UnixMilli()) / 1000
	switch exp, state := seconds(claims["exp"]); {
	case state != numeric:
		return invalidToken("the token does not say when it expires")
	case exp <= now:
		return invalidToken("the token has expired")
	}
	for _, name := range []string{"nbf", "iat"} {
		switch at, state := seconds(claims[name]); {
		case state == malformed, state == numeric && at > now:
			return invalidToken("the token is not valid yet (" + name + ")")
		}
	}
	return nil
}

type claimState int

const (
	absent claimState = iota
	numeric
	malformed
)

func seconds(claim any) (float64, claimState) {
	if claim == nil {
		return 0, absent
	}
	number, ok := claim.(json.Number)
	if !ok {
		return 0, malformed
	}
	value, err := number.Float64()
	if err != nil {
		return 0, malformed
	}
	return value, numeric
}

// tokenScopes returns the scopes of the claim scope (space separated) or scp (also a list).
func tokenScopes(claims map[string]any) []string {
	var scopes []string
	for _, name := range []string{"scope", "scp"} {
		for _, text := range texts(claims[name]) {
			scopes = append(scopes, strings.Fields(text)...)
		}
	}
	return scopes
}

// texts returns the strings of a claim that is a string or a list of them.
func texts(claim any) []string {
	switch v := claim.(type) {
	case string:
		return []string{v}
	case []any:
		var all []string
		for _, element := range v {
			if text, ok := element.(string); ok {
				all = append(all, text)
			}
		}
		return all
	}
	return nil
}

// claimText returns a claim as the event carries it, always a string: numbers in their decimal text, booleans as words,
// an array as "[a b]" and, inferred from that form, an object as "map[name:value]".
// Source: observed (aws-solutions-library-samples/guidance-for-claude-code-with-amazon-bedrock issue 802).
func claimText(claim any) string { return fmt.Sprint(claim) }
