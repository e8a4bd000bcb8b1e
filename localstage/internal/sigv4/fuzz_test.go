package sigv4

import (
	"bufio"
	"bytes"
	"errors"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"

	v4 "github.com/aws/aws-sdk-go-v2/aws/signer/v4"
)

// sdkCanonicalQuery returns the canonical query of the SDK, whose signer leaves it in the URL. The second result is
// false if the SDK's parser refuses.
func sdkCanonicalQuery(t *testing.T, raw string) (string, bool) {
	if _, err := url.ParseQuery(raw); err != nil {
		return "", false
	}
	r := newRequest(t, http.MethodGet, "https://"+testHost+"/", "")
	r.URL.RawQuery = raw
	if err := v4.NewSigner().SignHTTP(t.Context(), sdkCredentials(), r, emptyHash, ServiceExecuteAPI, testRegion,
		testTime()); err != nil {
		return "", false
	}
	return r.URL.RawQuery, true
}

// FuzzCanonicalQuery checks that the SDK writes every accepted query in the same way.
func FuzzCanonicalQuery(f *testing.F) {
	for _, seed := range []string{
		"", "a=1&b=2", "b=1&a=2&a=1", "a=%2f%C3%a9&%61=x", "a=a/b&a=a-b", "&&=", "a;b", "a=%", "a=%00", "a+b=c+d",
		"X-Amz-Date=1&x-amz-date=2", "X-Amz-Signature=1&a=2", "a=\xff", "a=b=c&[]=1", strings.Repeat("a&", 65),
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, raw string) {
		q, err := parseQuery(raw)
		if err != nil {
			return
		}
		if strings.Contains(raw, "+") {
			return // the SDK takes it for a space, API Gateway for no character at all
		}
		unsigned := slices.DeleteFunc(strings.Split(raw, "&"), func(piece string) bool {
			name, _, _ := strings.Cut(piece, "=")
			decoded, _, _ := decode(name)
			return decoded == paramSignature
		})
		want, ok := sdkCanonicalQuery(t, strings.Join(unsigned, "&"))
		if got := string(q.appendCanonical(nil)); !ok || got != want {
			t.Errorf("canonical query of %q = %q, the SDK has %q (%v)", raw, got, want, ok)
		}
	})
}

// wireOf returns a request as bytes.
func wireOf(f *testing.F, r *http.Request) []byte {
	f.Helper()
	var wire bytes.Buffer
	if err := r.Write(&wire); err != nil {
		f.Fatal(err)
	}
	return wire.Bytes()
}

// FuzzVerify checks that every accepted request has the signature that the SDK makes.
func FuzzVerify(f *testing.F) {
	for _, tt := range signedRequests {
		r := newRequest(f, tt.method, tt.url, tt.body)
		for k, values := range tt.header {
			r.Header[k] = values
		}
		if err := v4.NewSigner().SignHTTP(f.Context(), sdkCredentials(), r, hashOf(tt.body), tt.service, testRegion,
			testTime()); err != nil {
			f.Fatal(err)
		}
		f.Add(wireOf(f, r), tt.service == ServiceDynamoDB)
		if tt.body == "" {
			f.Add(wireOf(f, newRequest(f, tt.method, presign(f, tt.method, tt.url, tt.service), "")), false)
		}
	}
	f.Add([]byte("GET /prod?X-Amz-Algorithm=AWS4-HMAC-SHA256 HTTP/1.1\r\nHost: a\r\n\r\n"), false)
	f.Add([]byte("GET /prod HTTP/1.1\r\nHost: a\r\n"+
		"Authorization: AWS4-HMAC-SHA256 Credential=a/b/c/d/e,SignedHeaders=host,Signature=\r\n\r\n"), false)

	v := newTestVerifier()
	f.Fuzz(func(t *testing.T, wire []byte, dynamoDB bool) {
		r, err := http.ReadRequest(bufio.NewReader(bytes.NewReader(wire)))
		if err != nil {
			return
		}
		body, err := io.ReadAll(r.Body)
		if err != nil {
			return
		}
		service := ServiceExecuteAPI
		if dynamoDB {
			service = ServiceDynamoDB
		}
		_, err = v.Verify(Input{Request: r, Body: body, Service: service, Now: testTime()})
		var refusal *Error
		switch {
		case err == nil:
			checkAgainstSDK(t, r, body, service)
		case !errors.As(err, &refusal) || refusal.Message() == "" || refusal.Reason == "":
			t.Errorf("Verify = %#v, want a complete *Error", err)
		}
	})
}

// checkAgainstSDK signs an accepted request again and compares the signatures.
func checkAgainstSDK(t *testing.T, r *http.Request, body []byte, service string) {
	t.Helper()
	c, refusal := readClaim(r, service)
	if refusal != nil {
		t.Fatalf("accepted, but: %v", refusal)
	}
	again := newRequest(t, r.Method, "https://"+testHost+r.RequestURI, string(body))
	again.Host = r.Host
	for name := range strings.SplitSeq(c.signedHeaders, ";") {
		if values := headerValues(r, name); name != "host" && len(values) > 0 {
			again.Header[http.CanonicalHeaderKey(name)] = values
		}
	}
	if !slices.Contains(strings.Split(c.signedHeaders, ";"), "content-length") {
		again.ContentLength = 0 // the SDK signs any other
	}
	var got string
	if len(r.Header["Authorization"]) > 0 {
		err := v4.NewSigner().SignHTTP(t.Context(), sdkCredentials(), again, hashOf(string(body)), service, testRegion,
			c.time)
		_, got, _ = strings.Cut(again.Header.Get("Authorization"), "Signature=")
		if err != nil {
			t.Fatal(err)
		}
	} else {
		query := again.URL.Query()
		query.Del(paramSignature)
		again.URL.RawQuery = query.Encode()
		signed, _, err := v4.NewSigner().PresignHTTP(t.Context(), sdkCredentials(), again, hashOf(string(body)),
			service, testRegion, c.time)
		if err != nil {
			t.Fatal(err)
		}
		_, got, _ = strings.Cut(signed, "&X-Amz-Signature=")
	}
	if got != c.signature {
		t.Errorf("accepted %s %s with signature %s, the SDK's is %s", r.Method, r.RequestURI, c.signature, got)
	}
}

// FuzzMutateSignedURL checks that a changed signed URL is accepted only if another parser reads the same in it.
func FuzzMutateSignedURL(f *testing.F) {
	good := targetOf(f, grantURL(f))
	f.Add(0, 0, "x")
	f.Add(6, 0, "%")
	f.Add(strings.Index(good, "alice"), 1, "%61")
	f.Add(strings.Index(good, "%2F"), 3, "%2f")
	f.Add(strings.Index(good, "%2F"), 3, "/")
	f.Add(len(good), 0, "&")
	f.Add(len(good), 0, "&sub=mallory")
	f.Add(strings.Index(good, "&"), 0, "&x-amz-date=20261122T060000Z")
	f.Add(5, 0, "/")
	path, query, _ := strings.Cut(good, "?")
	want, err := url.ParseQuery(query)
	if err != nil {
		f.Fatal(err)
	}
	v := newTestVerifier()
	f.Fuzz(func(t *testing.T, at, removed int, inserted string) {
		at = min(max(at, 0), len(good))
		removed = min(max(removed, 0), len(good)-at)
		mutated := good[:at] + inserted + good[at+removed:]
		if verify(v, get(mutated), nil) != nil {
			return
		}
		gotPath, gotQuery, _ := strings.Cut(mutated, "?")
		got, err := url.ParseQuery(gotQuery)
		if err != nil || gotPath != path {
			t.Fatalf("accepted %q", mutated)
		}
		for _, values := range []url.Values{got, want} {
			for name := range values {
				slices.Sort(values[name])
			}
		}
		if got.Encode() != want.Encode() {
			t.Errorf("accepted %q, which says %q", mutated, got.Encode())
		}
	})
}
