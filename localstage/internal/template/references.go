package template

import (
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"
)

// ref is Ref: a parameter, a pseudo parameter or a resource.
func (s *stack) ref(argument *yaml.Node, at place) (value, error) {
	if argument.Kind != yaml.ScalarNode {
		return value{}, at.errorf("Ref needs a name")
	}
	return s.reference(argument.Value, at)
}

func (s *stack) reference(name string, at place) (value, error) {
	if strings.HasPrefix(name, "AWS::") {
		return s.pseudo(name, at)
	}
	if v, ok := s.parameters[name]; ok {
		v.line = at.line
		return v, nil
	}
	r, err := s.target(name, at)
	if err != nil {
		return value{}, err
	}
	text, err := s.resourceRef(r, at)
	return textValue(text, at.line), err
}

// getAtt is Fn::GetAtt: "Resource.Attribute" or [Resource, Attribute].
func (s *stack) getAtt(argument *yaml.Node, at place) (value, error) {
	logicalID, attribute, ok := strings.Cut(argument.Value, ".")
	if argument.Kind == yaml.SequenceNode {
		args, err := arguments("Fn::GetAtt", argument, 2, at)
		if err != nil {
			return value{}, err
		}
		ok = args[0].Kind == yaml.ScalarNode && args[1].Kind == yaml.ScalarNode
		logicalID, attribute = args[0].Value, args[1].Value
	}
	if !ok {
		return value{}, at.errorf("Fn::GetAtt needs a resource and an attribute")
	}
	return s.attribute(logicalID, attribute, at)
}

// target returns the resource with a logical id, for a reference to it.
func (s *stack) target(logicalID string, at place) (*resource, error) {
	if at.static {
		return nil, at.errorf("there is no parameter %q, and conditions and rules cannot refer to resources", logicalID)
	}
	if r := s.resources[logicalID]; r != nil {
		return r, nil
	}
	if member(s.document.resources, logicalID) != nil {
		return nil, at.errorf("refers to %s, which the stack does not have: its condition is false", logicalID)
	}
	return nil, at.errorf("there is no parameter or resource %q", logicalID)
}

// pseudo returns the value of a pseudo parameter.
//
// Source: CloudFormation template reference, "Pseudo parameters reference".
func (s *stack) pseudo(name string, at place) (value, error) {
	o := s.options
	switch name {
	case "AWS::NoValue":
		return value{line: at.line}, nil
	case "AWS::AccountId":
		return textValue(o.AccountID, at.line), nil
	case "AWS::Region":
		return textValue(o.Region, at.line), nil
	case "AWS::Partition":
		return textValue("aws", at.line), nil
	case "AWS::URLSuffix":
		return textValue("amazonaws.com", at.line), nil
	case "AWS::StackName":
		return textValue(o.StackName, at.line), nil
	case "AWS::StackId":
		return textValue(s.arn("cloudformation", "stack/"+o.StackName+"/"+s.stackUUID()), at.line), nil
	}
	return value{}, at.errorf("pseudo parameter %s is not supported by the local stage", name)
}

// resourceRef returns the value of Ref for a resource.
//
// Source: the "Return values" section of each type's page in the CloudFormation template reference.
func (s *stack) resourceRef(r *resource, at place) (string, error) {
	switch r.typ {
	case typeFunction, typeRole, typeTable, typeLogGroup, typeStage, typeRule:
		return s.name(r)
	case typeSecret, typeTopic:
		return s.resourceARN(r)
	case typeQueue:
		name, err := s.name(r)
		return "https://sqs." + s.options.Region + ".amazonaws.com/" + s.options.AccountID + "/" + name, err
	case typeWebSocketAPI, typeAPI:
		return s.id(r.logicalID, lowerAlphanumeric, 10), nil
	case typeRoute, typeIntegration:
		return s.id(r.logicalID, lowerAlphanumeric, 7), nil
	case typeAuthorizer, typeDeployment, typeRouteResponse:
		return s.id(r.logicalID, lowerAlphanumeric, 6), nil
	}
	return "", at.errorf("Ref of %s (%s) is not supported by the local stage", r.logicalID, r.typ)
}

// attribute returns the value of Fn::GetAtt for a resource.
func (s *stack) attribute(logicalID, attribute string, at place) (value, error) {
	r, err := s.target(logicalID, at)
	if err != nil {
		return value{}, err
	}
	var text string
	switch r.typ + " " + attribute {
	case typeFunction + " Arn", typeRole + " Arn", typeTable + " Arn", typeLogGroup + " Arn", typeRule + " Arn",
		typeQueue + " Arn":
		text, err = s.resourceARN(r)
	case typeQueue + " QueueName":
		text, err = s.name(r)
	case typeRole + " RoleId":
		text = "AROA" + s.id(logicalID, upperAlphanumeric, 17)
	case typeWebSocketAPI + " ApiEndpoint":
		text, err = s.endpoint("wss://", r, at)
	case typeAPI + " ApiEndpoint":
		protocol, resolveErr := s.protocol(r)
		if resolveErr != nil {
			return value{}, resolveErr
		}
		scheme := map[string]string{"WEBSOCKET": "wss://", "HTTP": "https://"}[protocol]
		text, err = s.endpoint(scheme, r, at)
	default:
		if !slices.Contains(idAttributes(r.typ), attribute) {
			return value{},
				at.errorf("attribute %s of %s (%s) is not supported by the local stage", attribute, logicalID, r.typ)
		}
		text, err = s.resourceRef(r, at)
	}
	return textValue(text, at.line), err
}

// idAttributes are the attributes with the same value as Ref.
func idAttributes(typ string) []string {
	switch typ {
	case typeWebSocketAPI, typeAPI:
		return []string{"ApiId"}
	case typeSecret:
		return []string{"Id"}
	case typeRoute:
		return []string{"RouteId"}
	case typeIntegration:
		return []string{"IntegrationId"}
	case typeAuthorizer:
		return []string{"AuthorizerId"}
	case typeDeployment:
		return []string{"DeploymentId"}
	}
	return nil
}

func (s *stack) endpoint(scheme string, r *resource, at place) (string, error) {
	id, err := s.resourceRef(r, at)
	return scheme + id + ".execute-api." + s.options.Region + ".amazonaws.com", err
}

// protocol returns the ProtocolType of a raw API.
func (s *stack) protocol(r *resource) (string, error) {
	node := member(r.properties, "ProtocolType")
	if node == nil {
		return "", r.place.field("Properties.ProtocolType", r.place.line).errorf("is needed")
	}
	return s.text(node, r.place.field("Properties.ProtocolType", node.Line))
}
