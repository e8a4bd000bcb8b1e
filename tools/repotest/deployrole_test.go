package repotest

import (
	"encoding/json"
	"regexp"
	"slices"
	"strings"
	"testing"

	"go.yaml.in/yaml/v3"
)

// grants is a policy document of a CloudFormation template, in which intrinsic functions are read as their text.
type grants struct {
	Statement []grantStatement `yaml:"Statement"`
}

type grantStatement struct {
	Sid       string                    `yaml:"Sid"`
	Effect    string                    `yaml:"Effect"`
	Action    oneOrMore                 `yaml:"Action"`
	Resource  oneOrMore                 `yaml:"Resource"`
	Condition map[string]map[string]any `yaml:"Condition"`
}

// oneOrMore is a text or a list of texts, in YAML and in JSON.
type oneOrMore []string

// UnmarshalYAML implements yaml.Unmarshaler.
func (o *oneOrMore) UnmarshalYAML(node *yaml.Node) error {
	*o = nil
	if node.Kind == yaml.ScalarNode {
		*o = oneOrMore{node.Value}
		return nil
	}
	for _, item := range node.Content {
		*o = append(*o, item.Value)
	}
	return nil
}

// deployTemplate is github-deploy.yaml, as far as these rules look at it.
type deployTemplate struct {
	Parameters map[string]struct {
		AllowedPattern string `yaml:"AllowedPattern"`
	} `yaml:"Parameters"`
	Resources struct {
		Boundary struct {
			Properties struct {
				PolicyDocument grants `yaml:"PolicyDocument"`
			} `yaml:"Properties"`
		} `yaml:"Boundary"`
		DeployRole struct {
			Properties struct {
				ManagedPolicyArns        []yaml.Node `yaml:"ManagedPolicyArns"`
				AssumeRolePolicyDocument grants      `yaml:"AssumeRolePolicyDocument"`
				Policies                 []struct {
					PolicyDocument grants `yaml:"PolicyDocument"`
				} `yaml:"Policies"`
			} `yaml:"Properties"`
		} `yaml:"DeployRole"`
	} `yaml:"Resources"`
}

func readDeployTemplate(t *testing.T) deployTemplate {
	t.Helper()
	var read deployTemplate
	if err := yaml.Unmarshal([]byte(readFile(t, "github-deploy.yaml")), &read); err != nil {
		t.Fatal(err)
	}
	return read
}

// allowed returns the statements that allow something to the deploy role.
func (d deployTemplate) allowed() (statements []grantStatement) {
	for _, policy := range d.Resources.DeployRole.Properties.Policies {
		for _, s := range policy.PolicyDocument.Statement {
			if s.Effect == "Allow" {
				statements = append(statements, s)
			}
		}
	}
	return statements
}

// TestTheDeployRoleMakesBoundedRolesOnly: a role that makes roles can do all that these can, so each has the boundary,
// and is handed to Lambda alone.
func TestTheDeployRoleMakesBoundedRolesOnly(t *testing.T) {
	t.Parallel()
	d := readDeployTemplate(t)
	if len(d.Resources.DeployRole.Properties.ManagedPolicyArns) > 0 {
		t.Error("the deploy role has managed policies, which AWS writes and no test here has read")
	}
	bounded := []string{"iam:CreateRole", "iam:PutRolePolicy", "iam:PutRolePermissionsBoundary"}
	forbidden := []string{
		"iam:DeleteRolePermissionsBoundary",
		"iam:AttachRolePolicy",
		"iam:CreateUser",
		"iam:CreatePolicyVersion",
		"iam:CreateAccessKey",
	}
	statements := d.allowed()
	if len(statements) < 10 {
		t.Fatalf("found %d statements: the form of github-deploy.yaml has changed", len(statements))
	}
	for _, s := range statements {
		for _, action := range s.Action {
			condition := s.Condition["StringEquals"]
			switch {
			case action == "*", strings.HasPrefix(action, "iam:") && strings.Contains(action, "*"),
				slices.Contains(forbidden, action):
				t.Errorf("%s allows %s", s.Sid, action)
			case slices.Contains(bounded, action) && condition["iam:PermissionsBoundary"] != "Boundary":
				t.Errorf("%s allows %s without the boundary", s.Sid, action)
			case action == "iam:PassRole" && condition["iam:PassedToService"] != "lambda.amazonaws.com":
				t.Errorf("%s hands roles to any service", s.Sid)
			case action == "iam:CreateServiceLinkedRole" && condition["iam:AWSServiceName"] == nil:
				t.Errorf("%s makes a role for any service", s.Sid)
			case strings.HasSuffix(action, ":*") && slices.Contains(s.Resource, "*"):
				t.Errorf("%s allows all of %s on everything", s.Sid, action)
			}
		}
	}
}

// TestTheDeployRoleKnowsEveryServiceOfTheTemplate: a resource of a new kind would fail on its first deployment from
// GitHub.
func TestTheDeployRoleKnowsEveryServiceOfTheTemplate(t *testing.T) {
	t.Parallel()
	services := map[string]string{
		"ApiGatewayV2":   "apigateway",
		"CloudWatch":     "cloudwatch",
		"Cognito":        "cognito-idp",
		"DynamoDB":       "dynamodb",
		"Events":         "events",
		"IAM":            "iam",
		"Lambda":         "lambda",
		"Logs":           "logs",
		"SNS":            "sns",
		"SQS":            "sqs",
		"SecretsManager": "secretsmanager",
	}
	known := map[string]bool{}
	for _, s := range readDeployTemplate(t).allowed() {
		for _, action := range s.Action {
			service, _, _ := strings.Cut(action, ":")
			known[service] = true
		}
	}
	for name, r := range deployedResources(t) {
		kind := strings.Split(r.Type, "::")
		if service := services[kind[1]]; service == "" || !known[service] {
			t.Errorf("%s is of type %s: the deploy role of github-deploy.yaml may not make it", name, r.Type)
		}
	}
}

// TestTheBoundaryAllowsTheFunctionsPermissions: a boundary that lacks an action breaks a function on AWS only.
func TestTheBoundaryAllowsTheFunctionsPermissions(t *testing.T) {
	t.Parallel()
	var bounded []string
	for _, s := range readDeployTemplate(t).Resources.Boundary.Properties.PolicyDocument.Statement {
		bounded = append(bounded, s.Action...)
		for _, action := range s.Action {
			if strings.HasPrefix(action, "iam:") || strings.Contains(action, "*") || slices.Contains(s.Resource, "*") {
				t.Errorf("the boundary lets a role do %s on %v", action, s.Resource)
			}
		}
	}
	actions, needed := regexp.MustCompile(`"([a-z-]+:[A-Z][A-Za-z]+)"`), 0
	for name, r := range transformed[struct {
		Type       string
		Properties struct{ Policies json.RawMessage }
	}](t) {
		if r.Type != "AWS::IAM::Role" {
			continue
		}
		for _, m := range actions.FindAllStringSubmatch(string(r.Properties.Policies), -1) {
			if key := strings.HasPrefix(m[1], "dynamodb:LeadingKeys") ||
				strings.HasPrefix(m[1], "dynamodb:EnclosingOperation"); key {
				continue
			}
			needed++
			if !slices.Contains(bounded, m[1]) {
				t.Errorf("%s needs %s, which the boundary of github-deploy.yaml does not hold", name, m[1])
			}
		}
	}
	if needed < 20 {
		t.Errorf("found %d actions: the form of the template has changed", needed)
	}
}

// TestARepositoryIsKnownByItsIDs: a token of GitHub names the repository with ids, if it was made since July 2026.
func TestARepositoryIsKnownByItsIDs(t *testing.T) {
	t.Parallel()
	d := readDeployTemplate(t)
	pattern := regexp.MustCompile(`^(?:` + d.Parameters["Repository"].AllowedPattern + `)$`)
	for repository, want := range map[string]bool{
		"octo-org@123456/my.repo@456789": true, "octo-org/my_repo": true,
		"octo-org@123456/my-repo": false, "octo-org/my-repo@456789": false, "octo-org@x/my-repo@y": false,
		"octo-org@/my-repo@": false,
		"octo-org/*":         false, "*": false, "octo-org": false, "octo-org/my-repo:ref": false,
		"octo-org/my-repo/x":          false,
		"octo@1/a@2:environment:prod": false,
	} {
		if got := pattern.MatchString(repository); got != want {
			t.Errorf("Repository takes %q: %t, want %t", repository, got, want)
		}
	}
	const subject = "repo:${Repository}:environment:${Environment}"
	trust := d.Resources.DeployRole.Properties.AssumeRolePolicyDocument.Statement
	if len(trust) != 1 || len(trust[0].Condition) != 1 ||
		trust[0].Condition["StringEquals"]["token.actions.githubusercontent.com:sub"] != subject {
		t.Errorf("the deploy role trusts %+v, want one repository and environment to the letter", trust)
	}
}
