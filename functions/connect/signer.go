package main

import (
	"errors"
	"fmt"
	"strings"

	"github.com/aws/aws-lambda-go/events"
	"github.com/aws/aws-sdk-go-v2/aws/arn"
)

// signers are the principals whose signed URLs open connections. IAM lets every principal of the
// account in whose policy allows it; this is the narrower list of those who may vouch for users.
type signers struct {
	account string
	// caller is signurl itself, as API Gateway names it: the id of its role, which no other role
	// will ever have, and as session name the function's name.
	caller string
	users  map[string]bool // ARNs of IAM users
	roles  []string        // ARNs of assumed roles, up to and with the slash before the session name
}

// newSigners returns the signers of an account: signurl by its caller, "<role id>:<function name>",
// and users and roles by their IAM ARN. Anything else than these is an error, and so is a principal
// of another account, which cannot be let in by a WebSocket API anyway.
func newSigners(account, caller string, extra []string) (signers, error) {
	s := signers{account: account, caller: caller, users: make(map[string]bool)}
	var problems []error
	if role, function, ok := strings.Cut(caller, ":"); caller != "" && (!ok || role == "" || function == "") {
		problems = append(problems, errors.New("SIGNER_CALLER must be of the form <role id>:<function name>"))
	}
	for _, principal := range extra {
		if err := s.add(principal); err != nil {
			problems = append(problems, fmt.Errorf("EXTRA_SIGNER_ARNS: %q %w", principal, err))
		}
	}
	return s, errors.Join(problems...)
}

func (s *signers) add(principal string) error {
	parsed, err := arn.Parse(principal)
	kind, path, _ := strings.Cut(parsed.Resource, "/")
	name := path[strings.LastIndexByte(path, '/')+1:]
	switch {
	case err != nil, parsed.Service != "iam", parsed.Region != "", kind != "user" && kind != "role", name == "", strings.ContainsAny(path, "*?: "):
		return errors.New("is not the ARN of an IAM user or role")
	case s.account != "" && parsed.AccountID != s.account:
		return errors.New("is of another account")
	case kind == "user":
		s.users[principal] = true
	default:
		// Sessions do not show the path of their role.
		s.roles = append(s.roles, fmt.Sprintf("arn:%s:sts::%s:assumed-role/%s/", parsed.Partition, parsed.AccountID, name))
	}
	return nil
}

// check returns why the signer of a handshake is not accepted, or nil. API Gateway puts the identity
// into the event only when the route demands IAM authorization; without one the route has lost it.
func (s *signers) check(identity events.APIGatewayRequestIdentity) error {
	switch {
	case identity.AccountID == "" || identity.Caller == "" || identity.UserArn == "":
		return errNoIdentity
	case identity.AccountID != s.account:
		return errUnknownSigner
	case identity.Caller == s.caller, s.users[identity.UserArn]:
		return nil
	}
	for _, role := range s.roles {
		if session, ok := strings.CutPrefix(identity.UserArn, role); ok && session != "" && !strings.Contains(session, "/") {
			return nil
		}
	}
	return errUnknownSigner
}
