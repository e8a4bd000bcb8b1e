// Package principal is a set of IAM users and roles, written down as their ARNs, against which a
// caller is matched as API Gateway names one: by the userArn of an event.
//
// A user's userArn is the ARN of the user. A role's is that of a session,
// arn:aws:sts::<account>:assumed-role/<name>/<session>, which leaves out the role's path.
package principal

import (
	"errors"
	"fmt"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws/arn"
)

// Set is a set of IAM users and roles of one account. The zero Set is empty.
type Set struct {
	users map[string]bool // ARNs
	roles []string        // ARNs of the role's sessions, up to and with the slash before the session name
}

// NewSet returns the set of the users and roles with these ARNs, arn:aws:iam::<account>:user/… or role/…. It leaves out
// everything else, and principals of another account: API Gateway lets none of them in. An empty account stands for
// any. The error names all entries that are left out; the set holds the others.
func NewSet(account string, arns []string) (Set, error) {
	set := Set{users: make(map[string]bool)}
	var problems []error
	for _, principal := range arns {
		if err := set.add(account, principal); err != nil {
			problems = append(problems, fmt.Errorf("%q %w", principal, err))
		}
	}
	return set, errors.Join(problems...)
}

func (s *Set) add(account, principal string) error {
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
		s.users[principal] = true
	default:
		s.roles = append(s.roles,
			fmt.Sprintf("arn:%s:sts::%s:assumed-role/%s/", parsed.Partition, parsed.AccountID, name))
	}
	return nil
}

// Len returns how many users and roles are in the set.
func (s Set) Len() int { return len(s.users) + len(s.roles) }

// Contains reports whether a caller with this userArn is one of the users, or a session of one of the roles.
func (s Set) Contains(userARN string) bool {
	if s.users[userARN] {
		return true
	}
	for _, role := range s.roles {
		if session, ok := strings.CutPrefix(userARN, role); ok && session != "" && !strings.Contains(session, "/") {
			return true
		}
	}
	return false
}
