package schedule

import (
	"strings"
	"testing"
	"time"
)

func TestPeriod(t *testing.T) {
	t.Parallel()
	for expression, want := range map[string]time.Duration{
		"rate(1 minute)":    time.Minute,
		"rate(5 minutes)":   5 * time.Minute,
		"rate(1 hour)":      time.Hour,
		"rate(12 hours)":    12 * time.Hour,
		"rate(1 day)":       24 * time.Hour,
		"rate(65535 days)":  65535 * 24 * time.Hour,
		"rate( 2  minutes)": 2 * time.Minute,
	} {
		if got, err := period(expression); got != want || err != nil {
			t.Errorf("period(%q) = %s, %v, want %s", expression, got, err, want)
		}
	}
}

func TestPeriodRefuses(t *testing.T) {
	t.Parallel()
	for expression, want := range map[string]string{
		"":                        "write it as rate(5 minutes)",
		"1 minute":                "write it as rate(5 minutes)",
		"rate(1 minute":           "write it as rate(5 minutes)",
		"Rate(1 minute)":          "write it as rate(5 minutes)",
		"rate()":                  "a value and a unit",
		"rate(1minute)":           "a value and a unit",
		"rate(1 2 minutes)":       "a value and a unit",
		"rate(0 minutes)":         "whole number",
		"rate(-1 minutes)":        "whole number",
		"rate(+1 minute)":         "whole number",
		"rate(1.5 minutes)":       "whole number",
		"rate(65536 minutes)":     "whole number",
		"rate(1 minutes)":         "the unit must be",
		"rate(5 minute)":          "the unit must be",
		"rate(2 minutess)":        "the unit must be",
		"rate(1 second)":          "the unit must be",
		"rate(1 week)":            "the unit must be",
		"cron(0 12 * * ? *)":      "has the form cron(…)",
		"at(2026-11-22T06:00:00)": "has the form at(…)",
		"cron":                    "has the form cron(…)",
	} {
		if got, err := period(expression); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("period(%q) = %s, %v, want %q", expression, got, err, want)
		}
	}
}
