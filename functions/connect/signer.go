package main

import (
	"errors"
	"fmt"
	"strings"

	"github.com/aws/aws-lambda-go/events"

	"signedsocket/shared/grant"
)

// signers are the principals whose signed URLs open connections. IAM admits every principal of the account whose policy
// allows the route; this list is narrower: the principals that may vouch for users.
type signers struct {
	account string
	// caller is signurl itself, as API Gateway names it: the id of its role, which no other role will ever have, and as
	// session name the function's name.
	caller string
	extra  grant.Principals
}

// newSigners returns the signers of an account: signurl by its caller, "<role id>:<function name>", and users and roles
// by their IAM ARN. The set of extra signers lacks those that leftOut names.
func newSigners(account, caller string, extra []string) (s signers, leftOut, err error) {
	if role, function, ok := strings.Cut(caller, ":"); caller != "" && (!ok || role == "" || function == "") {
		err = errors.New("SIGNER_CALLER must be of the form <role id>:<function name>")
	}
	set, leftOut := grant.NewPrincipals(account, extra)
	if leftOut != nil {
		leftOut = fmt.Errorf("EXTRA_SIGNER_ARNS: %w", leftOut)
	}
	return signers{account: account, caller: caller, extra: set}, leftOut, err
}

// check returns why the signer of a handshake is not accepted, or nil. API Gateway puts the identity into the event
// only when the route demands IAM authorization; without one the route has lost it.
func (s *signers) check(identity events.APIGatewayRequestIdentity) error {
	switch {
	case identity.AccountID == "" || identity.Caller == "" || identity.UserArn == "":
		return errNoIdentity // mutate:signer-none
	case identity.AccountID != s.account:
		return errUnknownSigner
	case identity.Caller == s.caller, s.extra.Contains(identity.UserArn):
		return nil
	}
	return errUnknownSigner // mutate:signer-any
}
