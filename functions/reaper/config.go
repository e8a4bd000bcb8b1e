package main

import "time"

const (
	// concurrency is how many connections the reaper handles at the same time.
	concurrency = 32
	// byeTimeout limits the time for a bye frame. A client that does not read is closed without one.
	byeTimeout = 2 * time.Second
)

// config is what the function reads from its environment.
type config struct {
	TableName      string `env:"TABLE_NAME,notEmpty"`
	BansTableName  string `env:"BANS_TABLE_NAME,notEmpty"`
	RevocationDays int    `env:"REVOCATION_DAYS" envDefault:"400"`
	CallbackURL    string `env:"CALLBACK_URL,notEmpty"`
	OIDCIssuer     string `env:"OIDC_ISSUER"` // with StackID part of the ids of some users, see package userid
	StackID        string `env:"STACK_ID,notEmpty"`
}
