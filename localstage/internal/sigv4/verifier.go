// Package sigv4 verifies AWS Signature Version 4 as API Gateway and DynamoDB do, from the raw request. The signature is
// in the query or in the Authorization header.
//
// It judges from its inputs only. The caller provides the keys, the time and the service. The package reads the raw
// request target, so that no parser stands between the request and its verification. It follows AWS's behaviour where
// that is known, its lenience included, and otherwise takes the stricter reading.
//
// Sources: IAM User Guide, "Create a signed AWS API request" and "Troubleshoot signed requests for AWS APIs";
// localstage/FIDELITY.md lists the differences.
package sigv4

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"net/http"
	"time"
)

// These are the services whose requests are verified, by their names in credential scopes.
const (
	ServiceExecuteAPI = "execute-api"
	ServiceDynamoDB   = "dynamodb"
	ServiceLambda     = "lambda"
)

// Window is the largest distance between X-Amz-Date and now, either way.
//
// Source: IAM User Guide, "Create a signed AWS API request": a request must reach
// AWS within five minutes of its time stamp.
const Window = 5 * time.Minute

// KeyFinder holds the keys of a run.
type KeyFinder interface {
	// FindKey returns the key with an access key ID, and false if there is none.
	FindKey(accessKeyID string) (*Key, bool)
}

// Config configures a Verifier.
type Config struct {
	// Region is the one Region that a credential scope may name.
	Region string
	// Keys finds the key that a request names.
	Keys KeyFinder
	// EnforceExpires also refuses a presigned request once X-Amz-Expires seconds
	// have passed since X-Amz-Date. API Gateway is reported to ignore
	// X-Amz-Expires, so this is off by default.
	EnforceExpires bool
}

// Verifier verifies requests. It has no state of its own, and several goroutines may use it at once.
type Verifier struct {
	config Config
}

// NewVerifier returns a Verifier.
func NewVerifier(c Config) *Verifier {
	return &Verifier{config: c}
}

// Input is one request to verify.
type Input struct {
	// Request is the request of the server. Method, RequestURI, Host and Header count; the parsed URL does not. Verify
	// does not read its Body.
	Request *http.Request
	// Body is the whole body, nil for none.
	Body []byte
	// Service is the service that the credential scope must name, such as ServiceExecuteAPI.
	Service string
	// Now is the time of the verification.
	Now time.Time
}

// Verify returns the key that signed the request, or an error of type *Error that holds AWS's answer. Of several
// mistakes it reports the first in this order: authentication missing, malformed, wrong scope, unknown key or token,
// wrong time, wrong signature. AWS does not document its own order.
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

// findKey returns the key that the claim names, after a check of the session token. A user's key has no token, and then
// the request must have none.
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
// The payload hash is always that of the received body. X-Amz-Content-Sha256 must equal it if present: UNSIGNED-PAYLOAD
// belongs to S3, and a body outside of the signature could be exchanged on its way.
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
