package template

import (
	"cmp"
	"slices"
)

// These are the resource types that the package knows.
const (
	typeFunction      = "AWS::Serverless::Function"
	typeWebSocketAPI  = "AWS::Serverless::WebSocketApi"
	typeRole          = "AWS::IAM::Role"
	typeTable         = "AWS::DynamoDB::Table"
	typePermission    = "AWS::Lambda::Permission"
	typeLogGroup      = "AWS::Logs::LogGroup"
	typeAPI           = "AWS::ApiGatewayV2::Api"
	typeRoute         = "AWS::ApiGatewayV2::Route"
	typeIntegration   = "AWS::ApiGatewayV2::Integration"
	typeStage         = "AWS::ApiGatewayV2::Stage"
	typeAuthorizer    = "AWS::ApiGatewayV2::Authorizer"
	typeDeployment    = "AWS::ApiGatewayV2::Deployment"
	typeRouteResponse = "AWS::ApiGatewayV2::RouteResponse"
	typeRule          = "AWS::Events::Rule"
	typeMetricFilter  = "AWS::Logs::MetricFilter"
	typeLogsQuery     = "AWS::Logs::QueryDefinition"
	typeDashboard     = "AWS::CloudWatch::Dashboard"
	typeAlarm         = "AWS::CloudWatch::Alarm"
	typeTopic         = "AWS::SNS::Topic"
	typeSecret        = "AWS::SecretsManager::Secret" //nolint:gosec // the name of a type of resource
	typeEventInvoke   = "AWS::Lambda::EventInvokeConfig"
	typeQueue         = "AWS::SQS::Queue"
)

// builder makes the model of the resources of a stack.
type builder struct {
	*stack
	template *Template
	parts    apiParts
}

// model resolves every resource.
func (s *stack) model() (*Template, error) {
	b := &builder{stack: s, template: new(Template)}
	for _, r := range s.order {
		if err := b.add(r); err != nil {
			return nil, err
		}
	}
	if err := b.assemble(); err != nil {
		return nil, err
	}
	t := b.template
	slices.SortFunc(t.Functions, func(a, b Function) int { return cmp.Compare(a.LogicalID, b.LogicalID) })
	slices.SortFunc(t.Roles, func(a, b Role) int { return cmp.Compare(a.LogicalID, b.LogicalID) })
	slices.SortFunc(t.Tables, func(a, b Table) int { return cmp.Compare(a.LogicalID, b.LogicalID) })
	slices.SortFunc(t.Secrets, func(a, b Secret) int { return cmp.Compare(a.LogicalID, b.LogicalID) })
	slices.SortFunc(t.EventInvokeConfigs,
		func(a, b EventInvokeConfig) int { return cmp.Compare(a.Function, b.Function) })
	slices.SortFunc(t.Schedules, func(a, b Schedule) int { return cmp.Compare(a.LogicalID, b.LogicalID) })
	slices.SortFunc(t.Permissions, func(a, b Permission) int {
		return cmp.Or(cmp.Compare(a.Function, b.Function), cmp.Compare(a.SourceARN, b.SourceARN))
	})
	var err error
	t.Outputs, err = s.outputs()
	return t, err
}

// add reads one resource.
func (b *builder) add(r *resource) error {
	read := b.readerOf(r.typ)
	if read == nil {
		return r.place.errorf("type %s is not supported by the local stage", r.typ)
	}
	properties, err := b.properties(r)
	if err != nil {
		return err
	}
	read(r, properties)
	return properties.done()
}

// readerOf returns the function that reads resources of a type, or nil for a type that the local stage does not
// support.
func (b *builder) readerOf(typ string) func(*resource, *reader) {
	switch typ {
	case typeFunction:
		return b.addFunction
	case typeWebSocketAPI:
		return b.addWebSocketAPI
	case typeRole:
		return b.addRole
	case typeTable:
		return b.addTable
	case typePermission:
		return b.addPermission
	case typeAPI:
		return b.addAPI
	case typeRoute:
		return b.addRoute
	case typeIntegration:
		return b.addIntegration
	case typeStage:
		return b.addStage
	case typeAuthorizer:
		return b.addAuthorizer
	case typeDeployment:
		return b.addDeployment
	case typeRouteResponse:
		return b.addRouteResponse
	case typeRule:
		return b.addRule
	case typeSecret:
		return b.addSecret
	case typeEventInvoke:
		return b.addEventInvokeConfig
	}
	if ignored := withoutEffect(typ); ignored != nil {
		return func(_ *resource, p *reader) { p.ignore(ignored...) }
	}
	return nil
}

// withoutEffect lists the types that change nothing on a local stage, with the properties that they may have. Types on
// no list are refused.
func withoutEffect(typ string) []string {
	switch typ {
	case typeLogGroup:
		return []string{"LogGroupName", "LogGroupClass", "RetentionInDays", "KmsKeyId", "Tags"}
	case typeQueue: // the local stage keeps the queue's messages in a file of the same name
		return []string{"QueueName", "MessageRetentionPeriod", "SqsManagedSseEnabled", "Tags"}
	case typeMetricFilter:
		return []string{"LogGroupName", "FilterPattern", "MetricTransformations"}
	case typeLogsQuery:
		return []string{"Name", "LogGroupNames", "QueryString"}
	case typeDashboard:
		return []string{"DashboardName", "DashboardBody"}
	case typeTopic:
		return []string{"DisplayName", "Subscription"}
	case typeAlarm:
		return []string{
			"AlarmDescription", "AlarmActions", "OKActions", "Namespace", "MetricName", "Dimensions", "Metrics",
			"Statistic", "ExtendedStatistic",
			"Period", "EvaluationPeriods", "Threshold", "ComparisonOperator", "TreatMissingData",
		}
	}
	return nil
}

// properties resolves a resource's properties, for functions together with the global ones.
func (b *builder) properties(r *resource) (*reader, error) {
	node := r.properties
	if r.typ == typeFunction {
		node = merge(b.globals, node)
	}
	at := r.place.field("Properties", r.place.line)
	if node == nil {
		return newReader(value{kind: object}, at), nil
	}
	v, err := b.resolve(node, at)
	if err != nil {
		return nil, err
	}
	if v.kind != object {
		return nil, at.errorf("must be a mapping")
	}
	if err := b.checkDynamicReferences(r, v, at); err != nil {
		return nil, err
	}
	return newReader(v, at), nil
}
