package grant

import (
	"strings"
	"testing"
)

const account = "111122223333"

func TestPrincipals(t *testing.T) {
	t.Parallel()
	set, err := NewPrincipals(account, []string{
		"arn:aws:iam::111122223333:user/dev", "arn:aws:iam::111122223333:user/team/alice",
		"arn:aws:iam::111122223333:role/ci/deploy", "arn:aws:iam::111122223333:role/Plain",
		"arn:aws-cn:iam::111122223333:role/china",
	})
	if err != nil || set.Len() != 5 {
		t.Fatalf("set of %d, %v", set.Len(), err)
	}
	const session = "arn:aws:sts::111122223333:assumed-role/"
	tests := []struct {
		name, caller string
		want         bool
	}{
		{"a user", "arn:aws:iam::111122223333:user/dev", true},
		{"a user with path", "arn:aws:iam::111122223333:user/team/alice", true},
		{"a user of that name without path", "arn:aws:iam::111122223333:user/alice", false},
		{"a user of that name with another path", "arn:aws:iam::111122223333:user/ops/alice", false},
		{"a user whose name begins so", "arn:aws:iam::111122223333:user/dev2", false},
		{"a user in another letter case", "arn:aws:iam::111122223333:user/Dev", false},
		{"the user of another account", "arn:aws:iam::444455556666:user/dev", false},
		{"the account's root", "arn:aws:iam::111122223333:root", false},
		{"a session of a role", session + "Plain/s", true},
		{"a session of a role with path, which sessions do not show", session + "deploy/s", true},
		{"another session of it", session + "deploy/another@example.com", true},
		{"a role's own ARN", "arn:aws:iam::111122223333:role/ci/deploy", false},
		{"a role without session", session + "deploy/", false},
		{"a role without session and slash", session + "deploy", false},
		{"a session that looks like a path", session + "deploy/a/b", false},
		{"a role whose name begins so", session + "deploy2/s", false},
		{"a role in another letter case", session + "plain/s", false},
		{"the role's path as its name", session + "ci/deploy", false},
		{"the role of another account", "arn:aws:sts::444455556666:assumed-role/deploy/s", false},
		{"a role in its partition", "arn:aws-cn:sts::111122223333:assumed-role/china/s", true},
		{"that role's name in another partition", session + "china/s", false},
		{"a role called as a user", session + "dev/s", false},
		{"a federated user", "arn:aws:sts::111122223333:federated-user/dev", false},
		{"no caller", "", false},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			if got := set.Contains(test.caller); got != test.want {
				t.Errorf("Contains(%q) = %t, want %t", test.caller, got, test.want)
			}
		})
	}
}

func TestNoPrincipalsContainNoCaller(t *testing.T) {
	t.Parallel()
	set, err := NewPrincipals(account, nil)
	if err != nil || set.Len() != 0 {
		t.Fatalf("set of %d, %v", set.Len(), err)
	}
	for _, caller := range []string{
		"", "arn:aws:iam::111122223333:user/dev", "arn:aws:sts::111122223333:assumed-role//s",
	} {
		if set.Contains(caller) || (Principals{}).Contains(caller) {
			t.Errorf("contains %q", caller)
		}
	}
}

func TestOtherPrincipalsAreRefused(t *testing.T) {
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
			if set, err := NewPrincipals(account, []string{principal}); err == nil || set.Len() != 0 {
				t.Errorf("%q became %+v, %v", principal, set, err)
			}
		})
	}
	_, err := NewPrincipals(account, []string{"one", "arn:aws:iam::111122223333:user/dev", "two"})
	for _, name := range []string{`"one"`, `"two"`} {
		if err == nil || !strings.Contains(err.Error(), name) {
			t.Errorf("err = %v, want all problems, %s among them", err, name)
		}
	}
	if set, err := NewPrincipals("", []string{"arn:aws:iam::444455556666:user/dev"}); err != nil || set.Len() != 1 {
		t.Errorf("of any account: %+v, %v", set, err)
	}
}
