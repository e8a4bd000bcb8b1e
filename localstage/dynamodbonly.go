package localstage

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"time"

	"signedsocket/localstage/internal/dynamodb"
)

// stopDynamoDB bounds the wait for requests under way when ServeDynamoDB ends.
const stopDynamoDB = 2 * time.Second

// ServeDynamoDB serves the built-in DynamoDB engine alone, without a template, functions or policies, until ctx ends.
// It accepts every signature, as DynamoDB Local does. Of c it takes Listen, State, TimeToLive, Clock, the faults of
// DynamoDB and Log; a State is required. It calls ready with the engine's address once the engine answers.
func ServeDynamoDB(ctx context.Context, c Config, ready func(address string) error) error {
	c = c.withDefaults()
	engine, err := openDynamoDB(c)
	if err != nil {
		return err
	}
	base, err := loopbackAddress(c.Listen)
	if err != nil {
		return errors.Join(err, engine.Close())
	}
	listener, err := new(net.ListenConfig).Listen(ctx, "tcp", base.String())
	if err != nil {
		problem := fmt.Errorf("listen on %s: %w (choose another address with --listen)", base, err)
		return errors.Join(problem, engine.Close())
	}
	server := &http.Server{
		Handler:           onlyLoopbackHosts(dynamodb.NewInjector(engine, c.Faults.dynamoDB())),
		ReadHeaderTimeout: 10 * time.Second,
		ErrorLog:          slog.NewLogLogger(c.Log.Handler(), slog.LevelWarn),
	}
	served := make(chan error, 1)
	go func() { served <- server.Serve(listener) }()
	if err := ready("http://" + listener.Addr().String()); err != nil {
		return errors.Join(err, server.Close(), engine.Close())
	}
	select {
	case err = <-served:
	case <-ctx.Done():
		stopping, cancel := context.WithTimeout(context.WithoutCancel(ctx), stopDynamoDB)
		defer cancel()
		if err = server.Shutdown(stopping); errors.Is(err, context.DeadlineExceeded) {
			err = server.Close()
		}
	}
	return errors.Join(err, engine.Close())
}

// openDynamoDB opens the engine's file in the state folder.
func openDynamoDB(c Config) (*dynamodb.Engine, error) {
	if err := os.MkdirAll(c.State, 0o700); err != nil {
		return nil, fmt.Errorf("make the state folder: %w (choose another with --state)", err)
	}
	file := filepath.Join(c.State, "dynamodb.db")
	return dynamodb.Open(dynamodb.Options{
		Path: file, Clock: c.Clock, TTL: c.TimeToLive, Faults: c.Faults.dynamoDB(), Log: c.Log,
	})
}
