package iamauth

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	v4 "github.com/aws/aws-sdk-go-v2/aws/signer/v4"

	"signedsocket/localstage/internal/sigv4"
)

func TestAuthenticateNamesTheSigner(t *testing.T) {
	t.Parallel()
	signURL, admin := newSignURL(t), newAdmin(t)
	a := newAuthority(t, signURL, admin)
	for _, p := range []*Principal{signURL, admin} {
		got, refusal := a.Authenticate(signedPost(t, p, "hello"), []byte("hello"), sigv4.ServiceExecuteAPI)
		if got != p || refusal != nil {
			t.Errorf("Authenticate by header = %v, %v, want %v", got, refusal, p)
		}
		r := httptest.NewRequestWithContext(t.Context(), http.MethodGet, "http://127.0.0.1:3002/prod?sub=alice", nil)
		signed, _, err := v4.NewSigner().PresignHTTP(t.Context(), sdkCredentials(p), r, hashOf(""),
			sigv4.ServiceExecuteAPI, testRegion, time.Now())
		if err != nil {
			t.Fatalf("presign: %v", err)
		}
		r = httptest.NewRequestWithContext(t.Context(), http.MethodGet, signed, nil)
		r.RequestURI = r.URL.RequestURI()
		got, refusal = a.Authenticate(r, nil, sigv4.ServiceExecuteAPI)
		if got != p || refusal != nil {
			t.Errorf("Authenticate by query = %v, %v, want %v", got, refusal, p)
		}
	}
}

func TestAuthenticateKnowsOnlyItsOwnPrincipals(t *testing.T) {
	t.Parallel()
	here, elsewhere := newAuthority(t, newAdmin(t)), newAdmin(t)
	p, refusal := here.Authenticate(signedPost(t, elsewhere, "hello"), []byte("hello"), sigv4.ServiceExecuteAPI)
	if p != nil || refusal == nil || refusal.ErrorType != sigv4.CodeUnrecognizedClient {
		t.Errorf("Authenticate = %v, %v, want %s", p, refusal, sigv4.CodeUnrecognizedClient)
	}
}

func TestAuthenticateGoesByItsClock(t *testing.T) {
	t.Parallel()
	admin := newAdmin(t)
	a, err := New(Config{
		Region: testRegion, Principals: []*Principal{admin},
		Now: func() time.Time { return time.Now().Add(time.Hour) },
	})
	if err != nil {
		t.Fatalf("New: %v", err)
	}
	_, refusal := a.Authenticate(signedPost(t, admin, "hello"), []byte("hello"), sigv4.ServiceExecuteAPI)
	if refusal == nil || !strings.HasPrefix(refusal.Message(), "Signature expired: ") {
		t.Errorf("Authenticate = %v, want an expired signature", refusal)
	}
}

func TestNewRefuses(t *testing.T) {
	t.Parallel()
	admin := newAdmin(t)
	for name, c := range map[string]Config{
		"no region":           {Principals: []*Principal{admin}},
		"one principal twice": {Region: testRegion, Principals: []*Principal{admin, admin}},
	} {
		if _, err := New(c); err == nil {
			t.Errorf("%s: New accepted it", name)
		}
	}
}

func BenchmarkAuthenticate(b *testing.B) {
	signURL := newSignURL(b)
	a := newAuthority(b, signURL, newAdmin(b))
	body := `{"type":"message","id":"01JD0000000000000000000000","room":"lobby","from":{"sub":"alice",` +
		`"name":"Alice"},"message":"hello","sentAt":1795327200000}`
	header := signedPost(b, signURL, body)
	query := httptest.NewRequestWithContext(b.Context(), http.MethodGet,
		"http://127.0.0.1:3002/prod?v=1&sub=alice&rm=lobby&exp=1795327210&jti=abcdef", nil)
	signed, _, err := v4.NewSigner().PresignHTTP(b.Context(), sdkCredentials(signURL), query, hashOf(""),
		sigv4.ServiceExecuteAPI, testRegion, time.Now())
	if err != nil {
		b.Fatal(err)
	}
	query = httptest.NewRequestWithContext(b.Context(), http.MethodGet, signed, nil)
	query.RequestURI = query.URL.RequestURI()
	for name, bm := range map[string]struct {
		request *http.Request
		body    []byte
	}{"header": {header, []byte(body)}, "query": {query, nil}} {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if _, refusal := a.Authenticate(bm.request, bm.body, sigv4.ServiceExecuteAPI); refusal != nil {
					b.Fatal(refusal)
				}
			}
		})
	}
}
