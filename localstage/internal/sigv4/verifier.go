// Package sigv4 verifies AWS Signature Version 4 as API Gateway and DynamoDB do:
// from the request as it arrived, whether the signature is in the query or in
// the Authorization header.
//
// It judges from its inputs only. The keys, the time and the service are given
// to it, and it reads the raw request target, so that no parser stands between
// what was sent and what is verified. Where AWS's behaviour is known it is
// followed, its lenience included; where it is not known, the stricter reading
// was taken.
//
// Sources: IAM User Guide, "Create a signed AWS API request" and "Troubleshoot
// signed requests for AWS APIs"; localstage/FIDELITY.md lists what differs.
package sigv4

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"net/http"
	"time"
)

// The services whose requests are verified, by the names that credential scopes
// use.
const (
	ServiceExecuteAPI = "execute-api"
	ServiceDynamoDB   = "dynamodb"
	ServiceLambda     = "lambda"
)

// Window is how far X-Amz-Date may be from now, either way.
//
// Source: IAM User Guide, "Create a signed AWS API request": a request must reach
// AWS within five minutes of its time stamp.
const Window = 5 * time.Minute

// KeyFinder knows the keys of a run.
type KeyFinder interface {
	// FindKey returns the key with an access key ID, and false if there is none.
	FindKey(accessKeyID string) (*Key, bool)
}

// Config is what a Verifier needs.
type Config struct {
	// Region is the one Region that credentials may be scoped to.
	Region string
	// Keys finds the key that a request names.
	Keys KeyFinder
	// EnforceExpires also refuses a presigned request once X-Amz-Expires seconds
	// have passed since X-Amz-Date. API Gateway is reported to ignore
	// X-Amz-Expires, so this is off by default.
	EnforceExpires bool
}

// Verifier verifies requests. It has no state of its own and may be used by
// several goroutines at once.
type Verifier struct {
	config Config
}

// NewVerifier returns a Verifier.
func NewVerifier(c Config) *Verifier {
	return &Verifier{config: c}
}

// Input is one request to verify.
type Input struct {
	// Request is the request as the server got it. Method, RequestURI, Host and
	// Header count; the parsed URL does not. Its Body is not read.
	Request *http.Request
	// Body is the whole body, nil for none.
	Body []byte
	// Service is what the credential must be scoped to, such as ServiceExecuteAPI.
	Service string
	// Now is the time to judge the request by.
	Now time.Time
}

// Verify returns the key that signed the request, or an error of type *Error that
// holds AWS's answer. Of several faults it reports the first in this order:
// authentication missing, malformed, wrong scope, unknown key or token, wrong
// time, wrong signature. AWS's own order is not documented.
func (v *Verifier) Verify(in Input) (*Key, error) {
	c, refusal := readClaim(in.Request, in.Service)
	if refusal != nil {
		return nil, refusal
	}
	if refusal := c.checkScope(v.config.Region, in.Service); refusal != nil {
		return nil, refusal
	}
	key, refusal := v.findKey(c, in.Now)
	if refusal != nil {
		return nil, refusal
	}
	if refusal := c.checkTime(in.Now, v.config.EnforceExpires); refusal != nil {
		return nil, refusal
	}
	if refusal := checkSignature(c, key, in); refusal != nil {
		return nil, refusal
	}
	return key, nil
}

// findKey returns the key that the claim names, once its session token is seen to
// be the key's own. A user's key has no token, and then the request must have none.
func (v *Verifier) findKey(c *claim, now time.Time) (*Key, *Error) {
	key, ok := v.config.Keys.FindKey(c.accessKeyID)
	switch {
	case !ok:
		return nil, unrecognizedClient("unknown access key ID")
	case !key.hasToken(c.token):
		return nil, unrecognizedClient("the session token is missing or is not that of the access key")
	case key.expired(now):
		return nil, expiredToken()
	}
	return key, nil
}

// checkSignature computes the signature of the request and compares.
//
// The payload hash is always that of the body received. X-Amz-Content-Sha256, if
// sent, must say the same: UNSIGNED-PAYLOAD is S3's, and a body that the
// signature does not cover could be exchanged on its way.
func checkSignature(c *claim, key *Key, in Input) *Error {
	sum := sha256.Sum256(in.Body)
	payloadHash := hex.AppendEncode(make([]byte, 0, 2*len(sum)), sum[:])
	canonical := appendCanonicalRequest(make([]byte, 0, 2048), c, in.Request, payloadHash)
	toSign := appendStringToSign(make([]byte, 0, 192), c, canonical)

	signature := key.sign(c.scope, toSign)
	said, once := singleHeader(in.Request, "X-Amz-Content-Sha256")
	hashHolds := once && (said == "" || said == string(payloadHash))
	if !hmac.Equal(signature[:], []byte(c.signature)) || !hashHolds { // mutate:stage-signature
		return invalidSignature(canonical, toSign)
	}
	return nil
}
