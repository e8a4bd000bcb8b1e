package template

import "go.yaml.in/yaml/v3"

// addRule reads an AWS::Events::Rule, of which the local stage knows schedules.
//
// Source: CloudFormation template reference, "AWS::Events::Rule".
func (b *builder) addRule(r *resource, p *reader) {
	p.ignore("Name", "Description")
	schedule := Schedule{LogicalID: r.logicalID, Expression: p.needText("ScheduleExpression")}
	_, schedule.ARN = b.nameAndARN(r, p)
	enabled := p.oneOf("State", "ENABLED", "DISABLED") == "ENABLED"
	targets := p.objects("Targets")
	if len(targets) != 1 {
		p.fail(p.place("Targets"), "there are %d, the local stage needs one", len(targets))
		return
	}
	target := targets[0]
	target.ignore("Id")
	schedule.Function = b.owner(typeFunction, target, "Arn")
	schedule.Input = target.text("Input", "")
	target.finish()
	if enabled {
		b.template.Schedules = append(b.template.Schedules, schedule)
	}
}

// addScheduleEvent reads an entry of a function's Events into the resources that the transform makes of it: a rule
// whose target is the function, and the permission of the rule.
//
// Source: SAM developer guide, "Schedule" (event source of AWS::Serverless::Function).
func (b *builder) addScheduleEvent(f Function, name string, events *reader) {
	p := events.object(name)
	p.need("Type")
	p.oneOf("Type", "Schedule")
	p.need("Properties")
	properties := p.object("Properties")
	p.finish()
	properties.ignore("Name", "Description")
	rule := b.resources[impliedByEvent(f.LogicalID, name).rule]
	schedule := Schedule{
		LogicalID:  rule.logicalID,
		Expression: properties.needText("Schedule"),
		Function:   f.LogicalID,
		Input:      properties.text("Input", ""),
	}
	_, schedule.ARN = b.nameAndARN(rule, properties)
	if properties.oneOf("State", "ENABLED", "DISABLED") == "ENABLED" {
		b.template.Schedules = append(b.template.Schedules, schedule)
	}
	properties.finish()
	b.template.Permissions = append(b.template.Permissions, Permission{
		Function:  f.LogicalID,
		Principal: "events.amazonaws.com",
		SourceARN: schedule.ARN,
	})
}

// eventIDs are the logical ids of the resources that the transform makes of one event.
type eventIDs struct{ rule, permission string }

func impliedByEvent(functionID, name string) eventIDs {
	return eventIDs{functionID + name, functionID + name + "Permission"}
}

// impliedByEvents lists the resources that the transform makes of a function's events.
//
// Source: aws/serverless-application-model, samtranslator/model/eventsources/push.py (v1.115.0).
func impliedByEvents(function *resource) []implied {
	var made []implied
	for key, event := range members(member(function.properties, "Events")) {
		ids := impliedByEvent(function.logicalID, key.Value)
		var properties *yaml.Node // a rule can have a name of its own
		if event.Kind == yaml.MappingNode {
			properties = member(event, "Properties")
		}
		made = append(made, implied{ids.rule, typeRule, properties}, implied{ids.permission, typePermission, nil})
	}
	return made
}
