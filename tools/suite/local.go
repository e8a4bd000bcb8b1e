package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"time"

	"signedsocket/internal/stageclient"
	"signedsocket/localstage"
)

// closeWithin bounds the end of the local stage.
const closeWithin = 10 * time.Second

// local is a local stage that shows only what a deployed one has.
type local struct {
	stage  *localstage.Stage
	folder string
}

// startLocal starts it, as a deployment for tests is made: with an extra signer, and without a limit that tests would reach.
func startLocal(ctx context.Context) (*local, error) {
	folder, err := os.MkdirTemp("", "signedsocket-suite-")
	if err != nil {
		return nil, fmt.Errorf("make a folder for the local stage: %w", err)
	}
	stage, err := localstage.New(context.WithoutCancel(ctx), localstage.Config{
		Template: "template.yaml", State: folder, Without: []string{"FrontendFunction"}, Logs: io.Discard, Log: slog.New(slog.DiscardHandler),
		Parameters: map[string]string{
			"ExtraSignerArns": "arn:aws:iam::111122223333:user/admin", "DeployFrontend": "false",
			"MessagesPerWindow": "1000", "UrlLifetimeSeconds": "60",
		},
	})
	if err != nil {
		return nil, errors.Join(fmt.Errorf("start the local stage: %w", err), os.RemoveAll(folder))
	}
	l := &local{stage: stage, folder: folder}
	if err := l.writeOutputs(); err != nil {
		return nil, errors.Join(err, l.close())
	}
	return l, nil
}

func (l *local) outputs() string { return filepath.Join(l.folder, "deployed.json") }

// writeOutputs writes the template's own outputs, as a deployed stack has them.
func (l *local) writeOutputs() error {
	data, err := json.Marshal(l.stage.Outputs().Template)
	if err != nil {
		return fmt.Errorf("encode outputs: %w", err)
	}
	if err := os.WriteFile(l.outputs(), data, 0o600); err != nil {
		return fmt.Errorf("write outputs: %w", err)
	}
	return nil
}

// environment returns the variables of a test run against a deployed stage.
func (l *local) environment() []string {
	only := l.stage.Outputs().Local
	return []string{
		stageclient.OutputsVariable + "=" + l.outputs(),
		stageclient.TokenCommandVariable + `=curl --silent --fail "` + only.DevTokenURL + `?user=$` + stageclient.UserVariable + `" | sed 's/.*"access_token":"\([^"]*\)".*/\1/'`,
		"AWS_SHARED_CREDENTIALS_FILE=" + only.CredentialsFile, "AWS_CONFIG_FILE=" + os.DevNull, "AWS_PROFILE=admin", "AWS_REGION=us-east-1",
		"AWS_ENDPOINT_URL_DYNAMODB=" + only.DynamoDBURL, "AWS_ENDPOINT_URL_LAMBDA=" + only.LambdaURL,
	}
}

func (l *local) close() error {
	ctx, cancel := context.WithTimeout(context.Background(), closeWithin)
	defer cancel()
	return errors.Join(l.stage.Close(ctx), os.RemoveAll(l.folder))
}
