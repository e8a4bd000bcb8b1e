package main

import (
	"errors"

	"signedsocket/shared/function"
)

// config is what the function reads from its environment.
type config struct {
	TableName   string `env:"TABLE_NAME,notEmpty"`
	CallbackURL string `env:"CALLBACK_URL,notEmpty"`
	StackName   string `env:"STACK_NAME,notEmpty"`
	HistoryDays int    `env:"HISTORY_DAYS" envDefault:"0"`
}

// readConfig returns the configuration, or all problems with it together.
func readConfig(environment map[string]string) (config, error) {
	c, err := function.Read[config](environment)
	if err == nil && c.HistoryDays < 0 {
		err = errors.New("HISTORY_DAYS must be at least 0")
	}
	return c, err
}
