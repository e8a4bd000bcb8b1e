package main

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"signedsocket/shared/function"
	"signedsocket/shared/grant"
)

// The sources of the user.
const (
	authModeJWT   = "jwt"   // the HTTP API's JWT authorizer, by a token of an OpenID Connect provider
	authModeIAM   = "iam"   // a trusted caller, which has signed its request and names the user
	authModeGuest = "guest" // a secret that the browser keeps; a request without one is that of a new guest
)

// config is what the function reads from its environment. If a value is missing that the mode needs, the function
// answers every request with errNotConfigured.
type config struct {
	WebSocketURL  string `env:"WEBSOCKET_URL,notEmpty"`
	TableName     string `env:"TABLE_NAME,notEmpty"`
	BansTableName string `env:"BANS_TABLE_NAME,notEmpty"`
	AccountID     string `env:"ACCOUNT_ID,notEmpty"`
	AuthMode      string `env:"AUTH_MODE,notEmpty"`
	OIDCIssuer    string `env:"OIDC_ISSUER"` // needed in mode jwt
	// Clients of the provider whose tokens count, and scopes of which a token must have one, if there are any.
	OIDCClients         []string         `env:"OIDC_CLIENTS"`
	AuthorizationScopes []string         `env:"AUTHORIZATION_SCOPES"`
	StackID             string           `env:"STACK_ID,notEmpty"`
	NameClaim           string           `env:"NAME_CLAIM" envDefault:"name"`
	RoomsClaim          string           `env:"ROOMS_CLAIM"`
	ModeratorClaim      string           `env:"MODERATOR_CLAIM"`     // empty: no token has a moderator
	TrustedCallerARNs   []string         `env:"TRUSTED_CALLER_ARNS"` // needed in mode iam
	DefaultRooms        []string         `env:"DEFAULT_ROOMS,notEmpty"`
	GuestRooms          []string         `env:"GUEST_ROOMS"` // needed in mode guest
	GuestConnections    int              `env:"GUEST_CONNECTIONS" envDefault:"100"`
	URLLifetimeSeconds  int              `env:"URL_LIFETIME_SECONDS" envDefault:"10"`
	SessionMaxSeconds   int              `env:"SESSION_MAX_SECONDS" envDefault:"7200"`
	SessionGraceSeconds int              `env:"SESSION_GRACE_SECONDS" envDefault:"300"`
	ReaperURL           string           `env:"REAPER_URL"` // of the function's invocations, in mode iam
	LambdaEndpoint      string           `env:"AWS_ENDPOINT_URL_LAMBDA"`
	ProofOfPossession   grant.Possession `env:"PROOF_OF_POSSESSION" envDefault:"required"`

	trustedCallers grant.Principals // of TrustedCallerARNs
	leftOut        error            // entries of TrustedCallerARNs that can have no effect
	defaultRooms   rights           // of DefaultRooms
	guestRooms     rights           // of GuestRooms
}

// readConfig returns the configuration, or all problems with it together.
func readConfig(environment map[string]string) (config, error) {
	c, err := function.Read[config](environment)
	if err != nil {
		return config{}, err
	}
	c.defaultRooms, _ = readRights(function.Different(c.DefaultRooms))
	c.guestRooms, _ = readRights(function.Different(c.GuestRooms))
	c.trustedCallers, err = grant.NewPrincipals(c.AccountID, function.Different(c.TrustedCallerARNs))
	if err != nil {
		c.leftOut = fmt.Errorf("TRUSTED_CALLER_ARNS: %w", err)
	}
	return c, errors.Join(c.problems()...)
}

// problems returns the errors in the values.
func (c config) problems() (all []error) {
	const rooms = "different names of a-z, 0-9, _ and -, each with or without :r, separated by commas"
	modes := []string{authModeJWT, authModeIAM, authModeGuest}
	for _, rule := range []struct {
		holds bool
		text  string
	}{
		{slices.Contains(modes, c.AuthMode), "AUTH_MODE must be one of " + strings.Join(modes, ", ")},
		{grant.ValidRooms(c.defaultRooms.rooms()),
			fmt.Sprintf("DEFAULT_ROOMS must be 1 to %d %s", grant.MaxRooms, rooms)},
		{len(c.GuestRooms) == 0 || grant.ValidRooms(c.guestRooms.rooms()),
			fmt.Sprintf("GUEST_ROOMS must be at most %d %s", grant.MaxRooms, rooms)},
		{c.GuestConnections >= 1, "GUEST_CONNECTIONS must be at least 1"},
		{c.URLLifetimeSeconds >= 1 && c.URLLifetimeSeconds <= 60, "URL_LIFETIME_SECONDS must be from 1 to 60"},
		{c.SessionGraceSeconds >= 0, "SESSION_GRACE_SECONDS must be at least 0"},
		{c.SessionMaxSeconds >= 1, "SESSION_MAX_SECONDS must be at least 1"},
	} {
		if !rule.holds {
			all = append(all, errors.New(rule.text))
		}
	}
	return append(all, c.ProofOfPossession.Validate())
}

func (c config) urlLifetime() time.Duration { return time.Duration(c.URLLifetimeSeconds) * time.Second }

// sessionGrace is how long a session may outlive the access token with which it began.
func (c config) sessionGrace() time.Duration {
	return time.Duration(c.SessionGraceSeconds) * time.Second
}

// maxBody is how long the body of a request may be, in bytes.
func (c config) maxBody() int {
	if c.AuthMode == authModeIAM {
		return maxServerBody
	}
	return maxBody
}

func (c config) sessionMax() time.Duration { return time.Duration(c.SessionMaxSeconds) * time.Second }
