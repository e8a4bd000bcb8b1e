package template

import (
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// loadWith loads this project's template with parameters, which may be invalid.
func loadWith(parameters map[string]string) (*Template, error) {
	o := testOptions()
	o.Parameters = parameters
	return Load(root+"/template.yaml", o)
}

func mustLoadWith(t *testing.T, parameters map[string]string) *Template {
	t.Helper()
	loaded, err := loadWith(parameters)
	if err != nil {
		t.Fatal(err)
	}
	return loaded
}

func TestAuthorizationOfSignUrlFollowsAuthMode(t *testing.T) {
	t.Parallel()
	tokens := &JWTAuthorizer{
		Issuer: "http://127.0.0.1:3003", Audience: []string{"signedsocket"},
		IdentitySource: "$request.header.Authorization",
	}
	tests := map[string]struct {
		authorization string
		authorizer    *JWTAuthorizer
	}{
		"jwt":   {"JWT", tokens},
		"iam":   {"AWS_IAM", nil},
		"guest": {"NONE", nil},
	}
	for mode, test := range tests {
		t.Run(mode, func(t *testing.T) {
			t.Parallel()
			loaded := mustLoadWith(t, map[string]string{"AuthMode": mode})
			i := slices.IndexFunc(loaded.HTTPAPIs[0].Routes, func(r HTTPRoute) bool { return r.Key == "POST /signurl" })
			if i < 0 {
				t.Fatal("there is no POST /signurl")
			}
			route := loaded.HTTPAPIs[0].Routes[i]
			if diff := cmp.Diff(test.authorizer, route.Authorizer); diff != "" ||
				route.AuthorizationType != test.authorization {
				t.Errorf("POST /signurl is authorized by %s, want %s; authorizer (-want +got):\n%s",
					route.AuthorizationType, test.authorization, diff)
			}
			if got := loaded.Functions[functionIndex(t, loaded,
				"SignUrlFunction")].Environment["AUTH_MODE"]; got != mode {
				t.Errorf("signurl is told mode %q", got)
			}
			// These are the authorizations of a request for a URL. The socket itself opens with an IAM signature only.
			for _, r := range loaded.WebSocketAPIs[0].Routes {
				if r.Key == "$connect" && r.AuthorizationType != "AWS_IAM" {
					t.Errorf("$connect is authorized by %s", r.AuthorizationType)
				}
			}
		})
	}
}

func functionIndex(t *testing.T, loaded *Template, logicalID string) int {
	t.Helper()
	i := slices.IndexFunc(loaded.Functions, func(f Function) bool { return f.LogicalID == logicalID })
	if i < 0 {
		t.Fatalf("there is no %s", logicalID)
	}
	return i
}

func TestOnlyModeJwtNeedsAnIssuer(t *testing.T) {
	t.Parallel()
	for mode, want := range map[string]string{
		"jwt": "Rules.JwtNeedsIssuer", "iam": "", "guest": "", "none": "AllowedValues jwt, iam, guest",
		"": "AllowedValues",
	} {
		_, err := loadWith(map[string]string{"AuthMode": mode, "OidcIssuer": ""})
		checkError(t, err, want)
	}
}

// The server of the stack's own page is trusted. Other callers are trusted only if a parameter names them.
func TestThePageNamesUsersInModeIam(t *testing.T) {
	t.Parallel()
	const other = "arn:aws:iam::111122223333:role/other"
	loaded := mustLoadWith(t, map[string]string{"AuthMode": "iam"})
	page := loaded.Roles[slices.IndexFunc(loaded.Roles, func(r Role) bool { return r.LogicalID == "FrontendRole" })].ARN
	for name, test := range map[string]struct {
		parameters map[string]string
		want       string
	}{
		"iam": {map[string]string{"AuthMode": "iam"}, page},
		"iam with others": {
			map[string]string{"AuthMode": "iam", "TrustedCallerArns": other}, page + "," + other,
		},
		"iam without the page": {
			map[string]string{"AuthMode": "iam", "TrustedCallerArns": other, "DeployFrontend": "false"}, other,
		},
		"iam without callers": {map[string]string{"AuthMode": "iam", "DeployFrontend": "false"}, ""},
		"jwt without callers": {nil, ""},
	} {
		loaded := mustLoadWith(t, test.parameters)
		if got := loaded.Functions[functionIndex(t, loaded,
			"SignUrlFunction")].Environment["TRUSTED_CALLER_ARNS"]; got != test.want {
			t.Errorf("%s: signurl trusts %q, want %q", name, got, test.want)
		}
	}
}

func TestThePageCanBeLeftOut(t *testing.T) {
	t.Parallel()
	for _, mode := range []string{"jwt", "iam", "guest"} {
		loaded := mustLoadWith(t, map[string]string{"AuthMode": mode, "DeployFrontend": "false"})
		routes := map[string]int{"jwt": 1, "iam": 2, "guest": 1}[mode] // POST /signurl, and POST /signout
		if len(loaded.HTTPAPIs[0].Routes) != routes || len(loaded.Secrets) != 0 ||
			loaded.Outputs["FrontendUrl"] == "" ||
			slices.ContainsFunc(loaded.Functions, func(f Function) bool { return f.LogicalID == pageFunction }) ||
			slices.ContainsFunc(loaded.Roles, func(r Role) bool { return r.LogicalID == "FrontendRole" }) {
			t.Errorf("mode %s: something of the page is left: %+v", mode, loaded.HTTPAPIs[0].Routes)
		}
	}
}

// Layer 29 belongs to a withdrawn release, and layers before 27 to another major version.
func TestVersionsOfTheAdaptersLayer(t *testing.T) {
	t.Parallel()
	for version, good := range map[string]bool{
		"27": true, "28": true, "30": true, "31": true, "100": true, "29": false, "26": false, "9": false, "": false,
		"latest": false,
	} {
		if _, err := loadWith(map[string]string{"AdapterLayerVersion": version}); (err == nil) != good {
			t.Errorf("version %q: %v", version, err)
		}
	}
	loaded := loadRepository(t)
	want := []string{"arn:aws:lambda:us-east-1:753240598075:layer:LambdaAdapterLayerArm64:30"}
	if got := loaded.Functions[functionIndex(t, loaded, pageFunction)].Layers; !slices.Equal(got, want) {
		t.Errorf("layers %v, want %v", got, want)
	}
}

func TestNoCallerIsAllowedByDefault(t *testing.T) {
	t.Parallel()
	environment := loadRepository(t).Functions[functionIndex(t, loadRepository(t), "SignUrlFunction")].Environment
	for _, name := range []string{"TRUSTED_CALLER_ARNS", "GUEST_ROOMS", "MODERATOR_CLAIM"} {
		if value, given := environment[name]; !given || value != "" {
			t.Errorf("%s is %q (given: %t), want nothing", name, value, given)
		}
	}
	if environment["AUTH_MODE"] != "jwt" || environment["GUEST_CONNECTIONS"] != "100" {
		t.Errorf("environment %v", environment)
	}
	if cors := loadRepository(t).HTTPAPIs[0].CORS; cors != nil {
		t.Errorf("other sites may ask: %+v", cors)
	}
}

func TestParametersOfCallersAreConstrained(t *testing.T) {
	t.Parallel()
	tests := []struct {
		parameter     string
		good, refused []string
	}{
		{
			"TrustedCallerArns",
			[]string{
				"", "arn:aws:iam::111122223333:user/dev", "arn:aws:iam::111122223333:role/service/web",
				"arn:aws-cn:iam::111122223333:role/a",
				"arn:aws:iam::111122223333:role/a,arn:aws:iam::111122223333:user/b",
			},
			[]string{
				"*", "dev", "arn:aws:iam::111122223333:root", "arn:aws:iam::111122223333:role/*",
				"arn:aws:sts::111122223333:assumed-role/a/b",
				"arn:aws:iam::111122223333:role/a,", ",arn:aws:iam::111122223333:role/a",
				"arn:aws:iam::111122223333:role/a, arn:aws:iam::111122223333:role/b",
			},
		},
		{
			"GuestRooms",
			[]string{"", "lobby", "a,b,c,d,e,f,g,h", "news:r", "a:r,a,b:r"},
			[]string{
				"*", "Lobby", "a,,b", "a, b", "a,b,c,d,e,f,g,h,i", strings.Repeat("a", 33), "a:", "a:x", "a:r:r", ":r",
			},
		},
		{"DefaultRooms", []string{"lobby", "news:r", "a,a:r"}, []string{"", "a:x", "a:", "a:R", "a,b:w"}},
		{"ModeratorClaim", []string{"", "moderator", "https://example.com/moderator"}, []string{"a b", "a,b", "$x"}},
		{"GuestConnections", []string{"1", "300"}, []string{"0", "301", "many", ""}},
		{
			"AllowedOrigins",
			[]string{
				"", "https://chat.example.com", "https://chat.example.com:8443", "http://localhost:3000",
				"http://localhost", "http://127.0.0.1:3000",
				"https://a.example,http://localhost:3000,https://b.example",
			},
			[]string{
				"*", "https://*", "https://*.example.com", "http://chat.example.com", "http://localhost.example.com",
				"http://127.0.0.1.example.com",
				"http://localhost:3000@example.com", "https://chat.example.com/", "https://chat.example.com/page",
				"https://Chat.example.com",
				"https://a.example, https://b.example", "https://a.example,", ",https://a.example", "null",
				"chat.example.com", "file://", "https://",
				"https://a.example,http://b.example", "https://user@a.example", "https://a.example?x",
				"https://a.example:", "https://a.example,*",
			},
		},
	}
	for _, test := range tests {
		for _, value := range test.good {
			if _, err := loadWith(map[string]string{test.parameter: value}); err != nil {
				t.Errorf("%s=%s: %v", test.parameter, value, err)
			}
		}
		for _, value := range test.refused {
			if _, err := loadWith(map[string]string{test.parameter: value}); err == nil ||
				!strings.Contains(err.Error(), "Parameters."+test.parameter) {
				t.Errorf("%s=%s gives %v, want it refused", test.parameter, value, err)
			}
		}
	}
}

func TestOtherSitesAreNamedExactly(t *testing.T) {
	t.Parallel()
	loaded := mustLoadWith(t, map[string]string{"AllowedOrigins": "https://a.example,http://localhost:3000"})
	want := &CORS{
		AllowOrigins: []string{"https://a.example", "http://localhost:3000"}, AllowMethods: []string{"POST"},
		AllowHeaders: []string{"authorization", "content-type"}, ExposeHeaders: []string{"retry-after"}, MaxAge: 600,
	}
	if diff := cmp.Diff(want, loaded.HTTPAPIs[0].CORS); diff != "" {
		t.Errorf("CORS (-want +got):\n%s", diff)
	}
}

// Each parameter of the authorization explains itself to the deployer, and explains a wrong value.
func TestParametersOfAuthorizationExplainThemselves(t *testing.T) {
	t.Parallel()
	text := readText(t, "template.yaml")
	for _, name := range []string{
		"AuthMode", "OidcIssuer", "OidcAudience", "NameClaim", "RoomsClaim", "ModeratorClaim", "DefaultRooms",
		"TrustedCallerArns", "GuestRooms", "AllowedOrigins", "ExtraSignerArns",
	} {
		declaration := regexp.MustCompile(`(?m)^  ` + name + `:\n((?:    .*\n)+)`).FindString(text)
		if !strings.Contains(declaration, "Description:") || !strings.Contains(declaration, "Allowed") {
			t.Errorf("%s has no description or no constraint:\n%s", name, declaration)
		}
		if !strings.Contains(text, "          - "+name+"\n") {
			t.Errorf("%s is in no parameter group", name)
		}
	}
}

// conditionalAPI is an HTTP API whose authorization depends on a parameter.
const conditionalAPI = `
Parameters: {Mode: {Type: String, Default: open}}
Conditions: {Tokens: !Equals [!Ref Mode, tokens]}
Resources:
  Role: {Type: AWS::IAM::Role}
  F:
    Type: AWS::Serverless::Function
    Metadata: {BuildMethod: makefile}
    Properties: {FunctionName: f, Role: !GetAtt Role.Arn, Runtime: provided.al2023, Handler: bootstrap, CodeUri: .}
  Web:
    Type: AWS::ApiGatewayV2::Api
    Properties:
      Name: w
      ProtocolType: HTTP
      CorsConfiguration: !If [Tokens, {AllowOrigins: !Split [",", "https://a.example,https://b.example"],
        AllowMethods: [!If [Tokens, POST, !Ref AWS::NoValue]]}, !Ref AWS::NoValue]
  Sign:
    Type: AWS::ApiGatewayV2::Route
    Properties:
      ApiId: !Ref Web
      RouteKey: POST /sign
      AuthorizationType: !If [Tokens, JWT, NONE]
      AuthorizerId: !If [Tokens, !Ref Authorizer, !Ref AWS::NoValue]
      Target: !Sub "integrations/${Call}"
  Call:
    Type: AWS::ApiGatewayV2::Integration
    Properties: {ApiId: !Ref Web, IntegrationType: AWS_PROXY, IntegrationUri: !GetAtt F.Arn,
      PayloadFormatVersion: "2.0"}
  Authorizer:
    Type: AWS::ApiGatewayV2::Authorizer
    Condition: Tokens
    Properties:
      ApiId: !Ref Web
      Name: t
      AuthorizerType: JWT
      IdentitySource: [$request.header.Authorization]
      JwtConfiguration: {Issuer: https://id.example.com, Audience: [a]}
  Stage:
    Type: AWS::ApiGatewayV2::Stage
    Properties: {ApiId: !Ref Web, StageName: $default, AutoDeploy: true}
`

func TestConditionsChooseTheAuthorizationOfARoute(t *testing.T) {
	t.Parallel()
	open, err := loadText(conditionalAPI, testOptions())
	if err != nil {
		t.Fatal(err)
	}
	if api := open.HTTPAPIs[0]; api.CORS != nil || api.Routes[0].AuthorizationType != "NONE" ||
		api.Routes[0].Authorizer != nil {
		t.Errorf("open: %+v", api)
	}
	o := testOptions()
	o.Parameters = map[string]string{"Mode": "tokens"}
	guarded, err := loadText(conditionalAPI, o)
	if err != nil {
		t.Fatal(err)
	}
	api := guarded.HTTPAPIs[0]
	if api.Routes[0].AuthorizationType != "JWT" || api.Routes[0].Authorizer == nil ||
		api.Routes[0].Authorizer.Issuer != "https://id.example.com" {
		t.Errorf("guarded: %+v", api)
	}
	if diff := cmp.Diff(&CORS{
		AllowOrigins: []string{"https://a.example", "https://b.example"}, AllowMethods: []string{"POST"},
	}, api.CORS); diff != "" {
		t.Errorf("CORS (-want +got):\n%s", diff)
	}
}

func TestMistakesInAConditionalAuthorization(t *testing.T) {
	t.Parallel()
	checkMistakes(t, conditionalAPI, map[string]mistake{
		"authorizer that is off": {
			"!If [Tokens, !Ref Authorizer, !Ref AWS::NoValue]",
			"!Ref Authorizer",
			"refers to Authorizer, which the stack does not have: its condition is false",
		},
		"unknown condition": {
			"!If [Tokens, JWT, NONE]", "!If [Missing, JWT, NONE]", `there is no condition "Missing"`,
		},
		"unknown condition of a resource": {
			"    Condition: Tokens", "    Condition: Missing", `there is no condition "Missing"`,
		},
		"JWT without authorizer": {
			"!If [Tokens, JWT, NONE]", "JWT", `Sign: AuthorizerId "" is no authorizer of its API`,
		},
	})
}
