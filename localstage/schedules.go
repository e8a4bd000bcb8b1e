package localstage

import (
	"errors"

	"signedsocket/localstage/internal/lambdaapi"
	"signedsocket/localstage/internal/schedule"
)

// startSchedules runs the template's schedules on the stage's clock.
func (s *Stage) startSchedules() error {
	config := schedule.Config{Clock: s.config.Clock, Log: s.config.Log}
	for _, rule := range s.template.Schedules {
		if s.leftOut[rule.Function] != "" {
			continue
		}
		target := scheduleTarget{
			api: s.lambdaAPI, function: rule.Function, permitted: s.permits(rule.Function, eventBridge, rule.ARN),
		}
		for _, f := range s.template.Functions {
			if f.LogicalID == rule.Function {
				target.function = f.Name
			}
		}
		config.Schedules = append(config.Schedules, schedule.Schedule{
			ARN:        rule.ARN,
			Expression: rule.Expression,
			Target:     target,
			Input:      rule.Input,
		})
	}
	var err error
	s.schedules, err = schedule.Start(config)
	return err
}

// scheduleTarget is the function of a schedule. EventBridge reaches it asynchronously, and only with an
// AWS::Lambda::Permission for the rule.
type scheduleTarget struct {
	api       *lambdaapi.API
	function  string // name
	permitted bool
}

// InvokeAsync implements schedule.Target.
func (t scheduleTarget) InvokeAsync(event []byte) error {
	if !t.permitted {
		return errors.New("no AWS::Lambda::Permission lets the rule invoke the function")
	}
	return t.api.InvokeAsync(t.function, event)
}
