package template

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
)

// apiTemplate has a WebSocket API and an HTTP API in their raw form.
const apiTemplate = `
Resources:
  Role: {Type: AWS::IAM::Role}
  F:
    Type: AWS::Serverless::Function
    Metadata: {BuildMethod: makefile}
    Properties: {FunctionName: f, Role: !GetAtt Role.Arn, Runtime: provided.al2023, Handler: bootstrap, CodeUri: .}

  Socket:
    Type: AWS::ApiGatewayV2::Api
    Properties: {Name: s, ProtocolType: WEBSOCKET, RouteSelectionExpression: $request.body.action}
  Connect:
    Type: AWS::ApiGatewayV2::Route
    Properties: {ApiId: !Ref Socket, RouteKey: $connect, AuthorizationType: AWS_IAM,
      Target: !Sub "integrations/${SocketCall}"}
  Echo:
    Type: AWS::ApiGatewayV2::Route
    Properties: {ApiId: !Ref Socket, RouteKey: echo, RouteResponseSelectionExpression: $default,
      Target: !Sub "integrations/${SocketCall}"}
  EchoAnswer:
    Type: AWS::ApiGatewayV2::RouteResponse
    Properties: {ApiId: !Ref Socket, RouteId: !Ref Echo, RouteResponseKey: $default}
  SocketCall:
    Type: AWS::ApiGatewayV2::Integration
    Properties:
      ApiId: !Ref Socket
      IntegrationType: AWS_PROXY
      IntegrationMethod: POST
      IntegrationUri: !Sub
        arn:${AWS::Partition}:apigateway:${AWS::Region}:lambda:path/2015-03-31/functions/${F.Arn}/invocations
      TimeoutInMillis: 5000
  SocketDeployment:
    Type: AWS::ApiGatewayV2::Deployment
    DependsOn: [Connect, Echo]
    Properties: {ApiId: !Ref Socket}
  SocketStage:
    Type: AWS::ApiGatewayV2::Stage
    Properties:
      ApiId: !Ref Socket
      StageName: live
      DeploymentId: !Ref SocketDeployment
      StageVariables: {color: blue}
      RouteSettings: {echo: {ThrottlingRateLimit: 1.5, ThrottlingBurstLimit: 2}}

  Web:
    Type: AWS::ApiGatewayV2::Api
    Properties:
      Name: w
      ProtocolType: HTTP
      CorsConfiguration: {AllowOrigins: ["https://example.com"], AllowMethods: [POST], MaxAge: 60}
  Sign:
    Type: AWS::ApiGatewayV2::Route
    Properties: {ApiId: !Ref Web, RouteKey: POST /sign, AuthorizationType: JWT, AuthorizerId: !Ref Tokens,
      AuthorizationScopes: [chat], Target: !Sub "integrations/${WebCall}"}
  Page:
    Type: AWS::ApiGatewayV2::Route
    Properties: {ApiId: !Ref Web, RouteKey: $default, Target: !Sub "integrations/${WebCall}"}
  WebCall:
    Type: AWS::ApiGatewayV2::Integration
    Properties: {ApiId: !Ref Web, IntegrationType: AWS_PROXY, IntegrationUri: !GetAtt F.Arn,
      PayloadFormatVersion: "2.0"}
  Tokens:
    Type: AWS::ApiGatewayV2::Authorizer
    Properties:
      ApiId: !Ref Web
      Name: t
      AuthorizerType: JWT
      IdentitySource: [$request.header.Authorization]
      JwtConfiguration: {Issuer: https://id.example.com, Audience: [a, b]}
  WebStage:
    Type: AWS::ApiGatewayV2::Stage
    Properties: {ApiId: !Ref Web, StageName: $default, AutoDeploy: true}
  Permission:
    Type: AWS::Lambda::Permission
    Properties: {Action: lambda:InvokeFunction, FunctionName: !Ref F, Principal: apigateway.amazonaws.com,
      SourceArn: !Sub "arn:aws:execute-api:x:1:${Web}/*/POST/sign"}
Outputs:
  SocketEndpoint: {Value: !GetAtt Socket.ApiEndpoint}
  WebEndpoint: {Value: !GetAtt Web.ApiEndpoint}
  Stage: {Value: !Ref SocketStage}
`

func TestRawAPIs(t *testing.T) {
	t.Parallel()
	loaded, err := loadText(apiTemplate, testOptions())
	if err != nil {
		t.Fatal(err)
	}
	if len(loaded.WebSocketAPIs) != 1 || len(loaded.HTTPAPIs) != 1 {
		t.Fatalf("%d WebSocket APIs and %d HTTP APIs, want one of each", len(loaded.WebSocketAPIs),
			len(loaded.HTTPAPIs))
	}
	socket, web := loaded.WebSocketAPIs[0].ID, loaded.HTTPAPIs[0].ID
	want := &Template{
		WebSocketAPIs: []WebSocketAPI{{
			LogicalID: "Socket", ID: socket, Stage: "live", RouteSelectionExpression: "$request.body.action",
			StageVariables: map[string]string{"color": "blue"},
			Routes: []Route{
				{Key: "$connect", AuthorizationType: "AWS_IAM", Function: "F", Timeout: 5 * time.Second},
				{
					Key:               "echo",
					AuthorizationType: "NONE",
					Function:          "F",
					Timeout:           5 * time.Second,
					TwoWay:            true,
					Throttle:          &Throttle{1.5, 2},
				},
			},
		}},
		HTTPAPIs: []HTTPAPI{{
			LogicalID: "Web", ID: web, Stage: "$default",
			CORS: &CORS{AllowOrigins: []string{"https://example.com"}, AllowMethods: []string{"POST"}, MaxAge: 60},
			Routes: []HTTPRoute{
				{Key: "$default", AuthorizationType: "NONE", Function: "F", Timeout: 30 * time.Second},
				{Key: "POST /sign", AuthorizationType: "JWT", Function: "F", Timeout: 30 * time.Second,
					Scopes: []string{"chat"},
					Authorizer: &JWTAuthorizer{
						"https://id.example.com", []string{"a", "b"}, "$request.header.Authorization",
					}},
			},
		}},
		Permissions: []Permission{{"F", "apigateway.amazonaws.com", "arn:aws:execute-api:x:1:" + web + "/*/POST/sign"}},
		Outputs: map[string]string{
			"SocketEndpoint": "wss://" + socket + ".execute-api.us-east-1.amazonaws.com",
			"WebEndpoint":    "https://" + web + ".execute-api.us-east-1.amazonaws.com",
			"Stage":          "live",
		},
	}
	if diff := cmp.Diff(want, loaded, cmpopts.IgnoreFields(Template{}, "Functions", "Roles"),
		cmpopts.EquateEmpty()); diff != "" {
		t.Errorf("template (-want +got):\n%s", diff)
	}
}

// rawAPIMistakes are the cases of TestRawAPIErrors.
var rawAPIMistakes = map[string]mistake{
	"mock integration": {"IntegrationType: AWS_PROXY\n", "IntegrationType: MOCK\n", `template.yaml:27: ` +
		`SocketCall Properties.IntegrationType: "MOCK" is not supported by the local stage, only AWS_PROXY`},
	"foreign function": {
		"IntegrationUri: !GetAtt F.Arn",
		"IntegrationUri: x",
		`WebCall Properties.IntegrationUri: "x" is no function of this template`,
	},
	"target": {
		`Target: !Sub "integrations/${SocketCall}"}`,
		"Target: nowhere}",
		"Connect Properties.Target: must be integrations/",
	},
	"target of another API": {
		`Target: !Sub "integrations/${SocketCall}"}`,
		`Target: !Sub "integrations/${WebCall}"}`,
		"is no integration of its API",
	},
	"not deployed": {
		"DeploymentId: !Ref SocketDeployment", "Description: d", "SocketStage: needs AutoDeploy: true",
	},
	"other deployment": {
		"DeploymentId: !Ref SocketDeployment", "DeploymentId: x", "SocketStage: needs AutoDeploy: true",
	},
	"stage name": {
		"StageName: live",
		"StageName: live/1",
		`SocketStage Properties.StageName: "live/1" must be $default, or up to 128 letters`,
	},
	"two stages": {
		"ApiId: !Ref Web, StageName: $default", "ApiId: !Ref Socket, StageName: $default", "Socket: has 2 stages",
	},
	"route of no API": {
		"ApiId: !Ref Web, RouteKey: $default",
		"ApiId: missing, RouteKey: $default",
		`Page: ApiId "missing" is no API of this template`,
	},
	"settings of no route": {
		"{echo: {Throttling", "{ping: {Throttling", `SocketStage: RouteSettings: there is no route "ping"`,
	},
	"two routes of one key": {"RouteKey: $default,", "RouteKey: POST /sign,", `there are two routes "POST /sign"`},
	"authorized message": {
		"RouteKey: echo,", "RouteKey: echo, AuthorizationType: AWS_IAM,", "only $connect can be authorized, not echo",
	},
	"token for a socket": {
		"AuthorizationType: AWS_IAM", "AuthorizationType: JWT", "a WebSocket route is authorized by NONE or AWS_IAM",
	},
	"Lambda authorizer": {
		"AuthorizerType: JWT",
		"AuthorizerType: REQUEST",
		`Tokens Properties.AuthorizerType: "REQUEST" is not supported`,
	},
	"no authorizer": {
		"AuthorizerId: !Ref Tokens", "AuthorizerId: x", `Sign: AuthorizerId "x" is no authorizer of its API`,
	},
	"payload 1.0": {
		`PayloadFormatVersion: "2.0"`, `PayloadFormatVersion: "1.0"`, `WebCall: PayloadFormatVersion must be "2.0"`,
	},
	"timeout": {
		"TimeoutInMillis: 5000",
		"TimeoutInMillis: 29500",
		"SocketCall: TimeoutInMillis of a WebSocket API is at most 29000",
	},
	"no route key": {
		"RouteKey: POST /sign", "RouteKey: sign", `Sign: RouteKey "sign" is not $default or a method and a path`,
	},
	"function permission": {
		"lambda:InvokeFunction",
		"lambda:InvokeFunctionUrl",
		`Permission Properties.Action: "lambda:InvokeFunctionUrl" is not supported`,
	},
	"unknown property": {
		"Name: w",
		"DisableExecuteApiEndpoint: true",
		"Web Properties.DisableExecuteApiEndpoint: is not supported by the local stage; it knows CorsConfiguration",
	},
	"negative throttle": {
		"ThrottlingRateLimit: 1.5", "ThrottlingRateLimit: -1", `"-1" is not a number of 0 or more`,
	},
	"IPv6 alone": {
		"Name: w",
		"IpAddressType: ipv6",
		`Web Properties.IpAddressType: "ipv6" is not supported by the local stage, only ipv4, dualstack`,
	},
}

func TestRawAPIErrors(t *testing.T) {
	t.Parallel()
	checkMistakes(t, apiTemplate, rawAPIMistakes)
}

func TestIDAttributesEqualRef(t *testing.T) {
	t.Parallel()
	for name, attribute := range map[string]string{
		"Socket": "ApiId", "Connect": "RouteId", "SocketCall": "IntegrationId", "Tokens": "AuthorizerId",
		"SocketDeployment": "DeploymentId",
	} {
		text := apiTemplate + "  A: {Value: !Ref " + name + "}\n  B: {Value: !GetAtt " + name + "." + attribute + "}\n"
		loaded, err := loadText(text, testOptions())
		if err != nil {
			t.Fatal(err)
		}
		if a, b := loaded.Outputs["A"], loaded.Outputs["B"]; a == "" || a != b {
			t.Errorf("Ref of %s is %q, its %s is %q", name, a, attribute, b)
		}
	}
}

const samSocketTemplate = `
Resources:
  Role: {Type: AWS::IAM::Role}
  F:
    Type: AWS::Serverless::Function
    Metadata: {BuildMethod: makefile}
    Properties: {Role: !GetAtt Role.Arn, Runtime: provided.al2023, Handler: bootstrap, CodeUri: .}
  Socket:
    Type: AWS::Serverless::WebSocketApi
    Properties:
      RouteSelectionExpression: $request.body.action
      Routes:
        $connect: {FunctionArn: !GetAtt F.Arn, IntegrationTimeout: 1000}
        echo: {FunctionArn: !GetAtt F.Arn, RouteResponseSelectionExpression: $default}
  Answer:
    Type: AWS::ApiGatewayV2::RouteResponse
    Properties: {ApiId: !Ref Socket, RouteId: !Ref SocketEchoRoute, RouteResponseKey: $default}
`

func TestRawResourcesReferToThoseOfTheTransform(t *testing.T) {
	t.Parallel()
	loaded, err := loadText(samSocketTemplate, testOptions())
	if err != nil {
		t.Fatal(err)
	}
	api := loaded.WebSocketAPIs[0]
	want := []Route{
		{Key: "$connect", AuthorizationType: "NONE", Function: "F", Timeout: time.Second},
		{Key: "echo", AuthorizationType: "NONE", Function: "F", Timeout: 29 * time.Second, TwoWay: true},
	}
	if diff := cmp.Diff(want, api.Routes); diff != "" || api.Stage != "default" {
		t.Errorf("stage %s, routes (-want +got):\n%s", api.Stage, diff)
	}
}

func TestSAMWebSocketAPIErrors(t *testing.T) {
	t.Parallel()
	checkMistakes(t, samSocketTemplate, map[string]mistake{
		"route key": {
			"echo:",
			"send-message:",
			`Socket Properties.Routes.send-message: route key "send-message" must be alphanumeric`,
		},
		"Lambda authorizer": {
			"      Routes:",
			"      Auth: {AuthType: CUSTOM}\n      Routes:",
			`Socket Properties.Auth.AuthType: "CUSTOM" is not supported`,
		},
		"default stage": {
			"      Routes:",
			"      StageName: $default\n      Routes:",
			`Socket Properties.StageName: "$default" must be`,
		},
		"no function": {
			"{FunctionArn: !GetAtt F.Arn, IntegrationTimeout: 1000}",
			"{}",
			"Socket Properties.Routes.$connect.FunctionArn: is needed",
		},
		"own domain": {
			"      Routes:", "      Domain: {}\n      Routes:", "Socket Properties.Domain: is not supported",
		},
		"name of the others": {
			"  Answer:",
			"  SocketEchoRoute: {Type: AWS::Logs::LogGroup}\n  Answer:",
			"the transform makes an AWS::ApiGatewayV2::Route named SocketEchoRoute",
		},
		"route as text": {
			"echo: {FunctionArn: !GetAtt F.Arn, RouteResponseSelectionExpression: $default}",
			"echo: x",
			"Socket Properties.Routes.echo: must be a mapping",
		},
		"IPv6 alone": {
			"      Routes:",
			"      IpAddressType: ipv6\n      Routes:",
			`Socket Properties.IpAddressType: "ipv6" is not supported`,
		},
	})
}
