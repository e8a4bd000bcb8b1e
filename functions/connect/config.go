package main

import (
	"errors"
	"fmt"
	"maps"

	"signedsocket/shared/connections"
	"signedsocket/shared/function"
	"signedsocket/shared/grant"
)

// config is what the function reads from its environment.
type config struct {
	TableName          string           `env:"TABLE_NAME,notEmpty"`
	BansTableName      string           `env:"BANS_TABLE_NAME,notEmpty"`
	CallbackURL        string           `env:"CALLBACK_URL,notEmpty"`
	AccountID          string           `env:"ACCOUNT_ID,notEmpty"`
	SignerCaller       string           `env:"SIGNER_CALLER,notEmpty"`
	ExtraSignerARNs    []string         `env:"EXTRA_SIGNER_ARNS"`
	FrontendOrigin     string           `env:"FRONTEND_ORIGIN,notEmpty"`
	AllowedOrigins     []string         `env:"ALLOWED_ORIGINS"`
	ProofOfPossession  grant.Possession `env:"PROOF_OF_POSSESSION" envDefault:"required"`
	ConnectionsPerUser int              `env:"CONNECTIONS_PER_USER" envDefault:"5"`
	GuestConnections   int              `env:"GUEST_CONNECTIONS" envDefault:"100"`
	RoomShards         int              `env:"ROOM_SHARDS" envDefault:"1"`

	signers signers // SignerCaller and ExtraSignerARNs
	origins origins // FrontendOrigin and AllowedOrigins
	leftOut error   // entries of ExtraSignerARNs and AllowedOrigins that can have no effect
}

func (c config) tables() connections.Tables {
	return connections.Tables{Connections: c.TableName, Bans: c.BansTableName}
}

func (c config) limits() connections.Limits {
	return connections.Limits{
		ConnectionsPerUser: c.ConnectionsPerUser, GuestConnections: c.GuestConnections, RoomShards: c.RoomShards,
	}
}

// readConfig returns the configuration, or all problems with it together.
func readConfig(environment map[string]string) (config, error) {
	c, err := function.Read[config](environment)
	problems := []error{err}
	if err == nil {
		problems = append(problems, c.validate()...)
	}
	var noSigners error
	c.signers, noSigners, err = newSigners(c.AccountID, c.SignerCaller, function.Different(c.ExtraSignerARNs))
	c.leftOut = errors.Join(c.leftOut, noSigners)
	return c, errors.Join(append(problems, err)...)
}

// validate checks the values, and makes the set of origins from them.
func (c *config) validate() (problems []error) {
	for name, number := range map[string]int{
		"CONNECTIONS_PER_USER": c.ConnectionsPerUser, "GUEST_CONNECTIONS": c.GuestConnections,
		"ROOM_SHARDS": c.RoomShards,
	} {
		if number < 1 {
			problems = append(problems, fmt.Errorf("%s must be at least 1", name))
		}
	}
	page, err := newOrigins(c.FrontendOrigin)
	if err != nil {
		problems = append(problems, fmt.Errorf("FRONTEND_ORIGIN: %w", err))
	}
	c.origins, err = newOrigins(function.Different(c.AllowedOrigins)...)
	if err != nil {
		c.leftOut = fmt.Errorf("ALLOWED_ORIGINS: %w", err)
	}
	maps.Copy(c.origins, page)
	return append(problems, c.ProofOfPossession.Validate())
}
