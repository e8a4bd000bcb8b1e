package sigv4

import (
	"net/http"
	"net/url"
	"strings"
	"testing"

	v4 "github.com/aws/aws-sdk-go-v2/aws/signer/v4"
)

// escaped returns a text as signers write it in a query or a path: a space is %20.
func escaped(text string) string { return strings.ReplaceAll(url.QueryEscape(text), "+", "%20") }

// FuzzSignedBySDK checks that a signature of the SDK, by header or in the query, is accepted for its own key only.
func FuzzSignedBySDK(f *testing.F) {
	f.Add("sub", "alice", "nm", "Grüße 🙂", "@connections", "", false)
	f.Add("rm", "lobby.dev", "rm", "a b+c", "", "hello", false)
	f.Add("a", "%2F", "", "=&;", "x%3D", "", true)
	f.Add("A", "~", "a", "\xff", "..", "", true)
	f.Fuzz(func(t *testing.T, name1, value1, name2, value2, segment, body string, presigned bool) {
		raw := escaped(name1) + "=" + escaped(value1) + "&" + escaped(name2) + "=" + escaped(value2)
		if strings.Contains(raw, "%00") || strings.Contains(strings.ToLower(raw), "x-amz-") {
			return // refused for every signer
		}
		address := "https://" + testHost + "/prod/" + escaped(segment) + "?" + raw
		method := http.MethodPost
		if presigned {
			method, body = http.MethodGet, ""
		}
		r := newRequest(t, method, address, body)
		if presigned {
			r = newRequest(t, method, presign(t, method, address, ServiceExecuteAPI), "")
		} else if err := v4.NewSigner().SignHTTP(t.Context(), sdkCredentials(), r, hashOf(body), ServiceExecuteAPI,
			testRegion, testTime()); err != nil {
			t.Fatal(err)
		}
		arrived, received := arrive(t, r)
		input := Input{Request: arrived, Body: received, Service: ServiceExecuteAPI, Now: testTime()}
		if _, err := newTestVerifier().Verify(input); err != nil {
			t.Fatalf("%s %s: %v", method, r.URL, err)
		}
		other := keyring{testAccessKeyID: NewKey(Credentials{
			AccessKeyID: testAccessKeyID, SecretAccessKey: testSecret + "x", SessionToken: testToken,
		})}
		if _, err := NewVerifier(Config{Region: testRegion, Keys: other}).Verify(input); err == nil {
			t.Fatalf("%s %s is accepted under another secret", method, r.URL)
		}
	})
}
