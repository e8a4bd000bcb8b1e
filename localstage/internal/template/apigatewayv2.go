package template

import (
	"regexp"
	"strings"
	"time"
)

// apiParts are the API Gateway resources of a stack, until all have been read and can be put together.
type apiParts struct {
	apis         []apiPart
	stages       []stagePart
	routes       []routePart
	integrations []integrationPart
	authorizers  []authorizerPart
	deployments  []deploymentPart
	responses    []responsePart
}

// Every part names its API by the API's id. place is the place of the part in the template, for errors that show later.
type (
	apiPart struct {
		logicalID, id       string
		place               place
		protocol, selection string
		cors                *CORS
	}
	stagePart struct {
		api, name  string
		place      place
		deployed   bool   // AutoDeploy
		deployment string // id of the deployment otherwise
		throttle   Throttle
		ofRoutes   map[string]Throttle
		variables  map[string]string
	}
	routePart struct {
		api, id, key              string
		place                     place
		authorization, authorizer string
		scopes                    []string
		integration               string // id
		response                  string // RouteResponseSelectionExpression
	}
	integrationPart struct {
		api, id, function, payload string
		place                      place
		timeout                    time.Duration // 0 when the template sets none
	}
	authorizerPart struct {
		api, id string
		jwt     JWTAuthorizer
	}
	deploymentPart struct{ api, id string }
	responsePart   struct{ api, route string }
)

// addAPI reads an AWS::ApiGatewayV2::Api.
//
// Source, for it and for the types below: CloudFormation template reference, "Amazon API Gateway V2".
func (b *builder) addAPI(r *resource, p *reader) {
	p.ignore("Name", "Description", "Tags")
	readIPAddressType(p)
	p.need("ProtocolType")
	b.parts.apis = append(b.parts.apis, apiPart{
		logicalID: r.logicalID,
		id:        b.id(r.logicalID, lowerAlphanumeric, 10),
		place:     r.place,
		protocol:  p.oneOf("ProtocolType", "HTTP", "WEBSOCKET"),
		selection: p.text("RouteSelectionExpression", ""),
		cors:      readCORS(p),
	})
}

// readIPAddressType checks the address types of an API. A local stage listens on one address in any case.
func readIPAddressType(p *reader) {
	p.oneOf("IpAddressType", "ipv4", "dualstack")
}

func readCORS(p *reader) *CORS {
	c := p.object("CorsConfiguration")
	if c.value.kind == absent {
		return nil
	}
	cors := &CORS{
		AllowOrigins:     c.texts("AllowOrigins"),
		AllowMethods:     c.texts("AllowMethods"),
		AllowHeaders:     c.texts("AllowHeaders"),
		ExposeHeaders:    c.texts("ExposeHeaders"),
		AllowCredentials: c.flag("AllowCredentials"),
		MaxAge:           c.integer("MaxAge", 0, -1, 86400),
	}
	c.finish()
	return cors
}

// addStage reads an AWS::ApiGatewayV2::Stage.
func (b *builder) addStage(r *resource, p *reader) {
	p.ignore("Description", "AccessLogSettings", "Tags")
	stage := stagePart{
		api:        p.needText("ApiId"),
		place:      r.place,
		name:       p.needText("StageName"),
		deployed:   p.flag("AutoDeploy"),
		deployment: p.text("DeploymentId", ""),
	}
	if !isStageName(stage.name) {
		p.fail(p.place("StageName"), "%q must be $default, or up to 128 letters, digits, - and _", stage.name)
	}
	stage.read(p)
	b.parts.stages = append(b.parts.stages, stage)
}

func isStageName(name string) bool {
	return name == "$default" || regexp.MustCompile(`^[A-Za-z0-9_-]{1,128}$`).MatchString(name)
}

// read reads the properties that a stage has in its raw and in its SAM form.
func (s *stagePart) read(p *reader) {
	s.variables = p.textMap("StageVariables")
	s.throttle = readThrottle(p.object("DefaultRouteSettings"))
	s.ofRoutes = make(map[string]Throttle)
	routes := p.object("RouteSettings")
	for _, f := range routes.value.fields {
		s.ofRoutes[f.name] = readThrottle(routes.object(f.name))
	}
}

// readThrottle reads route settings. Logging settings have no effect on a local stage.
func readThrottle(p *reader) Throttle {
	p.ignore("DataTraceEnabled", "DetailedMetricsEnabled", "LoggingLevel")
	t := Throttle{
		RateLimit:  p.number("ThrottlingRateLimit"),
		BurstLimit: p.integer("ThrottlingBurstLimit", 0, 0, 1_000_000),
	}
	p.finish()
	return t
}

// addRoute reads an AWS::ApiGatewayV2::Route.
func (b *builder) addRoute(r *resource, p *reader) {
	p.ignore("OperationName")
	integration, ok := strings.CutPrefix(p.needText("Target"), "integrations/")
	if !ok {
		p.fail(p.place("Target"), "must be integrations/ and an integration's id")
	}
	b.parts.routes = append(b.parts.routes, routePart{
		api:           p.needText("ApiId"),
		id:            b.id(r.logicalID, lowerAlphanumeric, 7),
		place:         r.place,
		key:           p.needText("RouteKey"),
		authorization: p.oneOf("AuthorizationType", "NONE", "AWS_IAM", "JWT"),
		authorizer:    p.text("AuthorizerId", ""),
		scopes:        p.texts("AuthorizationScopes"),
		integration:   integration,
		response:      p.text("RouteResponseSelectionExpression", ""),
	})
}

// addIntegration reads an AWS::ApiGatewayV2::Integration.
func (b *builder) addIntegration(r *resource, p *reader) {
	p.ignore("Description")
	p.need("IntegrationType")
	p.oneOf("IntegrationType", "AWS_PROXY")
	p.oneOf("IntegrationMethod", "POST")
	b.parts.integrations = append(b.parts.integrations, integrationPart{
		api:      p.needText("ApiId"),
		id:       b.id(r.logicalID, lowerAlphanumeric, 7),
		place:    r.place,
		function: b.integrated(p),
		payload:  p.text("PayloadFormatVersion", ""),
		timeout:  time.Duration(p.integer("TimeoutInMillis", 0, 50, 30000)) * time.Millisecond,
	})
}

// integrated returns the logical id of the function that IntegrationUri names, by its ARN or by API Gateway's address
// for it.
func (b *builder) integrated(p *reader) string {
	uri := p.needText("IntegrationUri")
	prefix := "arn:aws:apigateway:" + b.options.Region + ":lambda:path/2015-03-31/functions/"
	if rest, ok := strings.CutPrefix(uri, prefix); ok {
		uri = strings.TrimSuffix(rest, "/invocations")
	}
	id := b.byARN(typeFunction, uri)
	if id == "" {
		p.fail(p.place("IntegrationUri"), "%q is no function of this template", uri)
	}
	return id
}

// addAuthorizer reads an AWS::ApiGatewayV2::Authorizer.
func (b *builder) addAuthorizer(r *resource, p *reader) {
	p.ignore("Name")
	p.need("AuthorizerType")
	p.oneOf("AuthorizerType", "JWT")
	p.need("JwtConfiguration")
	jwt := p.object("JwtConfiguration")
	part := authorizerPart{
		api: p.needText("ApiId"),
		id:  b.id(r.logicalID, lowerAlphanumeric, 6),
		jwt: JWTAuthorizer{Issuer: jwt.needText("Issuer"), Audience: jwt.texts("Audience")},
	}
	jwt.finish()
	sources := p.texts("IdentitySource")
	if len(sources) != 1 {
		p.fail(p.place("IdentitySource"), "must be a list of one source")
		return
	}
	part.jwt.IdentitySource = sources[0]
	b.parts.authorizers = append(b.parts.authorizers, part)
}

// addDeployment reads an AWS::ApiGatewayV2::Deployment. A local stage always serves the routes as they are.
func (b *builder) addDeployment(r *resource, p *reader) {
	p.ignore("Description")
	b.parts.deployments = append(b.parts.deployments, deploymentPart{
		api: p.needText("ApiId"),
		id:  b.id(r.logicalID, lowerAlphanumeric, 6),
	})
}

// addRouteResponse reads an AWS::ApiGatewayV2::RouteResponse, which makes a WebSocket route answer.
func (b *builder) addRouteResponse(_ *resource, p *reader) {
	p.need("RouteResponseKey")
	p.oneOf("RouteResponseKey", "$default")
	b.parts.responses = append(b.parts.responses, responsePart{api: p.needText("ApiId"), route: p.needText("RouteId")})
}
