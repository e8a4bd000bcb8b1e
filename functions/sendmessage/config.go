package main

import (
	"errors"

	"signedsocket/shared/connections"
	"signedsocket/shared/function"
)

// config is what the function reads from its environment. Lambda itself sets the memory size.
type config struct {
	TableName         string `env:"TABLE_NAME,notEmpty"`
	CallbackURL       string `env:"CALLBACK_URL,notEmpty"`
	StackName         string `env:"STACK_NAME,notEmpty"`
	FanoutURL         string `env:"FANOUT_URL,notEmpty"` // of the function's invocations
	LambdaEndpoint    string `env:"AWS_ENDPOINT_URL_LAMBDA"`
	FanoutThreshold   int    `env:"FANOUT_THRESHOLD" envDefault:"2000"`
	RoomShards        int    `env:"ROOM_SHARDS" envDefault:"1"`
	MessagesPerWindow int    `env:"MESSAGES_PER_WINDOW" envDefault:"20"`
	HistoryDays       int    `env:"HISTORY_DAYS" envDefault:"0"`
	MemoryMB          int    `env:"AWS_LAMBDA_FUNCTION_MEMORY_SIZE" envDefault:"256"`
}

func (c config) limits() connections.Limits {
	return connections.Limits{MessagesPerWindow: c.MessagesPerWindow, RoomShards: c.RoomShards}
}

// readConfig returns the configuration, or all problems with it together.
func readConfig(environment map[string]string) (config, error) {
	c, err := function.Read[config](environment)
	if err != nil {
		return config{}, err
	}
	var problems []error
	if c.RoomShards < 1 {
		problems = append(problems, errors.New("ROOM_SHARDS must be at least 1"))
	}
	if c.MessagesPerWindow < 1 {
		problems = append(problems, errors.New("MESSAGES_PER_WINDOW must be at least 1"))
	}
	if c.FanoutThreshold < 1 {
		problems = append(problems, errors.New("FANOUT_THRESHOLD must be at least 1"))
	}
	if c.HistoryDays < 0 {
		problems = append(problems, errors.New("HISTORY_DAYS must be at least 0"))
	}
	return c, errors.Join(problems...)
}
