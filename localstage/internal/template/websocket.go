package template

import "time"

// addWebSocketAPI reads an AWS::Serverless::WebSocketApi into the parts that the transform makes of it: the API, its
// stage, and for each route a route, an integration and a permission.
//
// Source: SAM developer guide, "AWS::Serverless::WebSocketApi".
func (b *builder) addWebSocketAPI(r *resource, p *reader) {
	p.ignore("Name", "Description", "AccessLogSettings", "Tags", "PropagateTags")
	readIPAddressType(p)
	api := apiPart{
		logicalID: r.logicalID,
		id:        b.id(r.logicalID, lowerAlphanumeric, 10),
		place:     r.place,
		protocol:  "WEBSOCKET",
		selection: p.needText("RouteSelectionExpression"),
	}
	b.parts.apis = append(b.parts.apis, api)
	stage := stagePart{api: api.id, place: r.place, name: p.text("StageName", "default"), deployed: true}
	if stage.name == "$default" || !isStageName(stage.name) {
		p.fail(p.place("StageName"), "%q must be up to 128 letters, digits, - and _", stage.name)
	}
	stage.read(p)
	b.parts.stages = append(b.parts.stages, stage)

	auth := p.object("Auth")
	authorization := auth.oneOf("AuthType", "NONE", "AWS_IAM")
	auth.finish()
	p.need("Routes")
	routes := p.object("Routes")
	for _, f := range routes.value.fields {
		b.addSAMRoute(api, stage.name, f.name, authorization, routes)
	}
}

// addSAMRoute reads one entry of Routes. Authorization applies to $connect alone.
func (b *builder) addSAMRoute(api apiPart, stage, key, authorization string, routes *reader) {
	p := routes.object(key)
	p.ignore("OperationName")
	ids := impliedByRoute(api.logicalID, key)
	integration := integrationPart{
		api:      api.id,
		id:       b.id(ids.integration, lowerAlphanumeric, 7),
		function: b.owner(typeFunction, p, "FunctionArn"),
		timeout:  time.Duration(p.integer("IntegrationTimeout", 0, 50, 29000)) * time.Millisecond,
	}
	if key != "$connect" {
		authorization = "NONE"
	}
	route := routePart{
		api:           api.id,
		id:            b.id(ids.route, lowerAlphanumeric, 7),
		place:         p.at,
		key:           key,
		authorization: authorization,
		integration:   integration.id,
		response:      p.text("RouteResponseSelectionExpression", ""),
	}
	p.finish()
	b.parts.integrations = append(b.parts.integrations, integration)
	b.parts.routes = append(b.parts.routes, route)
	b.template.Permissions = append(b.template.Permissions, Permission{
		Function:  integration.function,
		Principal: "apigateway.amazonaws.com",
		SourceARN: b.arn("execute-api", api.id+"/"+stage+"/"+key),
	})
}
