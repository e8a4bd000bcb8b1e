package sigv4

import (
	"crypto/sha256"
	"encoding/base64"
	"time"
)

// These are the kinds of refusal, by their names in x-amzn-ErrorType or __type.
const (
	CodeMissingAuthenticationToken = "MissingAuthenticationTokenException"
	CodeIncompleteSignature        = "IncompleteSignatureException"
	CodeInvalidSignature           = "InvalidSignatureException"
	CodeUnrecognizedClient         = "UnrecognizedClientException"
	CodeExpiredToken               = "ExpiredTokenException"
)

// Error is a refusal. API Gateway and Lambda answer it with status 403, DynamoDB
// with 400.
type Error struct {
	// Code is the kind, one of the Code constants.
	Code string
	// Reason says why in a few words, and is safe to log.
	Reason string

	message func() string // a func, because fmt does not print the result of one
}

// Error returns the code and the reason, and so no secret.
func (e *Error) Error() string {
	return e.Code + ": " + e.Reason
}

// Message returns the answer's message in AWS's words. It may hold the canonical request, and with it a session token:
// it is for the client and never for a log.
func (e *Error) Message() string {
	return e.message()
}

func newError(code, message, reason string) *Error {
	return &Error{Code: code, Reason: reason, message: func() string { return message }}
}

func missingToken(service string) *Error {
	message := "Missing Authentication Token"
	if service == ServiceDynamoDB {
		message = "Request is missing Authentication Token"
	}
	return newError(CodeMissingAuthenticationToken, message, "the request is not signed")
}

func malformed(message string) *Error {
	return newError(CodeIncompleteSignature, message, "the signature's parameters, or the query, are malformed")
}

func unsupportedAlgorithm(name string) *Error {
	return malformed("Unsupported AWS 'algorithm': '" + name + "' (only " + algorithm + " for now). ")
}

// notKeyValue returns the error for an Authorization header that is not SigV4's, such as a bearer token. Source:
// answers of API Gateway since 2023.
func notKeyValue(authorization string) *Error {
	return malformed("Invalid key=value pair (missing equal-sign) in Authorization header (hashed with SHA-256 and " +
		"encoded with Base64): '" +
		hashed(authorization) + "'.")
}

func hashed(s string) string {
	sum := sha256.Sum256([]byte(s))
	return base64.StdEncoding.EncodeToString(sum[:])
}

func bothForms() *Error {
	return newError(
		CodeInvalidSignature,
		"Found both 'X-Amz-Algorithm' as a query-string param and 'Authorization' as HTTP header.",
		"signed by header and by query at once",
	)
}

func hostNotSigned() *Error {
	return newError(
		CodeInvalidSignature,
		"'Host' or ':authority' must be a 'SignedHeader' in the AWS Authorization.",
		"the host is not signed",
	)
}

func wrongScope(message string) *Error {
	return newError(CodeInvalidSignature, message, "the credential's scope is wrong")
}

func unrecognizedClient(reason string) *Error {
	return newError(CodeUnrecognizedClient, "The security token included in the request is invalid.", reason)
}

func expiredToken() *Error {
	return newError(
		CodeExpiredToken,
		"The security token included in the request is expired",
		"the credentials have expired",
	)
}

func signatureExpired(timestamp string, earliest, now time.Time, window string) *Error {
	return newError(
		CodeInvalidSignature,
		"Signature expired: "+timestamp+" is now earlier than "+earliest.Format(timeFormat)+
			" ("+now.Format(timeFormat)+" - "+window+")",
		"the signature is too old",
	)
}

func signatureNotYetCurrent(timestamp string, latest, now time.Time) *Error {
	return newError(
		CodeInvalidSignature,
		"Signature not yet current: "+timestamp+" is still later than "+latest.Format(timeFormat)+
			" ("+now.Format(timeFormat)+" + 5 min.)",
		"the signature is from the future",
	)
}

// invalidSignature returns the error for a wrong signature. AWS shows its own canonical request, which helps to find
// the difference.
func invalidSignature(canonicalRequest, stringToSign []byte) *Error {
	return newError(
		CodeInvalidSignature,
		"The request signature we calculated does not match the signature you provided. "+
			"Check your AWS Secret Access Key and signing method. Consult the service documentation for details."+
			"\n\nThe Canonical String for this request should have been\n'"+string(canonicalRequest)+
			"'\n\nThe String-to-Sign should have been\n'"+string(stringToSign)+"'\n",
		"the signature does not match",
	)
}
