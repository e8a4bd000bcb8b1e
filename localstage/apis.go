package localstage

import (
	"fmt"

	"signedsocket/localstage/internal/gateway"
	"signedsocket/localstage/internal/httpapi"
	"signedsocket/localstage/internal/template"
)

// startAPIs serves the template's WebSocket API and, if it has one, its HTTP API.
func (s *Stage) startAPIs(identities *principals) error {
	socket, err := s.newGateway(s.template.WebSocketAPIs[0], identities)
	if err != nil {
		return err
	}
	s.gateway = socket
	watched := s.functions.WatchCalls("execute-api", connectionsOperation, socket)
	s.serve(gateway.RecordHeads(s.listeners.webSocket), watched)
	if len(s.template.HTTPAPIs) == 0 {
		_ = s.listeners.httpAPI.Close() // refuses browsers at once, instead of leaving them without an answer
	}
	for _, api := range s.template.HTTPAPIs {
		handler, err := s.newHTTPAPI(api, identities)
		if err != nil {
			return err
		}
		s.serve(s.listeners.httpAPI, handler)
	}
	return nil
}

func (s *Stage) newGateway(api template.WebSocketAPI, identities *principals) (*gateway.Gateway, error) {
	config := gateway.Config{
		APIID:                    api.ID,
		Stage:                    api.Stage,
		Region:                   Region,
		AccountID:                AccountID,
		RouteSelectionExpression: api.RouteSelectionExpression,
		StageVariables:           api.StageVariables,
		Throttle:                 gateway.Throttle(api.Throttle),
		Authorizer:               socketAuthorizer{identities.authority},
		IdleTimeout:              s.config.IdleTimeout,
		MaxAge:                   s.config.MaxAge,
		Clock:                    s.config.Clock,
		Ordering:                 s.config.Ordering,
		Faults:                   s.config.Faults.gateway(),
		Log:                      s.config.Log,
	}
	for _, route := range api.Routes {
		function, err := s.integration(route.Function, routeARN(api.ID, api.Stage, route.Key))
		if err != nil {
			return nil, fmt.Errorf("route %s of %s: %w", route.Key, api.LogicalID, err)
		}
		config.Routes = append(config.Routes, gateway.Route{
			Key:               route.Key,
			AuthorizationType: route.AuthorizationType,
			Integration:       function,
			Timeout:           route.Timeout,
			TwoWay:            route.TwoWay,
			Throttle:          (*gateway.Throttle)(route.Throttle),
		})
	}
	return gateway.New(config)
}

func (s *Stage) newHTTPAPI(api template.HTTPAPI, identities *principals) (*httpapi.API, error) {
	config := httpapi.Config{
		APIID:      api.ID,
		Stage:      api.Stage,
		Region:     Region,
		AccountID:  AccountID,
		CORS:       (*httpapi.CORS)(api.CORS),
		Throttle:   httpapi.Throttle(api.Throttle),
		Authorizer: httpAuthorizer{identities.authority},
		Log:        s.config.Log,
	}
	for _, route := range api.Routes {
		function, err := s.integration(route.Function, httpRouteARN(api.ID, api.Stage, route.Key))
		if err != nil {
			return nil, fmt.Errorf("route %s of %s: %w", route.Key, api.LogicalID, err)
		}
		config.Routes = append(config.Routes, httpapi.Route{
			Key:               route.Key,
			AuthorizationType: route.AuthorizationType,
			JWT:               (*httpapi.JWTAuthorizer)(route.Authorizer),
			Scopes:            route.Scopes,
			Integration:       function,
			Timeout:           route.Timeout,
			Throttle:          (*httpapi.Throttle)(route.Throttle),
		})
	}
	return httpapi.New(config)
}
