package template

import (
	"strings"

	"go.yaml.in/yaml/v3"
)

// implied is a resource that the SAM transform makes of another resource, with some of that resource's properties.
type implied struct {
	logicalID, typ string
	properties     *yaml.Node
}

// impliedBy lists the resources that the transform makes of a resource besides the resource itself, under their names.
func impliedBy(r *resource) []implied {
	switch r.typ {
	case typeWebSocketAPI:
		return impliedByAPI(r)
	case typeFunction:
		return impliedByEvents(r)
	}
	return nil
}

// impliedByAPI lists the resources that the transform makes of a WebSocket API.
//
// Source: aws/serverless-application-model, samtranslator/model/api/websocket_api_generator.py (v1.115.0).
func impliedByAPI(api *resource) []implied {
	made := []implied{{impliedStage(api), typeStage, api.properties}}
	for key := range members(member(api.properties, "Routes")) {
		ids := impliedByRoute(api.logicalID, key.Value)
		made = append(made,
			implied{ids.route, typeRoute, nil},
			implied{ids.integration, typeIntegration, nil},
			implied{ids.permission, typePermission, nil})
	}
	return made
}

// routeIDs are the logical ids of the resources that the transform makes of one route.
type routeIDs struct{ route, integration, permission string }

func impliedByRoute(apiID, key string) routeIDs {
	base := apiID + capitalize(strings.TrimPrefix(key, "$"))
	return routeIDs{base + "Route", base + "Integration", base + "Permission"}
}

// impliedStage returns the logical id of the stage. A stage that is named by a parameter keeps one id for every name.
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

// addImplied adds the transform's resources, so that others may refer to them.
func (s *stack) addImplied() error {
	for _, r := range s.order {
		if err := checkNames(r); err != nil {
			return err
		}
		for _, made := range impliedBy(r) {
			if s.resources[made.logicalID] != nil {
				return r.place.errorf("the transform makes an %s named %s of it, and the template already has "+
					"that name", made.typ, made.logicalID)
			}
			s.resources[made.logicalID] = &resource{
				logicalID: made.logicalID, typ: made.typ, place: r.place, properties: made.properties,
			}
		}
	}
	return nil
}

// checkNames refuses names that the transform cannot use in logical ids.
func checkNames(r *resource) error {
	switch r.typ {
	case typeWebSocketAPI:
		for key, node := range members(member(r.properties, "Routes")) {
			if !isRouteKey(key.Value) {
				return r.place.field("Properties.Routes."+key.Value, node.Line).errorf(
					"route key %q must be alphanumeric, $connect, $disconnect or $default", key.Value)
			}
		}
	case typeFunction:
		for key, node := range members(member(r.properties, "Events")) {
			if !isLogicalID(key.Value) {
				return r.place.field("Properties.Events."+key.Value, node.Line).errorf("the name of an event is made " +
					"of letters and digits")
			}
		}
	}
	return nil
}

// isRouteKey reports whether the transform takes key as a route key.
func isRouteKey(key string) bool {
	return key == "$connect" || key == "$disconnect" || key == "$default" || isLogicalID(key)
}
