package localstage

import (
	"fmt"
	"log/slog"
	"maps"
	"net/http"
	"strings"

	"signedsocket/localstage/internal/gateway"
	"signedsocket/localstage/internal/httpapi"
	"signedsocket/localstage/internal/iamauth"
	"signedsocket/localstage/internal/policy"
	"signedsocket/localstage/internal/template"
)

// adminProfile is a user with all permissions, for people at a terminal.
const adminProfile = "admin"

// principals are the identities of one run: a role session for each function, and admin.
type principals struct {
	authority  *iamauth.Authority
	byFunction map[string]*iamauth.Principal // by logical id
	admin      *iamauth.Principal
}

func newPrincipals(t *template.Template, c Config) (*principals, error) {
	documents, err := rolePolicies(t, c.Log)
	if err != nil {
		return nil, err
	}
	identities := &principals{byFunction: make(map[string]*iamauth.Principal, len(t.Functions))}
	for _, f := range t.Functions {
		role, ok := findRole(t, f.Role)
		if !ok {
			return nil, fmt.Errorf("function %s: its role %q is not in the template", f.LogicalID, f.Role)
		}
		identities.byFunction[f.LogicalID] = iamauth.NewRolePrincipal(iamauth.RoleSession{
			AccountID:    AccountID,
			RoleName:     role.Name,
			RoleID:       role.RoleID,
			FunctionName: f.Name,
			Policies:     documents[role.LogicalID],
		})
	}
	everything, err := policy.Parse([]byte(`{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"*",` +
		`"Resource":"*"}}`))
	if err != nil {
		return nil, fmt.Errorf("policy of %s: %w", adminProfile, err)
	}
	identities.admin = iamauth.NewUserPrincipal(iamauth.User{
		AccountID: AccountID, Name: adminProfile, Policies: []policy.Document{everything},
	})
	all := []*iamauth.Principal{identities.admin}
	for _, p := range identities.byFunction {
		all = append(all, p)
	}
	identities.authority, err = iamauth.New(iamauth.Config{
		Region: Region, EnforceExpires: c.EnforceExpires, Principals: all,
	})
	return identities, err
}

// rolePolicies parses every role's policies, and logs the parts that the stage evaluates otherwise than AWS.
func rolePolicies(t *template.Template, log *slog.Logger) (map[string][]policy.Document, error) {
	documents := make(map[string][]policy.Document, len(t.Roles))
	for _, role := range t.Roles {
		for _, raw := range role.Policies {
			document, err := policy.Parse(raw)
			if err != nil {
				return nil, fmt.Errorf("policy of role %s: %w", role.LogicalID, err)
			}
			warnOfPolicy(log, role.LogicalID, document)
			documents[role.LogicalID] = append(documents[role.LogicalID], document)
		}
	}
	return documents, nil
}

func findRole(t *template.Template, logicalID string) (template.Role, bool) {
	for _, role := range t.Roles {
		if role.LogicalID == logicalID {
			return role, true
		}
	}
	return template.Role{}, false
}

// writeFile writes an AWS shared credentials file with a profile per function and admin.
func (p *principals) writeFile(path string) error {
	profiles := maps.Clone(p.byFunction)
	profiles[adminProfile] = p.admin
	return iamauth.WriteCredentialsFile(path, Region, profiles)
}

// allow verifies the signature of a request and evaluates the signer's policies. The action's prefix names the service.
// shown is the resource in a refusal.
func allow(
	a *iamauth.Authority, r *http.Request, body []byte, action, resource, shown string,
) (*iamauth.Principal, *iamauth.Refusal) {
	service, _, _ := strings.Cut(action, ":")
	principal, refusal := a.Authenticate(r, body, service)
	if refusal != nil {
		return nil, refusal
	}
	decision := principal.Allows(policy.Request{Action: action, Resource: resource, Context: conditions(r)})
	if !decision.Allowed() {
		return nil, iamauth.Denied(principal, action, shown, decision)
	}
	return principal, nil
}

// socketAuthorizer is the Authorizer of the WebSocket API and its @connections.
type socketAuthorizer struct {
	authority *iamauth.Authority
}

// Authorize implements gateway.Authorizer.
func (s socketAuthorizer) Authorize(
	r *http.Request, body []byte, access gateway.Access,
) (gateway.Identity, gateway.Refusal) {
	p, refusal := allow(s.authority, r, body, access.Action, access.Resource, access.ResourceShown)
	if refusal != nil {
		return gateway.Identity{}, refusal
	}
	return gateway.Identity{
		UserARN: p.ARN, AccountID: p.AccountID, Caller: p.UserID, AccessKey: p.AccessKeyID, User: p.UserID,
	}, nil
}

// httpAuthorizer is the Authorizer of the HTTP API's routes with IAM authorization.
type httpAuthorizer struct {
	authority *iamauth.Authority
}

// Authorize implements httpapi.Authorizer.
func (h httpAuthorizer) Authorize(r *http.Request, body []byte, action, resource string) (httpapi.Identity, error) {
	p, refusal := allow(h.authority, r, body, action, resource, resource)
	if refusal != nil {
		return httpapi.Identity{}, fmt.Errorf("%v", refusal)
	}
	return httpapi.Identity{
		AccessKey: p.AccessKeyID, AccountID: p.AccountID, CallerID: p.UserID, UserARN: p.ARN, UserID: p.UserID,
	}, nil
}
