package main

import (
	"errors"
	"testing"

	"github.com/aws/aws-lambda-go/events"
)

const (
	account = "111122223333"
	caller  = "AROAEXAMPLE:chat-SignUrlFunction-1"
)

// signed returns the identity of an event whose URL this function's signurl signed.
func signed() events.APIGatewayRequestIdentity {
	return events.APIGatewayRequestIdentity{
		AccountID: account, Caller: caller, User: caller, AccessKey: "ASIAEXAMPLE", SourceIP: "203.0.113.7",
		UserArn: "arn:aws:sts::111122223333:assumed-role/chat-SignUrlRole-1/chat-SignUrlFunction-1",
	}
}

func TestSigners(t *testing.T) {
	t.Parallel()
	s, leftOut, err := newSigners(account, caller, []string{
		"arn:aws:iam::111122223333:user/dev", "arn:aws:iam::111122223333:user/team/alice",
		"arn:aws:iam::111122223333:role/ci/deploy", "arn:aws-cn:iam::111122223333:role/china",
	})
	if err != nil || leftOut != nil {
		t.Fatal(err, leftOut)
	}
	// with returns the identity of another principal of the account.
	with := func(caller, arn string) events.APIGatewayRequestIdentity {
		return events.APIGatewayRequestIdentity{AccountID: account, Caller: caller, User: caller, UserArn: arn}
	}
	other := signed()
	other.AccountID = "444455556666"
	noAccount := signed()
	noAccount.AccountID = ""
	const role = "arn:aws:sts::111122223333:assumed-role/"
	tests := []struct {
		name     string
		identity events.APIGatewayRequestIdentity
		want     error
	}{
		{"signurl", signed(), nil},
		{"signurl's caller in another account", other, errUnknownSigner},
		{"signurl's caller without account", noAccount, errNoIdentity},
		{"no identity", events.APIGatewayRequestIdentity{SourceIP: "203.0.113.7"}, errNoIdentity},
		{"signurl's role in another session", with("AROAEXAMPLE:other", role+"chat-SignUrlRole-1/other"),
			errUnknownSigner},
		{"another role with signurl's session name",
			with("AROAOTHER:chat-SignUrlFunction-1", role+"other/chat-SignUrlFunction-1"), errUnknownSigner},
		{"a longer caller", with(caller+"2", role+"x/y"), errUnknownSigner},
		{"a listed user", with("AIDA1", "arn:aws:iam::111122223333:user/dev"), nil},
		{"a listed user with path", with("AIDA2", "arn:aws:iam::111122223333:user/team/alice"), nil},
		{"a user of that name without path", with("AIDA3", "arn:aws:iam::111122223333:user/alice"), errUnknownSigner},
		{"a user whose name begins so", with("AIDA4", "arn:aws:iam::111122223333:user/dev2"), errUnknownSigner},
		{"the account's root", with(account, "arn:aws:iam::111122223333:root"), errUnknownSigner},
		{"a listed role, whose path sessions do not show", with("AROA1:s", role+"deploy/s"), nil},
		{"a listed role's ARN itself", with("AROA1", "arn:aws:iam::111122223333:role/ci/deploy"), errUnknownSigner},
		{"a listed role without session", with("AROA1:", role+"deploy/"), errUnknownSigner},
		{"a listed role with a session that looks like a path", with("AROA1:s", role+"deploy/a/b"), errUnknownSigner},
		{"a role whose name begins so", with("AROA2:s", role+"deploy2/s"), errUnknownSigner},
		{"the role's path as its name", with("AROA3:s", role+"ci/deploy"), errUnknownSigner},
		{"a listed role in its partition", with("AROA4:s", "arn:aws-cn:sts::111122223333:assumed-role/china/s"), nil},
		{"a listed role's name in another partition", with("AROA4:s", role+"china/s"), errUnknownSigner},
		{"a federated user", with("1:dev", "arn:aws:sts::111122223333:federated-user/dev"), errUnknownSigner},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			if err := s.check(test.identity); !errors.Is(err, test.want) {
				t.Errorf("check = %v, want %v", err, test.want)
			}
		})
	}
}

// TestOtherPrincipalsAreLeftOut: the function starts without them, and the others still count.
func TestOtherPrincipalsAreLeftOut(t *testing.T) {
	t.Parallel()
	for _, principal := range []string{
		"dev", "*", "", "arn:aws:iam::111122223333:root", "arn:aws:iam::111122223333:group/dev",
		"arn:aws:iam::111122223333:user/",
		"arn:aws:iam::111122223333:user/*", "arn:aws:iam::111122223333:role/a?", "arn:aws:iam::444455556666:user/dev",
		"arn:aws:iam:us-east-1:111122223333:user/dev", "arn:aws:sts::111122223333:assumed-role/deploy/s",
		"arn:aws:iam::111122223333:role/ci/", "arn:aws:iam::111122223333:user",
	} {
		t.Run(principal, func(t *testing.T) {
			t.Parallel()
			s, leftOut, err := newSigners(account, caller, []string{principal, "arn:aws:iam::111122223333:user/dev"})
			if err != nil || leftOut == nil || s.extra.Len() != 1 ||
				!s.extra.Contains("arn:aws:iam::111122223333:user/dev") {
				t.Errorf("%q became %+v, %v, %v", principal, s, leftOut, err)
			}
		})
	}
	for _, caller := range []string{"AROAEXAMPLE", "AROAEXAMPLE:", ":name"} {
		if _, _, err := newSigners(account, caller, nil); err == nil {
			t.Errorf("caller %q", caller)
		}
	}
}
