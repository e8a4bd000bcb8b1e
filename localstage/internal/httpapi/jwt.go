package httpapi

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/coreos/go-oidc/v3/oidc"
	"github.com/go-jose/go-jose/v4"
)

// JWTAuthorizer is the configuration of a route's JWT authorizer.
type JWTAuthorizer struct {
	Issuer         string   // must equal the token's iss; its discovery document names the keys
	Audience       []string // one must be the token's aud, or its client_id when it has no aud
	IdentitySource string   // $request.header.Authorization when empty, or $request.querystring.name
}

// keysLifetime is the time for which the issuer's public keys are cached.
// Source: API Gateway developer guide, "Control access to HTTP APIs with JWT authorizers".
const keysLifetime = 2 * time.Hour

// jwtAuthorizer checks tokens.
type jwtAuthorizer struct {
	JWTAuthorizer
	client *http.Client
	now    func() time.Time

	mu      sync.Mutex // guards the fields below
	keys    oidc.KeySet
	fetched time.Time
}

// tokenError is the reason why a token is refused, in the terms of the www-authenticate header. It never holds any part
// of the token.
type tokenError struct {
	code        string // invalid_token or insufficient_scope; empty when the request has no token
	description string
	cause       error // error of the request for keys or of their use, else nil
}

func (e *tokenError) Error() string {
	if e.cause != nil {
		return e.description + ": " + e.cause.Error()
	}
	return e.description
}

func invalidToken(description string) *tokenError {
	return &tokenError{code: "invalid_token", description: description}
}

// rsaAlgorithms are the algorithms that API Gateway supports ("only RSA-based algorithms").
func rsaAlgorithms() []jose.SignatureAlgorithm {
	return []jose.SignatureAlgorithm{jose.RS256, jose.RS384, jose.RS512}
}

func newJWTAuthorizer(config *JWTAuthorizer, c Config) (*jwtAuthorizer, error) {
	switch {
	case config == nil || config.Issuer == "":
		return nil, errors.New("JWT authorization needs an issuer")
	case len(config.Audience) == 0:
		return nil, errors.New("JWT authorization needs an audience")
	}
	authorizer := &jwtAuthorizer{JWTAuthorizer: *config, client: c.Client, now: c.Now}
	authorizer.IdentitySource = cmp.Or(authorizer.IdentitySource, "$request.header.Authorization")
	if _, _, ok := splitIdentitySource(authorizer.IdentitySource); !ok {
		return nil, fmt.Errorf("identity source %q: it must be $request.header.NAME or $request.querystring.NAME",
			config.IdentitySource)
	}
	return authorizer, nil
}

func splitIdentitySource(source string) (kind, name string, ok bool) {
	rest, ok := strings.CutPrefix(source, "$request.")
	kind, name, found := strings.Cut(rest, ".")
	return kind, name, ok && found && name != "" && (kind == "header" || kind == "querystring")
}

// identity returns the token of the request: the identity source's value, with or without the prefix "Bearer". A
// repeated source counts as no token.
func (a *jwtAuthorizer) identity(r *http.Request) string {
	kind, name, _ := splitIdentitySource(a.IdentitySource)
	values := r.Header.Values(name)
	if kind == "querystring" {
		values = r.URL.Query()[name]
	}
	if len(values) != 1 {
		return ""
	}
	return bearerToken(values[0])
}

func bearerToken(value string) string {
	value = strings.TrimSpace(value)
	if scheme, token, found := strings.Cut(value, " "); found && strings.EqualFold(scheme, "Bearer") {
		return strings.TrimSpace(token)
	}
	if strings.EqualFold(value, "Bearer") {
		return ""
	}
	return value
}

// authorize checks the request's token in the order that AWS documents: signature,
// iss, aud or client_id, exp, nbf, iat, scopes. There is no allowance for clock skew.
// Source: API Gateway developer guide, "Control access to HTTP APIs with JWT authorizers".
func (a *jwtAuthorizer) authorize(r *http.Request, scopes []string) (*eventJWT, *tokenError) {
	token := a.identity(r)
	if token == "" {
		return nil, &tokenError{description: "no token"}
	}
	claims, refused := a.verify(r.Context(), token)
	if refused != nil {
		return nil, refused
	}
	if refused := a.checkAudience(claims); refused != nil {
		return nil, refused
	}
	if refused := a.checkTimes(claims); refused != nil {
		return nil, refused
	}
	granted := &eventJWT{Claims: make(map[string]string, len(claims))}
	for name, value := range claims {
		granted.Claims[name] = claimText(value)
	}
	if len(scopes) > 0 {
		granted.Scopes = tokenScopes(claims)
		if !slices.ContainsFunc(scopes, func(s string) bool { return slices.Contains(granted.Scopes, s) }) {
			return nil, &tokenError{code: "insufficient_scope", description: "the token has none of the scopes"}
		}
	}
	return granted, nil
}

// verify checks the form, the algorithm, the key and the issuer, and returns the claims.
func (a *jwtAuthorizer) verify(ctx context.Context, token string) (map[string]any, *tokenError) {
	if strings.Count(token, ".") != 2 {
		return nil, invalidToken("token contains an invalid number of segments")
	}
	parsed, err := jose.ParseSignedCompact(token, rsaAlgorithms())
	if err != nil {
		return nil, invalidToken("the token cannot be read, or its algorithm is not supported")
	}
	if parsed.Signatures[0].Header.KeyID == "" {
		return nil, invalidToken("the token names no key")
	}
	keys, err := a.issuerKeys(ctx)
	if err != nil {
		return nil,
			&tokenError{code: "invalid_token", description: "OIDC discovery endpoint communication error", cause: err}
	}
	// Only signature and key are left to go-oidc: it would allow five minutes for nbf, and knows no client_id.
	verifier := oidc.NewVerifier(a.Issuer, keys, &oidc.Config{
		SupportedSigningAlgs: []string{oidc.RS256, oidc.RS384, oidc.RS512},
		SkipIssuerCheck:      true, SkipClientIDCheck: true, SkipExpiryCheck: true,
	})
	verified, err := verifier.Verify(oidc.ClientContext(ctx, a.client), token)
	if err != nil {
		return nil, &tokenError{code: "invalid_token", description: "the token cannot be verified", cause: err}
	}
	claims, err := decodeClaims(verified)
	if err != nil {
		return nil, invalidToken("the token's claims cannot be read")
	}
	if claims["iss"] != a.Issuer {
		return nil, invalidToken("issuer does not match")
	}
	return claims, nil
}

// issuerKeys discovers the address of the issuer's keys, on first use and when the last answer is too old. It keeps no
// failure: the next token makes a new attempt.
func (a *jwtAuthorizer) issuerKeys(ctx context.Context) (oidc.KeySet, error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.keys != nil && a.now().Sub(a.fetched) < keysLifetime {
		return a.keys, nil
	}
	ctx = oidc.ClientContext(context.WithoutCancel(ctx), a.client)
	provider, err := oidc.NewProvider(ctx, a.Issuer)
	if err != nil {
		return nil, fmt.Errorf("discover issuer %s: %w", a.Issuer, err)
	}
	var document struct {
		JWKSURI string `json:"jwks_uri"`
	}
	if err := provider.Claims(&document); err != nil {
		return nil, fmt.Errorf("discover issuer %s: %w", a.Issuer, err)
	}
	a.keys, a.fetched = oidc.NewRemoteKeySet(ctx, document.JWKSURI), a.now()
	return a.keys, nil
}

// tokenRefused returns the gateway's answer to a refused token: 401, or 403 for a missing scope. The captures on AWS
// show no content type on the 401.
// Source: API Gateway developer guide, "Troubleshooting issues with HTTP API JWT authorizers".
func (a *API) tokenRefused(matched *route, refused *tokenError) *response {
	a.config.Log.Info("HTTP API refused a token", slog.String("routeKey", matched.key), slog.Any("reason", refused))
	answer := gatewayAnswer(http.StatusUnauthorized, "Unauthorized")
	if refused.code == "insufficient_scope" {
		answer = gatewayAnswer(http.StatusForbidden, "Forbidden")
	} else {
		delete(answer.headers, "content-type")
	}
	answer.headers["www-authenticate"] = "Bearer"
	if refused.code != "" {
		answer.headers["www-authenticate"] = fmt.Sprintf(`Bearer scope="%s" error="%s" error_description="%s"`,
			strings.Join(matched.scopes, " "), refused.code, refused.description)
	}
	return answer
}
