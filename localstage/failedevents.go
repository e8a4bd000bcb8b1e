package localstage

import (
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"slices"

	"signedsocket/localstage/internal/lambdaapi"
	"signedsocket/localstage/internal/policy"
	"signedsocket/localstage/internal/template"
)

// FailedEvents returns the path of a file with one JSON document a line: the records of events that Lambda gave up and
// sent to the queue with that logical id. The file exists from the first record on.
func (s *Stage) FailedEvents(queue string) string {
	return filepath.Join(s.config.State, "failed-events", queue+".jsonl")
}

// eventInvokeConfig returns the template's configuration of a function's asynchronous invocations.
func (s *Stage) eventInvokeConfig(f template.Function, identities *principals) lambdaapi.EventInvokeConfig {
	at := slices.IndexFunc(s.template.EventInvokeConfigs,
		func(c template.EventInvokeConfig) bool { return c.Function == f.LogicalID })
	if at < 0 {
		return lambdaapi.EventInvokeConfig{}
	}
	written := s.template.EventInvokeConfigs[at]
	config := lambdaapi.EventInvokeConfig{MaximumEventAge: written.MaximumEventAge}
	if written.MaximumRetryAttempts >= 0 {
		config.MaximumRetryAttempts = &written.MaximumRetryAttempts
	}
	if written.OnFailure == "" {
		return config
	}
	log := s.config.Log.With(slog.String("function", f.LogicalID), slog.String("destination", written.OnFailure))
	// Lambda sends the record with the permissions of the function's role.
	// Source: Lambda developer guide, "Capturing records of Lambda asynchronous invocations".
	if !identities.byFunction[f.LogicalID].Allows(policy.Request{
		Action: "sqs:SendMessage", Resource: written.OnFailureARN,
	}).Allowed() {
		log.Warn("the function's role may not send to its on-failure destination: its failed events are lost")
		return config
	}
	config.OnFailure = func(record []byte) {
		if err := appendLine(s.FailedEvents(written.OnFailure), record); err != nil {
			log.Error("an event that was given up is lost", "error", err)
			return
		}
		log.Warn("an event that was given up is kept", "file", s.FailedEvents(written.OnFailure))
	}
	return config
}

// appendLine adds a line to a file that only this user may read: an event holds data of its sender. One write adds the
// whole line, so several goroutines may add lines at the same time.
func appendLine(path string, line []byte) error {
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return fmt.Errorf("make the folder of failed events: %w", err)
	}
	//nolint:gosec // a developer names the file
	file, err := os.OpenFile(path, os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o600)
	if err != nil {
		return fmt.Errorf("open the file of failed events: %w", err)
	}
	_, err = file.Write(append(line, '\n'))
	if closed := file.Close(); err == nil {
		err = closed
	}
	return err
}
