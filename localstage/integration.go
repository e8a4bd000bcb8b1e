package localstage

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"

	"signedsocket/localstage/internal/gateway"
	"signedsocket/localstage/internal/policy"
	"signedsocket/localstage/internal/template"
)

// These are the services that invoke functions, by their names in permissions.
const (
	apiGateway  = "apigateway.amazonaws.com"
	eventBridge = "events.amazonaws.com"
)

// integration is the function behind a route. The API reaches it only with an AWS::Lambda::Permission of the template
// for that route.
type integration struct {
	function  invoker
	permitted bool
}

// invoker is a function, or a stand-in for one.
type invoker interface {
	Invoke(ctx context.Context, event []byte) ([]byte, error)
}

// Invoke passes an event to the function.
func (i integration) Invoke(ctx context.Context, event []byte) ([]byte, error) {
	if !i.permitted { // mutate:stage-permission
		return nil, gateway.ErrNotPermitted
	}
	return i.function.Invoke(ctx, event)
}

// integration returns a route's function. A missing permission is no error here: the template deploys without it, and
// then every call fails.
func (s *Stage) integration(logicalID, sourceARN string) (integration, error) {
	if reason := s.leftOut[logicalID]; reason != "" {
		return integration{function: absent{logicalID, reason}, permitted: true}, nil
	}
	function, ok := s.byLogicalID[logicalID]
	if !ok {
		return integration{}, fmt.Errorf("its function %q is not in the template", logicalID)
	}
	permitted := s.permits(logicalID, apiGateway, sourceARN)
	if !permitted {
		s.config.Log.Warn("no AWS::Lambda::Permission lets the API invoke this function: every call will fail",
			"function", logicalID, "sourceArn", sourceARN)
	}
	return integration{function: function, permitted: permitted}, nil
}

// permits evaluates the template's permissions as the function's resource policy.
// Source: Lambda developer guide, "Working with resource-based IAM policies in Lambda".
func (s *Stage) permits(function, service, sourceARN string) bool {
	request := policy.Request{
		Action:   "lambda:InvokeFunction",
		Resource: "*",
		Context:  policy.Context{"aws:SourceArn": {sourceARN}},
	}
	for _, p := range s.template.Permissions {
		if p.Function != function || p.Principal != service {
			continue
		}
		document, err := policy.Parse(permissionPolicy(p))
		if err == nil && policy.Evaluate([]policy.Document{document}, request).Allowed() {
			return true
		}
	}
	return false
}

// permissionPolicy returns the statement that AWS::Lambda::Permission adds to the function's policy.
func permissionPolicy(p template.Permission) []byte {
	statement := map[string]any{"Effect": "Allow", "Action": "lambda:InvokeFunction", "Resource": "*"}
	if p.SourceARN != "" {
		statement["Condition"] = map[string]any{"ArnLike": map[string]string{"aws:SourceArn": p.SourceARN}}
	}
	// maps of strings always marshal
	data, _ := json.Marshal(map[string]any{"Version": "2012-10-17", "Statement": statement})
	return data
}

// routeARN returns the source of an invocation by a WebSocket route.
func routeARN(apiID, stage, key string) string {
	return "arn:aws:execute-api:" + Region + ":" + AccountID + ":" + apiID + "/" + stage + "/" + key
}

// httpRouteARN returns the source of an invocation by a route of an HTTP API: "POST /signurl" is …/POST/signurl, and
// $default any method and path.
func httpRouteARN(apiID, stage, key string) string {
	method, path, found := strings.Cut(key, " ")
	if !found {
		return routeARN(apiID, stage, key)
	}
	return routeARN(apiID, stage, method+path)
}
