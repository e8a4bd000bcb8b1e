package template

import (
	"strings"

	"go.yaml.in/yaml/v3"
)

// implied is a resource that stands in no template: the SAM transform makes it of an AWS::Serverless::WebSocketApi.
type implied struct{ logicalID, typ string }

// impliedBy lists what the transform makes of a WebSocket API besides the API itself, under the names that it gives.
//
// Source: aws/serverless-application-model, samtranslator/model/api/websocket_api_generator.py (v1.115.0).
func impliedBy(api *resource) []implied {
	made := []implied{{impliedStage(api), typeStage}}
	for key := range members(member(api.properties, "Routes")) {
		ids := impliedByRoute(api.logicalID, key.Value)
		made = append(made,
			implied{ids.route, typeRoute},
			implied{ids.integration, typeIntegration},
			implied{ids.permission, typePermission})
	}
	return made
}

// routeIDs are the logical ids of what the transform makes of one route.
type routeIDs struct{ route, integration, permission string }

func impliedByRoute(apiID, key string) routeIDs {
	base := apiID + capitalize(strings.TrimPrefix(key, "$"))
	return routeIDs{base + "Route", base + "Integration", base + "Permission"}
}

// impliedStage is the logical id of the stage. A stage that is named by a parameter keeps one id whatever its name.
func impliedStage(api *resource) string {
	node := member(api.properties, "StageName")
	switch {
	case node == nil:
		return api.logicalID + "DefaultStage"
	case node.Kind != yaml.ScalarNode || isCall(node):
		return api.logicalID + "Stage"
	case node.Value == "default":
		return api.logicalID + "DefaultStage"
	}
	return api.logicalID + node.Value + "Stage"
}

// capitalize makes the first letter upper and the others lower case, as Python's str.capitalize does to ASCII.
func capitalize(text string) string {
	if text == "" {
		return ""
	}
	return strings.ToUpper(text[:1]) + strings.ToLower(text[1:])
}

// addImplied makes the transform's resources known, so that others may refer to them.
func (s *stack) addImplied() error {
	for _, api := range s.order {
		if api.typ != typeWebSocketAPI {
			continue
		}
		for key, node := range members(member(api.properties, "Routes")) {
			if !isRouteKey(key.Value) {
				return api.place.field("Properties.Routes."+key.Value, node.Line).errorf(
					"route key %q must be alphanumeric, $connect, $disconnect or $default", key.Value)
			}
		}
		for _, made := range impliedBy(api) {
			if s.resources[made.logicalID] != nil {
				return api.place.errorf("the transform makes an %s named %s of it, and the template already has that name", made.typ, made.logicalID)
			}
			s.resources[made.logicalID] = &resource{logicalID: made.logicalID, typ: made.typ, place: api.place, properties: api.properties}
		}
	}
	return nil
}

// isRouteKey tells whether the transform takes key as a route key.
func isRouteKey(key string) bool {
	return key == "$connect" || key == "$disconnect" || key == "$default" || isLogicalID(key)
}
