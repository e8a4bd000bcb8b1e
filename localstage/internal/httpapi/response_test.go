package httpapi

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// functionResponses are the cases of TestFunctionResponses.
var functionResponses = map[string]struct {
	payload string
	status  int
	headers http.Header // only the named headers are checked
	body    string
}{
	"described": {`{"statusCode":201,"headers":{"X-A":"1"},"body":"hi","cookies":["a=1; Secure","b=2"]}`, 201,
		http.Header{
			"X-A": {"1"}, "Set-Cookie": {"a=1; Secure", "b=2"}, "Content-Type": {"text/plain; charset=utf-8"},
			"Content-Length": {"2"},
		}, "hi"},
	"its content type": {
		`{"statusCode":200,"headers":{"Content-Type":"text/html"}}`,
		200,
		http.Header{"Content-Type": {"text/html"}},
		"",
	},
	"base64":               {`{"statusCode":200,"isBase64Encoded":true,"body":"/w=="}`, 200, nil, "\xff"},
	"nulls":                {`{"statusCode":200,"headers":null,"cookies":null,"body":null}`, 200, nil, ""},
	"no status, an object": {`{"a":1}`, 200, http.Header{"Content-Type": {"application/json"}}, `{"a":1}`},
	"no status, a string":  {`"a\u0062"`, 200, http.Header{"Content-Type": {"application/json"}}, `ab`},
	"no status, null":      {`null`, 200, http.Header{"Content-Type": {"application/json"}}, `null`},
	"status in other case": {`{"StatusCode":404}`, 200, nil, `{"StatusCode":404}`},
	"multiValueHeaders": {
		`{"statusCode":200,"multiValueHeaders":{"X-A":["1"]}}`, 200, http.Header{"X-A": nil}, "",
	},
	"headers of the gateway": {
		`{"statusCode":200,"headers":{"content-length":"99","apigw-requestid":"x"},"body":"a"}`,
		200,
		http.Header{"Content-Length": {"1"}, "Apigw-Requestid": {"AAAAAAAAAAAAAAA="}},
		"a",
	},
	"no JSON":             {`oops`, 500, nil, `{"message":"Internal Server Error"}`},
	"empty":               {``, 500, nil, `{"message":"Internal Server Error"}`},
	"status is no number": {`{"statusCode":"200"}`, 500, nil, `{"message":"Internal Server Error"}`},
	"status is none":      {`{"statusCode":99}`, 500, nil, `{"message":"Internal Server Error"}`},
	"body is no string":   {`{"statusCode":200,"body":{}}`, 500, nil, `{"message":"Internal Server Error"}`},
	"base64 that is none": {
		`{"statusCode":200,"isBase64Encoded":true,"body":"!"}`, 500, nil, `{"message":"Internal Server Error"}`,
	},
	"header injection": {
		`{"statusCode":200,"headers":{"X-A":"1\r\nX-B: 2"}}`, 500, nil, `{"message":"Internal Server Error"}`,
	},
	"cookie injection": {
		`{"statusCode":200,"cookies":["a\r\nX-B: 2"]}`, 500, nil, `{"message":"Internal Server Error"}`,
	},
	"more than 6 MB": {
		`"` + strings.Repeat("a", maxPayloadBytes) + `"`, 500, nil, `{"message":"Internal Server Error"}`,
	},
}

func TestFunctionResponses(t *testing.T) {
	t.Parallel()
	tests := functionResponses
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := do(newAPI(t, testConfig(Route{Key: "$default", Integration: returns(test.payload)})),
				httptest.NewRequest("GET", "/", nil))
			if w.Code != test.status || w.Body.String() != test.body {
				t.Errorf("%d %.80q, want %d %.80q", w.Code, w.Body, test.status, test.body)
			}
			for name, want := range test.headers {
				if diff := cmp.Diff(want, http.Header(w.Header())[name]); diff != "" {
					t.Errorf("header %s (-want +got):\n%s", name, diff)
				}
			}
		})
	}
}

// A function may return anything. The decoder must not panic, and must accept only what can be sent.
func FuzzDecodeResponse(f *testing.F) {
	for _, seed := range []string{
		`{"statusCode":200,"headers":{"a":"b"},"cookies":["a=1"],"body":"YQ==","isBase64Encoded":true}`,
		`{"statusCode":1e2}`, `"text"`, `null`, `[1]`, `{`, ``, `{"statusCode":200,"headers":{"a\n":"b"}}`,
		`{"statusCode":200,"statusCode":"x"}`,
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, payload []byte) {
		r, err := decodeResponse(payload)
		if err != nil {
			return
		}
		if r.status < 200 || r.status > 599 {
			t.Errorf("status %d", r.status)
		}
		w := httptest.NewRecorder()
		r.writeTo(w, func() {})
		for name, values := range w.Header() {
			for _, value := range values {
				if strings.ContainsAny(name+value, "\r\n\x00") {
					t.Errorf("header %q: %q", name, value)
				}
			}
		}
	})
}
