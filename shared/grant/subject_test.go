package grant

import (
	"strings"
	"testing"

	"signedsocket/shared/guest"
)

func TestSubjectOf(t *testing.T) {
	t.Parallel()
	const issuer = "https://issuer.example"
	tests := []struct{ name, sub, want string }{
		{"as it is", "alice", "alice"},
		{"as long as allowed", strings.Repeat("a", 64), strings.Repeat("a", 64)},
		// printf 'https://issuer.exampleauth0|alice' | openssl dgst -sha256 -binary | basenc --base64url | cut -c1-32
		{"other characters", "auth0|alice", "axsu4hNX-HtsizaUqUjy80bBLQKEyP_q"},
		{"too long", strings.Repeat("a", 65), ""},
		{"a guest's", guest.NewID(), ""},
		{"that of all guests", guest.Pool, ""},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			got := SubjectOf(issuer, test.sub)
			if test.want != "" && got != test.want || test.want == "" && (got == test.sub || len(got) != 32) {
				t.Errorf("SubjectOf(%q) = %q, want %q", test.sub, got, test.want)
			}
			if !ValidSubject(got) || guest.Reserved(got) {
				t.Errorf("%q is no user's id", got)
			}
			if test.want == "" && SubjectOf("https://other.example", test.sub) == got {
				t.Error("two issuers' users are one")
			}
		})
	}
}
