package template

import (
	"cmp"
	"maps"
	"slices"
	"strings"
	"time"
)

// These are the times for which API Gateway waits for an integration without a time of its own.
//
// Source: API Gateway developer guide, "Amazon API Gateway quotas and important notes".
const (
	webSocketTimeout = 29 * time.Second
	httpTimeout      = 30 * time.Second
)

// assemble puts the API Gateway resources of the stack together.
func (b *builder) assemble() error {
	if err := b.checkOwners(); err != nil {
		return err
	}
	slices.SortFunc(b.parts.apis, func(x, y apiPart) int { return cmp.Compare(x.logicalID, y.logicalID) })
	slices.SortFunc(b.parts.routes, func(x, y routePart) int { return cmp.Compare(x.key, y.key) })
	for _, api := range b.parts.apis {
		stage, err := b.stageOf(api)
		if err != nil {
			return err
		}
		if api.protocol == "WEBSOCKET" {
			err = b.assembleWebSocketAPI(api, stage)
		} else {
			err = b.assembleHTTPAPI(api, stage)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// checkOwners refuses stages and routes of an API that the template does not have.
func (b *builder) checkOwners() error {
	known := func(id string) bool {
		return slices.ContainsFunc(b.parts.apis, func(a apiPart) bool { return a.id == id })
	}
	for _, s := range b.parts.stages {
		if !known(s.api) {
			return s.place.errorf("ApiId %q is no API of this template", s.api)
		}
	}
	for _, r := range b.parts.routes {
		if !known(r.api) {
			return r.place.errorf("ApiId %q is no API of this template", r.api)
		}
	}
	return nil
}

// stageOf returns the one stage of an API. A stage without a deployment serves no routes.
func (b *builder) stageOf(api apiPart) (stagePart, error) {
	var stages []stagePart
	for _, s := range b.parts.stages {
		if s.api == api.id {
			stages = append(stages, s)
		}
	}
	if len(stages) != 1 {
		return stagePart{}, api.place.errorf("has %d stages, the local stage needs one", len(stages))
	}
	stage := stages[0]
	deployed := slices.Contains(b.parts.deployments, deploymentPart{api.id, stage.deployment})
	if !stage.deployed && !deployed {
		return stage, stage.place.errorf("needs AutoDeploy: true, or the DeploymentId of a deployment of its API")
	}
	for _, key := range slices.Sorted(maps.Keys(stage.ofRoutes)) {
		if !slices.ContainsFunc(b.parts.routes, func(r routePart) bool { return r.api == api.id && r.key == key }) {
			return stage, stage.place.errorf("RouteSettings: there is no route %q", key)
		}
	}
	return stage, nil
}

// routesOf returns the routes of an API with their integrations.
func (b *builder) routesOf(api apiPart) ([]routePart, []integrationPart, error) {
	var routes []routePart
	var integrations []integrationPart
	for _, r := range b.parts.routes {
		if r.api != api.id {
			continue
		}
		if len(routes) > 0 && routes[len(routes)-1].key == r.key {
			return nil, nil, r.place.errorf("there are two routes %q", r.key)
		}
		i := slices.IndexFunc(b.parts.integrations,
			func(i integrationPart) bool { return i.api == api.id && i.id == r.integration })
		if i < 0 {
			return nil, nil, r.place.errorf("Target %q is no integration of its API", r.integration)
		}
		routes = append(routes, r)
		integrations = append(integrations, b.parts.integrations[i])
	}
	return routes, integrations, nil
}

func (b *builder) assembleWebSocketAPI(api apiPart, stage stagePart) error {
	if api.selection == "" || api.cors != nil {
		return api.place.errorf("a WebSocket API needs RouteSelectionExpression and has no CorsConfiguration")
	}
	routes, integrations, err := b.routesOf(api)
	if err != nil {
		return err
	}
	out := WebSocketAPI{
		LogicalID:                api.logicalID,
		ID:                       api.id,
		Stage:                    stage.name,
		RouteSelectionExpression: api.selection,
		StageVariables:           stage.variables,
		Throttle:                 stage.throttle,
	}
	for i, r := range routes {
		integration := integrations[i]
		if err := checkWebSocketRoute(r, integration); err != nil {
			return err
		}
		out.Routes = append(out.Routes, Route{
			Key:               r.key,
			AuthorizationType: r.authorization,
			Function:          integration.function,
			Timeout:           cmp.Or(integration.timeout, webSocketTimeout),
			TwoWay:            r.response != "" && slices.Contains(b.parts.responses, responsePart{api.id, r.id}),
			Throttle:          stage.throttleOf(r.key),
		})
	}
	b.template.WebSocketAPIs = append(b.template.WebSocketAPIs, out)
	return nil
}

func checkWebSocketRoute(r routePart, integration integrationPart) error {
	switch {
	case r.authorization == "JWT" || r.authorizer != "" || r.scopes != nil:
		return r.place.errorf("a WebSocket route is authorized by NONE or AWS_IAM on the local stage")
	case r.authorization != "NONE" && r.key != "$connect":
		return r.place.errorf("only $connect can be authorized, not %s", r.key)
	case r.response != "" && r.response != "$default":
		return r.place.errorf("RouteResponseSelectionExpression must be $default")
	case integration.payload != "" && integration.payload != "1.0":
		return integration.place.errorf("PayloadFormatVersion %q is not supported for a WebSocket API",
			integration.payload)
	case integration.timeout > webSocketTimeout:
		return integration.place.errorf("TimeoutInMillis of a WebSocket API is at most %d",
			webSocketTimeout.Milliseconds())
	}
	return nil
}

func (b *builder) assembleHTTPAPI(api apiPart, stage stagePart) error {
	if api.selection != "" && api.selection != "$request.method $request.path" {
		return api.place.errorf("RouteSelectionExpression of an HTTP API cannot be %q", api.selection)
	}
	if stage.variables != nil {
		return stage.place.errorf("StageVariables of an HTTP API are not supported by the local stage")
	}
	routes, integrations, err := b.routesOf(api)
	if err != nil {
		return err
	}
	out := HTTPAPI{LogicalID: api.logicalID, ID: api.id, Stage: stage.name, CORS: api.cors, Throttle: stage.throttle}
	for i, r := range routes {
		authorizer, err := b.authorizerOf(r, integrations[i])
		if err != nil {
			return err
		}
		out.Routes = append(out.Routes, HTTPRoute{
			Key:               r.key,
			AuthorizationType: r.authorization,
			Function:          integrations[i].function,
			Authorizer:        authorizer,
			Scopes:            r.scopes,
			Timeout:           cmp.Or(integrations[i].timeout, httpTimeout),
			Throttle:          stage.throttleOf(r.key),
		})
	}
	b.template.HTTPAPIs = append(b.template.HTTPAPIs, out)
	return nil
}

// authorizerOf checks a route of an HTTP API and returns its JWT authorizer, or nil for another authorization.
func (b *builder) authorizerOf(r routePart, integration integrationPart) (*JWTAuthorizer, error) {
	_, path, found := strings.Cut(r.key, " ")
	switch {
	case r.key != "$default" && (!found || !strings.HasPrefix(path, "/")):
		return nil, r.place.errorf("RouteKey %q is not $default or a method and a path", r.key)
	case integration.payload != "2.0":
		return nil, integration.place.errorf("PayloadFormatVersion must be \"2.0\" for an HTTP API on the local stage")
	case r.response != "":
		return nil, r.place.errorf("RouteResponseSelectionExpression is for WebSocket APIs")
	case r.authorization != "JWT":
		if r.authorizer != "" || r.scopes != nil {
			return nil, r.place.errorf("AuthorizerId and AuthorizationScopes need AuthorizationType JWT")
		}
		return nil, nil
	}
	for _, a := range b.parts.authorizers {
		if a.api == r.api && a.id == r.authorizer {
			return &a.jwt, nil
		}
	}
	return nil, r.place.errorf("AuthorizerId %q is no authorizer of its API", r.authorizer)
}

// throttleOf returns a route's own throttle, or nil when the stage's holds.
func (s stagePart) throttleOf(key string) *Throttle {
	if t, ok := s.ofRoutes[key]; ok && t != (Throttle{}) {
		return &t
	}
	return nil
}
