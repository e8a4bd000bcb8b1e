package main

import (
	"errors"

	"signedsocket/shared/function"
)

// config is what the function reads from its environment. Lambda itself sets the memory size.
type config struct {
	TableName     string `env:"TABLE_NAME,notEmpty"`
	CallbackURL   string `env:"CALLBACK_URL,notEmpty"`
	StackName     string `env:"STACK_NAME,notEmpty"`
	HistoryDays   int    `env:"HISTORY_DAYS" envDefault:"0"`
	PresenceLimit int    `env:"PRESENCE_LIMIT" envDefault:"0"`
	RoomShards    int    `env:"ROOM_SHARDS" envDefault:"1"`
	MemoryMB      int    `env:"AWS_LAMBDA_FUNCTION_MEMORY_SIZE" envDefault:"256"`
}

// readConfig returns the configuration, or all problems with it together.
func readConfig(environment map[string]string) (config, error) {
	c, err := function.Read[config](environment)
	if err != nil {
		return config{}, err
	}
	var problems []error
	if c.HistoryDays < 0 {
		problems = append(problems, errors.New("HISTORY_DAYS must be at least 0"))
	}
	if c.PresenceLimit < 0 {
		problems = append(problems, errors.New("PRESENCE_LIMIT must be at least 0"))
	}
	if c.RoomShards < 1 {
		problems = append(problems, errors.New("ROOM_SHARDS must be at least 1"))
	}
	return c, errors.Join(problems...)
}
