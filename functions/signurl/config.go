package main

import (
	"errors"
	"fmt"
	"time"

	"github.com/caarlos0/env/v11"

	"signedsocket/shared/grant"
)

// authModeJWT means that the HTTP API's JWT authorizer vouches for the user.
const authModeJWT = "jwt"

// config is what the function reads from its environment.
type config struct {
	WebSocketURL       string   `env:"WEBSOCKET_URL,notEmpty"`
	TableName          string   `env:"TABLE_NAME,notEmpty"`
	AuthMode           string   `env:"AUTH_MODE,notEmpty"`
	DefaultRooms       []string `env:"DEFAULT_ROOMS,notEmpty"`
	NameClaim          string   `env:"NAME_CLAIM" envDefault:"name"`
	RoomsClaim         string   `env:"ROOMS_CLAIM"`
	URLLifetimeSeconds int      `env:"URL_LIFETIME_SECONDS" envDefault:"10"`
	SessionMaxSeconds  int      `env:"SESSION_MAX_SECONDS" envDefault:"7200"`
}

// readConfig returns the configuration, or all problems with it together.
func readConfig(environment map[string]string) (config, error) {
	c, err := env.ParseAsWithOptions[config](env.Options{Environment: environment})
	if err != nil {
		return config{}, err
	}
	var problems []error
	if c.AuthMode != authModeJWT {
		problems = append(problems, fmt.Errorf("AUTH_MODE must be %s", authModeJWT))
	}
	if !grant.ValidRooms(c.DefaultRooms) {
		problems = append(problems, fmt.Errorf("DEFAULT_ROOMS must be 1 to %d different names of a-z, 0-9, _ and -, separated by commas", grant.MaxRooms))
	}
	if c.URLLifetimeSeconds < 1 || c.URLLifetimeSeconds > 60 {
		problems = append(problems, errors.New("URL_LIFETIME_SECONDS must be from 1 to 60"))
	}
	if c.SessionMaxSeconds < 1 {
		problems = append(problems, errors.New("SESSION_MAX_SECONDS must be at least 1"))
	}
	return c, errors.Join(problems...)
}

func (c config) urlLifetime() time.Duration { return time.Duration(c.URLLifetimeSeconds) * time.Second }

func (c config) sessionMax() time.Duration { return time.Duration(c.SessionMaxSeconds) * time.Second }
