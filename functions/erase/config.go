package main

import "time"

// pageTime is more than the erasure of one page of a log takes. With less time left the function returns, and its
// caller goes on with the cursor.
const pageTime = 15 * time.Second

// config is what the function reads from its environment.
type config struct {
	TableName   string `env:"TABLE_NAME,notEmpty"`
	HistoryDays int    `env:"HISTORY_DAYS" envDefault:"0"`
	OIDCIssuer  string `env:"OIDC_ISSUER"` // with StackID part of the ids of some users, see package userid
	StackID     string `env:"STACK_ID,notEmpty"`
}
