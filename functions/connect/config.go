package main

import (
	"errors"

	"github.com/caarlos0/env/v11"
)

// config is what the function reads from its environment.
type config struct {
	TableName          string   `env:"TABLE_NAME,notEmpty"`
	AccountID          string   `env:"ACCOUNT_ID,notEmpty"`
	SignerCaller       string   `env:"SIGNER_CALLER,notEmpty"`
	ExtraSignerARNs    []string `env:"EXTRA_SIGNER_ARNS"`
	ConnectionsPerUser int      `env:"CONNECTIONS_PER_USER" envDefault:"5"`
	RoomShards         int      `env:"ROOM_SHARDS" envDefault:"1"`
}

// readConfig returns the configuration and the signers that it names. All problems are reported
// together.
func readConfig(environment map[string]string) (config, signers, error) {
	c, err := env.ParseAsWithOptions[config](env.Options{Environment: environment})
	problems := []error{err}
	if err == nil && c.ConnectionsPerUser < 1 {
		problems = append(problems, errors.New("CONNECTIONS_PER_USER must be at least 1"))
	}
	if err == nil && c.RoomShards < 1 {
		problems = append(problems, errors.New("ROOM_SHARDS must be at least 1"))
	}
	signers, err := newSigners(c.AccountID, c.SignerCaller, c.ExtraSignerARNs)
	return c, signers, errors.Join(append(problems, err)...)
}
