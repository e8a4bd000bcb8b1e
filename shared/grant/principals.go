package grant

import (
	"errors"
	"fmt"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws/arn"
)

// Principals are IAM users and roles that may vouch for users: they sign grants, or ask signurl for one. A caller is
// matched by its userArn in API Gateway's event. The zero value has no principal.
//
// A user's userArn is the ARN of the user. A role's is that of a session,
// arn:aws:sts::<account>:assumed-role/<name>/<session>, without the role's path.
type Principals struct {
	users map[string]bool // ARNs
	roles []string        // ARNs of the role's sessions, up to and with the slash before the session name
}

// NewPrincipals returns the users and roles with these ARNs, arn:aws:iam::<account>:user/… or role/…. It leaves out
// all other entries, and principals of another account, which API Gateway refuses. An empty account stands for any.
// The error names the entries that are left out; the result holds the others.
func NewPrincipals(account string, arns []string) (Principals, error) {
	set := Principals{users: make(map[string]bool)}
	var problems []error
	for _, principal := range arns {
		if err := set.add(account, principal); err != nil {
			problems = append(problems, fmt.Errorf("%q %w", principal, err))
		}
	}
	return set, errors.Join(problems...)
}

func (p *Principals) add(account, principal string) error {
	parsed, err := arn.Parse(principal)
	kind, path, _ := strings.Cut(parsed.Resource, "/")
	name := path[strings.LastIndexByte(path, '/')+1:]
	switch {
	case err != nil, parsed.Service != "iam", parsed.Region != "", kind != "user" && kind != "role", name == "",
		strings.ContainsAny(path, "*?: "):
		return errors.New("is not the ARN of an IAM user or role")
	case account != "" && parsed.AccountID != account: // mutate:principal-account
		return errors.New("is of another account")
	case kind == "user":
		p.users[principal] = true
	default:
		p.roles = append(p.roles,
			fmt.Sprintf("arn:%s:sts::%s:assumed-role/%s/", parsed.Partition, parsed.AccountID, name))
	}
	return nil
}

// Len returns the number of users and roles.
func (p Principals) Len() int { return len(p.users) + len(p.roles) }

// Contains reports whether a caller with this userArn is one of the users, or a session of one of the roles.
func (p Principals) Contains(userARN string) bool {
	if p.users[userARN] {
		return true
	}
	for _, role := range p.roles {
		if session, ok := strings.CutPrefix(userARN, role); ok && session != "" && !strings.Contains(session, "/") {
			return true
		}
	}
	return false
}
