package schedule

import (
	"crypto/rand"
	"encoding/json"
	"strings"
	"time"

	"github.com/google/uuid"
)

// timeFormat is the form of times in events, in UTC.
const timeFormat = "2006-01-02T15:04:05Z"

// scheduledEvent is the event for a target without Input.
// Source: observed, for both services; only EventBridge Scheduler's detail is a text.
type scheduledEvent struct {
	Version    string   `json:"version"`
	ID         string   `json:"id"`
	DetailType string   `json:"detail-type"`
	Source     string   `json:"source"`
	Account    string   `json:"account"`
	Time       string   `json:"time"`
	Region     string   `json:"region"`
	Resources  []string `json:"resources"`
	Detail     any      `json:"detail"`
}

// event returns the event for the run of s at now.
func (s *entry) event(now time.Time) []byte {
	at := now.UTC().Format(timeFormat)
	switch {
	case s.Input == "":
		return s.defaultEvent(at)
	case s.service == serviceScheduler:
		return s.withAttributes(at)
	}
	return []byte(s.Input)
}

func (s *entry) defaultEvent(at string) []byte {
	e := scheduledEvent{
		Version:    "0",
		ID:         uuid.NewString(),
		DetailType: "Scheduled Event",
		Source:     "aws." + s.service,
		Account:    s.account,
		Time:       at,
		Region:     s.region,
		Resources:  []string{s.ARN},
		Detail:     struct{}{},
	}
	if s.service == serviceScheduler {
		e.Detail = "{}"
	}
	data, _ := json.Marshal(e) // texts always marshal
	return data
}

// withAttributes returns the Input with its context attributes replaced. The attempt is always the first: the target
// takes every event at once, and Lambda repeats failed invocations.
// Source: EventBridge Scheduler user guide, "Adding context attributes in
// EventBridge Scheduler".
func (s *entry) withAttributes(at string) []byte {
	return []byte(strings.NewReplacer(
		"<aws.scheduler.schedule-arn>", s.ARN,
		"<aws.scheduler.scheduled-time>", at,
		"<aws.scheduler.execution-id>", strings.ToLower(rand.Text()[:16]),
		"<aws.scheduler.attempt-number>", "1",
	).Replace(s.Input))
}
