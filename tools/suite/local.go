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

// startLocal starts a local stage as a deployment for tests is made: with an extra signer, and without a limit that
// tests would reach. It returns the variables of a test run that knows of the stage only what a deployed one shows.
func startLocal(ctx context.Context) (environment []string, end func() error, err error) {
	folder, err := os.MkdirTemp("", "signedsocket-suite-")
	if err != nil {
		return nil, nil, err
	}
	stage, err := localstage.New(context.WithoutCancel(ctx), localstage.Config{
		Template: "template.yaml", State: folder, Without: []string{"FrontendFunction"},
		Logs: io.Discard, Log: slog.New(slog.DiscardHandler),
		Parameters: map[string]string{
			"ExtraSignerArns": "arn:aws:iam::111122223333:user/admin", "DeployFrontend": "false",
			"MessagesPerWindow": "1000", "UrlLifetimeSeconds": "60",
		},
	})
	if err != nil {
		return nil, nil, errors.Join(fmt.Errorf("start the local stage: %w", err), os.RemoveAll(folder))
	}
	end = func() error {
		ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
		defer cancel()
		return errors.Join(stage.Close(ctx), os.RemoveAll(folder))
	}
	outputs := filepath.Join(folder, "deployed.json")
	data, err := json.Marshal(stage.Outputs().Template)
	if err := errors.Join(err, os.WriteFile(outputs, data, 0o600)); err != nil {
		return nil, nil, errors.Join(err, end())
	}
	only := stage.Outputs().Local
	const command = `curl --silent --fail "%s?user=$%s" | sed 's/.*"access_token":"\([^"]*\)".*/\1/'`
	return []string{
		stageclient.OutputsVariable + "=" + outputs,
		stageclient.TokenCommandVariable + "=" + fmt.Sprintf(command, only.DevTokenURL, stageclient.UserVariable),
		"AWS_SHARED_CREDENTIALS_FILE=" + only.CredentialsFile, "AWS_CONFIG_FILE=" + os.DevNull,
		"AWS_PROFILE=admin", "AWS_REGION=us-east-1",
		"AWS_ENDPOINT_URL_DYNAMODB=" + only.DynamoDBURL, "AWS_ENDPOINT_URL_LAMBDA=" + only.LambdaURL,
	}, end, nil
}
