package template

import "time"

// defaultAttempts stands for a configuration that leaves the number of retries to Lambda.
const defaultAttempts = -1

// addEventInvokeConfig reads an AWS::Lambda::EventInvokeConfig. Its destination must be a queue of the template: the
// local stage keeps undeliverable events there.
//
// Source: CloudFormation template reference, "AWS::Lambda::EventInvokeConfig".
func (b *builder) addEventInvokeConfig(_ *resource, p *reader) {
	p.need("Qualifier")
	p.oneOf("Qualifier", "$LATEST")
	config := EventInvokeConfig{
		Function:             b.owner(typeFunction, p, "FunctionName"),
		MaximumRetryAttempts: p.integer("MaximumRetryAttempts", defaultAttempts, 0, 2),
		MaximumEventAge:      time.Duration(p.integer("MaximumEventAgeInSeconds", 0, 60, 21600)) * time.Second,
	}
	destinations := p.object("DestinationConfig")
	onFailure := destinations.object("OnFailure")
	if onFailure.get("Destination").kind != absent {
		config.OnFailure = b.owner(typeQueue, onFailure, "Destination")
		config.OnFailureARN = onFailure.text("Destination", "")
	}
	onFailure.finish()
	destinations.finish()
	b.template.EventInvokeConfigs = append(b.template.EventInvokeConfigs, config)
}
