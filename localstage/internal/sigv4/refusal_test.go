package sigv4

import (
	"errors"
	"net/http"
	"strings"
	"testing"
	"time"
)

const (
	goodCredential = "AKIDEXAMPLE/20261122/us-east-1/execute-api/aws4_request"
	badSignature   = "0000000000000000000000000000000000000000000000000000000000000000"
)

// byHeader returns a request with an Authorization header of SigV4, a date and
// the test token.
func byHeader(authorization string) *http.Request {
	r := get("/prod")
	r.Header.Set("Authorization", authorization)
	r.Header.Set("X-Amz-Date", "20261122T060000Z")
	r.Header.Set("X-Amz-Security-Token", testToken)
	return r
}

func headerWith(credential, signedHeaders string) *http.Request {
	return byHeader("AWS4-HMAC-SHA256 Credential=" + credential + ", SignedHeaders=" + signedHeaders + ", Signature=" +
		badSignature)
}

func without(r *http.Request, header string) *http.Request {
	r.Header.Del(header)
	return r
}

const wholeQuery = "X-Amz-Credential=" + goodCredential +
	"&X-Amz-SignedHeaders=host&X-Amz-Date=20261122T060000Z&X-Amz-Signature=" + badSignature

const invalidToken = "The security token included in the request is invalid."

// refusalCases are the cases of TestRefusals.
var refusalCases = map[string]struct {
	request *http.Request
	service string // execute-api if empty
	code    string
	message string // beginning of the message
}{
	"unsigned": {
		get("/prod"), "", CodeMissingAuthenticationToken, "Missing Authentication Token",
	},
	"unsigned, for DynamoDB": {
		get("/"), ServiceDynamoDB, CodeMissingAuthenticationToken, "Request is missing Authentication Token",
	},
	"unsigned, odd query": {
		get("/prod?a=%zz;"), "", CodeMissingAuthenticationToken, "Missing Authentication Token",
	},
	"no algorithm": {
		get("/prod?" + wholeQuery), "", CodeMissingAuthenticationToken, "Missing Authentication Token",
	},
	"bearer token, for DynamoDB": {
		byHeader("Bearer abc"),
		ServiceDynamoDB,
		CodeMissingAuthenticationToken,
		"Request is missing Authentication Token",
	},

	"bearer token": {byHeader("Bearer abc"), "", CodeIncompleteSignature, "Invalid key=value " +
		"pair (missing equal-sign) in Authorization header (hashed with SHA-256 and encoded with Base64): '"},
	"empty header": {byHeader(""), "", CodeIncompleteSignature, "Invalid key=value pair"},
	"pair without equal": {
		byHeader("AWS4-HMAC-SHA256 Credential"), "", CodeIncompleteSignature, "Invalid key=value pair",
	},
	"algorithm alone": {byHeader("AWS4-HMAC-SHA256"), "", CodeIncompleteSignature, "Authorization " +
		"header requires 'Credential' parameter. Authorization header requires 'Signature' parameter. " +
		"Authorization header requires 'SignedHeaders' parameter. (Hashed with SHA-256 and encoded with Base64) " +
		"Authorization="},
	"no date": {
		without(headerWith(goodCredential, "host"), "X-Amz-Date"),
		"",
		CodeIncompleteSignature,
		"Authorization header requires existence of either a 'X-Amz-Date' or a 'Date' header. ",
	},
	"SigV4A": {
		byHeader("AWS4-ECDSA-P256-SHA256 Credential=a"),
		"",
		CodeIncompleteSignature,
		"Unsupported AWS 'algorithm': 'AWS4-ECDSA-P256-SHA256'",
	},
	"SigV4A in the query": {
		get("/prod?X-Amz-Algorithm=AWS4-ECDSA-P256-SHA256&" + wholeQuery),
		"",
		CodeIncompleteSignature,
		"Unsupported AWS 'algorithm': 'AWS4-ECDSA-P256-SHA256'",
	},
	"algorithm alone in the query": {
		get("/prod?X-Amz-Algorithm=AWS4-HMAC-SHA256"),
		"",
		CodeIncompleteSignature,
		"AWS query-string parameters must include 'X-Amz-Credential'. AWS query-string parameters must include " +
			"'X-Amz-Signature'. AWS query-string parameters must include 'X-Amz-SignedHeaders'. AWS query-string " +
			"parameters must include 'X-Amz-Date'. Re-examine the query-string parameters.",
	},
	"query refused": {
		get("/prod?X-Amz-Algorithm=AWS4-HMAC-SHA256&" + wholeQuery + "&a=%zz"),
		"",
		CodeIncompleteSignature,
		"Malformed query string: ",
	},
	"query refused, by header": {
		func() *http.Request { r := headerWith(goodCredential, "host"); r.RequestURI += "?a;b"; return r }(),
		"",
		CodeIncompleteSignature,
		"Malformed query string: ",
	},
	"target is a star": {get("*"), "", CodeIncompleteSignature, "The request target must be a path."},
	"date of a day": {
		get("/prod?X-Amz-Algorithm=AWS4-HMAC-SHA256&" + strings.Replace(wholeQuery, "20261122T060000Z", "20261122", 1)),
		"",
		CodeIncompleteSignature,
		"Date must be in ISO-8601 'basic format'. Got '20261122'. See http://en.wikipedia.org/wiki/ISO_8601",
	},
	"date with fraction": {
		get("/prod?X-Amz-Algorithm=AWS4-HMAC-SHA256&" + strings.Replace(wholeQuery, "060000Z", "060000.5Z", 1)),
		"",
		CodeIncompleteSignature,
		"Date must be in ISO-8601",
	},
	"credential too short": {headerWith("AKIDEXAMPLE", "host"), "", CodeIncompleteSignature, "Credential " +
		"must have exactly 5 slash-delimited elements, e.g. keyid/date/region/service/term, got 'AKIDEXAMPLE'"},
	"credential too long": {
		headerWith(goodCredential+"/", "host"), "", CodeIncompleteSignature, "Credential must have exactly 5",
	},
	"header names unsorted": {
		headerWith(goodCredential, "x-a;host"), "", CodeIncompleteSignature, "SignedHeaders must be",
	},
	"header name repeated": {
		headerWith(goodCredential, "host;host"), "", CodeIncompleteSignature, "SignedHeaders must be",
	},
	"header name of no header": {
		headerWith(goodCredential, "host;x~a"), "", CodeIncompleteSignature, "SignedHeaders must be",
	},

	"host not signed": {
		headerWith(goodCredential, "x-amz-date"),
		"",
		CodeInvalidSignature,
		"'Host' or ':authority' must be a 'SignedHeader' in the AWS Authorization.",
	},
	"both forms": {func() *http.Request {
		r := headerWith(goodCredential, "host")
		r.RequestURI += "?X-Amz-Algorithm=x"
		return r
	}(), "", CodeInvalidSignature,
		"Found both 'X-Amz-Algorithm' as a query-string param and 'Authorization' as HTTP header."},
	"wrong region": {
		headerWith("AKIDEXAMPLE/20261122/eu-west-1/execute-api/aws4_request", "host"),
		"",
		CodeInvalidSignature,
		"Credential should be scoped to a valid region. ",
	},
	"wrong service": {
		headerWith("AKIDEXAMPLE/20261122/us-east-1/s3/aws4_request", "host"),
		"",
		CodeInvalidSignature,
		"Credential should be scoped to correct service: 'execute-api'. ",
	},
	"wrong service for DynamoDB": {
		headerWith(goodCredential, "host"),
		ServiceDynamoDB,
		CodeInvalidSignature,
		"Credential should be scoped to correct service: 'dynamodb'. ",
	},
	"wrong in wholeQuery": {headerWith("AKIDEXAMPLE/20261121/eu-west-1/s3/aws5_request", "host"), "",
		CodeInvalidSignature,
		"Credential " +
			"should be scoped to a valid region. Credential should be scoped to correct service: 'execute-api'. " +
			"Credential should be scoped with a valid terminator: 'aws4_request', not 'aws5_request'. Date in " +
			"Credential scope does not match YYYYMMDD from ISO-8601 version of date from HTTP: '20261121' != " +
			"'20261122', from '20261122T060000Z'. "},
	"unknown key": {
		headerWith("AKIDMISSING/20261122/us-east-1/execute-api/aws4_request", "host"),
		"",
		CodeUnrecognizedClient,
		invalidToken,
	},
	"no token": {
		without(headerWith(goodCredential, "host"), "X-Amz-Security-Token"), "", CodeUnrecognizedClient, invalidToken,
	},
	"token of a key that has none": {
		headerWith("AKIDUSER/20261122/us-east-1/execute-api/aws4_request", "host"),
		"",
		CodeUnrecognizedClient,
		invalidToken,
	},
	"bad signature": {
		headerWith(goodCredential, "host"),
		"",
		CodeInvalidSignature,
		"The request signature we calculated does not match the signature you provided.",
	},
}

func TestRefusals(t *testing.T) {
	t.Parallel()
	for name, tt := range refusalCases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			service := tt.service
			if service == "" {
				service = ServiceExecuteAPI
			}
			_, err := newTestVerifier().Verify(Input{Request: tt.request, Service: service, Now: testTime()})
			var refusal *Error
			if !errors.As(err, &refusal) {
				t.Fatalf("Verify = %v, want an *Error", err)
			}
			if refusal.Code != tt.code || !strings.HasPrefix(refusal.Message(), tt.message) {
				t.Errorf("got %s %q, want %s %q", refusal.Code, refusal.Message(), tt.code, tt.message)
			}
			if refusal.Reason == "" || strings.Contains(refusal.Error(), testToken) {
				t.Errorf("Error() = %q, want a reason without the token", refusal.Error())
			}
		})
	}
}

// Each request has the mistake of its line and those of all lines below.
func TestFirstFaultIsReported(t *testing.T) {
	t.Parallel()
	long := testTime().Add(time.Hour)
	for _, tt := range []struct {
		name    string
		request *http.Request
		want    string
	}{
		{"missing", get("/prod?a=%zz"), "not signed"},
		{"malformed", headerWith("AKIDMISSING/20261122/eu-west-1/s3/x/y", "host"), "malformed"},
		{"scope", headerWith("AKIDMISSING/20261122/eu-west-1/execute-api/aws4_request", "host"), "scope"},
		{"key", headerWith("AKIDMISSING/20261122/us-east-1/execute-api/aws4_request", "host"), "unknown access key"},
		{"token", without(headerWith(goodCredential, "host"), "X-Amz-Security-Token"), "session token"},
		{"time", headerWith(goodCredential, "host"), "too old"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			_, err := newTestVerifier().Verify(Input{Request: tt.request, Service: ServiceExecuteAPI, Now: long})
			if err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("Verify = %v, want %q", err, tt.want)
			}
		})
	}
}

func TestExpiredCredentialsAreRefused(t *testing.T) {
	t.Parallel()
	credentials := testKeys()[testAccessKeyID].Credentials()
	credentials.Expires = testTime().Add(time.Minute)
	v := NewVerifier(Config{Region: testRegion, Keys: keyring{testAccessKeyID: NewKey(credentials)}})
	r := get(targetOf(t, grantURL(t)))
	if err := verify(v, r, nil); err != nil {
		t.Errorf("before the end: %v", err)
	}
	_, err := v.Verify(Input{Request: r, Service: ServiceExecuteAPI, Now: credentials.Expires})
	var refusal *Error
	if !errors.As(err, &refusal) || refusal.Code != CodeExpiredToken ||
		refusal.Message() != "The security token included in the request is expired" {
		t.Errorf("at the end: %#v, want %s", err, CodeExpiredToken)
	}
}

func TestSigningKeysAreDerivedOnceAndNotWithoutBound(t *testing.T) {
	t.Parallel()
	key := NewKey(Credentials{AccessKeyID: "AKIDEXAMPLE", SecretAccessKey: testSecret})
	first := key.vault().signingKey(scope{"20261122", testRegion, ServiceExecuteAPI})
	if again := key.vault().signingKey(scope{"20261122", testRegion, ServiceExecuteAPI}); &first[0] != &again[0] {
		t.Error("the signing key was derived again")
	}
	for day := range 100 {
		key.vault().signingKey(scope{
			time.Unix(0, 0).AddDate(0, 0, day).Format("20060102"), testRegion, ServiceExecuteAPI,
		})
	}
	if n := len(key.vault().derived); n > maxDerived {
		t.Errorf("%d signing keys are kept, want at most %d", n, maxDerived)
	}
}
