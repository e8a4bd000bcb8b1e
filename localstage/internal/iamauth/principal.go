// Package iamauth does the two tasks of IAM for the local stage: it verifies the signature of a request, and evaluates
// whether the signer's policies allow it. It makes the principals of a run, whose credentials are valid nowhere else,
// and refuses in the words of AWS.
package iamauth

import (
	"crypto/rand"
	"encoding/base64"
	"log/slog"
	"maps"

	"signedsocket/localstage/internal/policy"
	"signedsocket/localstage/internal/sigv4"
)

// Principal is an identity of this run with its credentials and policies. Printing or logging it shows its access key
// ID and ARN and nothing else. It does not change, and several goroutines may use it at once.
type Principal struct {
	// AccessKeyID is no secret; the rest of the credentials is in Credentials.
	AccessKeyID string
	// ARN is the caller's name in events and answers, such as
	// arn:aws:sts::111122223333:assumed-role/ConnectRole/ConnectFunction.
	ARN string
	// UserID is the unique ID of the caller: AROA…:session of a role, AIDA… of a
	// user. API Gateway calls it caller and user.
	UserID string
	// AccountID is the account of the principal.
	AccountID string

	key      *sigv4.Key
	policies []policy.Document
	context  policy.Context // the condition keys of the principal, such as aws:PrincipalArn
}

// RoleSession describes a function's session of its role.
type RoleSession struct {
	AccountID string
	RoleName  string
	// RoleID is the unique ID of the role, AROA and 17 characters.
	RoleID string
	// FunctionName is the session's name, as for Lambda's sessions.
	FunctionName string
	Policies     []policy.Document
}

// NewRolePrincipal makes temporary credentials for a function's role.
//
// Source: IAM User Guide, "IAM identifiers", for the forms of IDs and ARNs, and
// "AWS global condition context keys".
func NewRolePrincipal(s RoleSession) *Principal {
	p := &Principal{
		ARN:       "arn:aws:sts::" + s.AccountID + ":assumed-role/" + s.RoleName + "/" + s.FunctionName,
		UserID:    s.RoleID + ":" + s.FunctionName,
		AccountID: s.AccountID,
		policies:  s.Policies,
		context: policy.Context{
			"aws:PrincipalArn":     {"arn:aws:iam::" + s.AccountID + ":role/" + s.RoleName},
			"aws:PrincipalAccount": {s.AccountID},
			"aws:PrincipalType":    {"AssumedRole"},
			"aws:userid":           {s.RoleID + ":" + s.FunctionName},
		},
	}
	p.setKey(sigv4.Credentials{
		AccessKeyID: "ASIA" + randomID(16), SecretAccessKey: randomSecret(), SessionToken: randomToken(),
	})
	return p
}

// User describes an IAM user.
type User struct {
	AccountID string
	Name      string
	Policies  []policy.Document
}

// NewUserPrincipal makes a long-term access key, which has no session token, and a unique ID for a user.
func NewUserPrincipal(u User) *Principal {
	p := &Principal{
		ARN:       "arn:aws:iam::" + u.AccountID + ":user/" + u.Name,
		UserID:    "AIDA" + randomID(17),
		AccountID: u.AccountID,
		policies:  u.Policies,
	}
	p.context = policy.Context{
		"aws:PrincipalArn":     {p.ARN},
		"aws:PrincipalAccount": {u.AccountID},
		"aws:PrincipalType":    {"User"},
		"aws:userid":           {p.UserID},
		"aws:username":         {u.Name},
	}
	p.setKey(sigv4.Credentials{AccessKeyID: "AKIA" + randomID(16), SecretAccessKey: randomSecret()})
	return p
}

func (p *Principal) setKey(c sigv4.Credentials) {
	p.AccessKeyID = c.AccessKeyID
	p.key = sigv4.NewKey(c)
}

// Credentials returns the principal's secrets, for the process that signs with them.
func (p *Principal) Credentials() sigv4.Credentials {
	return p.key.Credentials()
}

// Allows evaluates the principal's policies for r. It adds the principal's condition keys, such as aws:PrincipalArn, to
// those of r; where both have one, the principal's counts.
func (p *Principal) Allows(r policy.Request) policy.Decision {
	if len(r.Context) == 0 {
		r.Context = p.context
	} else {
		merged := make(policy.Context, len(r.Context)+len(p.context))
		maps.Copy(merged, r.Context)
		maps.Copy(merged, p.context)
		r.Context = merged
	}
	return policy.Evaluate(p.policies, r)
}

// String returns the access key ID and the ARN.
func (p *Principal) String() string {
	return p.AccessKeyID + " (" + p.ARN + ")"
}

// LogValue returns the access key ID and the ARN as attributes.
func (p *Principal) LogValue() slog.Value {
	return slog.GroupValue(slog.String("accessKeyId", p.AccessKeyID), slog.String("arn", p.ARN))
}

// randomID returns n characters, at most 26, of the alphabet of AWS's unique IDs.
func randomID(n int) string {
	return rand.Text()[:n]
}

// randomSecret returns a secret access key: 40 characters.
func randomSecret() string {
	return randomBase64(30)
}

// randomToken returns a session token of the usual length, 832 characters, with the usual beginning. It has the
// characters of base64 that need escaping in a URL.
func randomToken() string {
	return "IQoJb3JpZ2luX2Vj" + randomBase64(611)
}

func randomBase64(bytes int) string {
	b := make([]byte, bytes)
	_, _ = rand.Read(b) // it never fails
	return base64.StdEncoding.EncodeToString(b)
}
