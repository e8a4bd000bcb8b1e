package schedule

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"
)

// errNotRate is the error for the two kinds of expression beside rate.
var errNotRate = errors.New("the local stage runs rate(…) only: write the schedule as rate(5 minutes), or invoke " +
	"the function yourself with aws lambda invoke")

// period returns the period of a schedule expression.
// Source: EventBridge user guide, "Rate expressions reference"; that EventBridge
// Scheduler is as strict about singular and plural is assumed.
func period(expression string) (time.Duration, error) {
	kind, rest, _ := strings.Cut(expression, "(")
	body, closed := strings.CutSuffix(rest, ")")
	switch {
	case kind == "cron" || kind == "at":
		return 0, fmt.Errorf("schedule expression %q has the form %s(…): %w", expression, kind, errNotRate)
	case kind != "rate" || !closed:
		return 0, fmt.Errorf("schedule expression %q: write it as rate(5 minutes)", expression)
	}
	fields := strings.Fields(body)
	if len(fields) != 2 {
		return 0, fmt.Errorf("schedule expression %q: a rate has a value and a unit, as rate(5 minutes)", expression)
	}
	value, err := strconv.ParseUint(fields[0], 10, 16) // 65,535 days still fit a time.Duration
	if err != nil || value == 0 {
		return 0, fmt.Errorf("schedule expression %q: the value must be a whole number from 1 to 65535", expression)
	}
	unit := unitOf(fields[1], value == 1)
	if unit == 0 {
		return 0, fmt.Errorf("schedule expression %q: the unit must be minute, hour or day for the value 1, and "+
			"minutes, hours or days for others", expression)
	}
	return time.Duration(value) * unit, nil
}

// unitOf returns the length of a unit, or 0 for an unknown name.
func unitOf(name string, singular bool) time.Duration {
	if !singular {
		var plural bool
		if name, plural = strings.CutSuffix(name, "s"); !plural {
			return 0
		}
	}
	switch name {
	case "minute":
		return time.Minute
	case "hour":
		return time.Hour
	case "day":
		return 24 * time.Hour
	}
	return 0
}
