package sigv4

import (
	"crypto/sha256"
	"net/http"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	v4 "github.com/aws/aws-sdk-go-v2/aws/signer/v4"
	"github.com/aws/smithy-go/aws-http-auth/credentials"
	"github.com/aws/smithy-go/aws-http-auth/sigv4"
	httpauth "github.com/aws/smithy-go/aws-http-auth/v4"
)

// signedRequests are typical requests of a stage's clients.
var signedRequests = map[string]struct {
	method, url, body, service string
	header                     http.Header
}{
	"handshake":        {http.MethodGet, "https://" + testHost + "/prod", "", ServiceExecuteAPI, nil},
	"handshake, slash": {http.MethodGet, "https://" + testHost + "/prod/", "", ServiceExecuteAPI, nil},
	"handshake, $":     {http.MethodGet, "https://" + testHost + "/$default", "", ServiceExecuteAPI, nil},
	"loopback":         {http.MethodGet, "http://127.0.0.1:3002/prod", "", ServiceExecuteAPI, nil},
	"query": {
		http.MethodGet, "https://" + testHost + "/prod?b=2&a=1&b=1&empty=&bare", "", ServiceExecuteAPI, nil,
	},
	"query, escapes": {
		http.MethodGet, "https://" + testHost + "/prod?n=%C3%A9%20%2B%2F%26%3D%25~-._", "", ServiceExecuteAPI, nil,
	},
	"query, lower hex": {http.MethodGet, "https://" + testHost + "/prod?n=%c3%a9%2f%41", "", ServiceExecuteAPI, nil},
	"query, sorted": {
		http.MethodGet, "https://" + testHost + "/prod?a=a/b&a=a-b&a%5B=1&aB=2&a-=3", "", ServiceExecuteAPI, nil,
	},
	"post": {
		http.MethodPost,
		"https://" + testHost + "/prod/@connections/L0SM9cOFvHcCIhw%3D",
		"hello",
		ServiceExecuteAPI,
		nil,
	},
	"post, escaped": {
		http.MethodPost,
		"https://" + testHost + "/prod/%40connections/L0SM9cOFvHcCIhw%3D",
		"hello",
		ServiceExecuteAPI,
		nil,
	},
	"post, bare equals": {
		http.MethodPost, "https://" + testHost + "/prod/@connections/L0SM9cOFvHcCIhw=", "hello", ServiceExecuteAPI, nil,
	},
	"delete": {
		http.MethodDelete, "https://" + testHost + "/prod/@connections/a_-b%3D", "", ServiceExecuteAPI, nil,
	},
	"dot segments": {http.MethodGet, "https://" + testHost + "/prod/../a//b/./c", "", ServiceExecuteAPI, nil},
	"headers": {
		http.MethodPost,
		"https://" + testHost + "/prod/signurl",
		"{}",
		ServiceExecuteAPI,
		http.Header{"Content-Type": {"application/json"}, "X-Two": {"a  b ", " c"}},
	},
	"payload hash given": {
		http.MethodPost,
		"https://" + testHost + "/prod/signurl",
		"{}",
		ServiceExecuteAPI,
		http.Header{"X-Amz-Content-Sha256": {hashOf("{}")}},
	},
	"dynamodb": {http.MethodPost, "http://127.0.0.1:3003/", `{"TableName":"T"}`, ServiceDynamoDB, http.Header{
		"Content-Type": {"application/x-amz-json-1.0"}, "X-Amz-Target": {"DynamoDB_20120810.GetItem"},
	}},
}

func TestAcceptsTheSDKsHeaderSignature(t *testing.T) {
	t.Parallel()
	v := newTestVerifier()
	for name, tt := range signedRequests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := newRequest(t, tt.method, tt.url, tt.body)
			for k, values := range tt.header {
				r.Header[k] = values
			}
			err := v4.NewSigner().SignHTTP(t.Context(), sdkCredentials(), r, hashOf(tt.body), tt.service, testRegion,
				testTime())
			if err != nil {
				t.Fatalf("sign: %v", err)
			}
			arrived, body := arrive(t, r)
			key, err := v.Verify(Input{Request: arrived, Body: body, Service: tt.service, Now: testTime()})
			if err != nil {
				t.Fatalf("Verify: %v", err)
			}
			if got := key.ID(); got != testAccessKeyID {
				t.Errorf("key is %s, want %s", got, testAccessKeyID)
			}
		})
	}
}

func TestAcceptsTheSDKsQuerySignature(t *testing.T) {
	t.Parallel()
	v := newTestVerifier()
	for name, tt := range signedRequests {
		if tt.body != "" || tt.header != nil {
			continue // headers would be signed or hoisted, unlike in presigned URLs
		}
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			arrived, body := arrive(t, newRequest(t, tt.method, presign(t, tt.method, tt.url, tt.service), ""))
			if _, err := v.Verify(Input{
				Request: arrived, Body: body, Service: tt.service, Now: testTime(),
			}); err != nil {
				t.Fatalf("Verify: %v", err)
			}
		})
	}
}

func TestAcceptsTheStandaloneSigner(t *testing.T) {
	t.Parallel()
	v := newTestVerifier()
	for name, tt := range signedRequests {
		for form, signatureType := range map[string]httpauth.SignatureType{
			"header": httpauth.SignatureTypeHeader,
			"query":  httpauth.SignatureTypeQueryString,
		} {
			presigned := signatureType == httpauth.SignatureTypeQueryString
			if strings.Contains(tt.url, "%20") || name == "query, sorted" ||
				presigned && (tt.body != "" || tt.header != nil) {
				continue // it sends a space as + and sorts repeated values before it encodes them
			}
			t.Run(name+", "+form, func(t *testing.T) {
				t.Parallel()
				r := newRequest(t, tt.method, tt.url, tt.body)
				for k, values := range tt.header {
					r.Header[k] = values
				}
				hash := sha256.Sum256([]byte(tt.body))
				err := sigv4.New().SignRequest(&sigv4.SignRequestInput{
					Request:     r,
					PayloadHash: hash[:],
					Credentials: credentials.Credentials{
						AccessKeyID: testAccessKeyID, SecretAccessKey: testSecret, SessionToken: testToken,
					},
					Service: tt.service, Region: testRegion, Time: testTime(), SignatureType: signatureType,
				})
				if err != nil {
					t.Fatalf("sign: %v", err)
				}
				arrived, body := arrive(t, r)
				if _, err := v.Verify(Input{
					Request: arrived, Body: body, Service: tt.service, Now: testTime(),
				}); err != nil {
					t.Fatalf("Verify: %v", err)
				}
			})
		}
	}
}

func TestAcceptsAUsersKey(t *testing.T) {
	t.Parallel()
	r := newRequest(t, http.MethodPost, "https://"+testHost+"/prod/@connections/x", "hello")
	user := aws.Credentials{AccessKeyID: "AKIDUSER", SecretAccessKey: testSecret}
	if err := v4.NewSigner().SignHTTP(t.Context(), user, r, hashOf("hello"), ServiceExecuteAPI, testRegion,
		testTime()); err != nil {
		t.Fatalf("sign: %v", err)
	}
	arrived, body := arrive(t, r)
	if err := verify(newTestVerifier(), arrived, body); err != nil {
		t.Errorf("Verify: %v", err)
	}
}

func TestAcceptsADateHeader(t *testing.T) {
	t.Parallel()
	r := newRequest(t, http.MethodGet, "https://"+testHost+"/prod", "")
	if err := v4.NewSigner().SignHTTP(t.Context(), sdkCredentials(), r, emptyHash, ServiceExecuteAPI, testRegion,
		testTime()); err != nil {
		t.Fatalf("sign: %v", err)
	}
	arrived, _ := arrive(t, r)
	// The same signature covers host alone, and the time is in Date.
	key, _ := testKeys().FindKey(testAccessKeyID)
	c := claim{
		path: "/prod", signedHeaders: "host", timestamp: "20261122T060000Z",
		scope: scope{"20261122", testRegion, ServiceExecuteAPI},
	}
	toSign := appendStringToSign(nil, &c, appendCanonicalRequest(nil, &c, arrived, []byte(emptyHash)))
	arrived.Header.Del("X-Amz-Date")
	arrived.Header.Set("Date", "Sun, 22 Nov 2026 06:00:00 GMT")
	signature := key.sign(c.scope, toSign)
	arrived.Header.Set("Authorization",
		"AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20261122/us-east-1/execute-api/aws4_request,"+
			"SignedHeaders=host,Signature="+string(signature[:]))
	if err := verify(newTestVerifier(), arrived, nil); err != nil {
		t.Errorf("Verify: %v", err)
	}
}

// Not every server keeps Content-Length among the headers, and a signature may cover it.
func TestContentLengthIsTakenFromTheRequest(t *testing.T) {
	t.Parallel()
	r := newRequest(t, http.MethodPost, "https://"+testHost+"/prod/@connections/x", "hello")
	if err := v4.NewSigner().SignHTTP(t.Context(), sdkCredentials(), r, hashOf("hello"), ServiceExecuteAPI, testRegion,
		testTime()); err != nil {
		t.Fatalf("sign: %v", err)
	}
	arrived, body := arrive(t, r)
	arrived.Header.Del("Content-Length")
	if err := verify(newTestVerifier(), arrived, body); err != nil {
		t.Errorf("Verify: %v", err)
	}
}
