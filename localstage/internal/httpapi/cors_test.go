package httpapi

import (
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// corsHeaders returns the CORS headers of an answer.
func corsHeaders(h http.Header) map[string]string {
	found := map[string]string{}
	for _, name := range []string{"Origin", "Methods", "Headers", "Credentials"} {
		if v := h.Get("Access-Control-Allow-" + name); v != "" {
			found[name] = v
		}
	}
	if v := h.Get("Access-Control-Max-Age"); v != "" {
		found["MaxAge"] = v
	}
	if v := h.Get("Access-Control-Expose-Headers"); v != "" {
		found["Expose"] = v
	}
	return found
}

func TestPreflightIsAnsweredBeforeAuthorization(t *testing.T) {
	t.Parallel()
	config := &CORS{AllowOrigins: []string{"https://a.example", "http://*"}, AllowMethods: []string{"POST", "GET"},
		AllowHeaders: []string{
			"authorization", "content-type",
		}, ExposeHeaders: []string{"x-a"}, AllowCredentials: true, MaxAge: 600}
	full := func(origin string) map[string]string {
		return map[string]string{
			"Origin": origin, "Methods": "POST,GET", "Headers": "authorization,content-type", "Credentials": "true",
			"MaxAge": "600",
		}
	}
	tests := map[string]struct {
		origin string
		want   map[string]string
	}{
		"an allowed origin":   {"https://a.example", full("https://a.example")},
		"an allowed scheme":   {"http://other.example", full("http://other.example")},
		"another origin":      {"https://b.example", map[string]string{}},
		"a longer origin":     {"https://a.example.org", map[string]string{}},
		"a file or a sandbox": {"null", map[string]string{}},
	}
	c := testConfig(Route{Key: "POST /x", AuthorizationType: "AWS_IAM", Integration: returns(`{}`)})
	c.CORS = config
	api := newAPI(t, c)
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := httptest.NewRequest("OPTIONS", "/x", nil)
			r.Header.Set("Origin", test.origin)
			r.Header.Set("Access-Control-Request-Method", "POST")
			w := do(api, r)
			if w.Code != http.StatusNoContent {
				t.Errorf("status %d", w.Code)
			}
			if diff := cmp.Diff(test.want, corsHeaders(w.Header())); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestAnswersCarryTheConfiguredCORSHeadersOnly(t *testing.T) {
	t.Parallel()
	function := returns(`{"statusCode":200,"headers":{"Access-Control-Allow-Origin":"https://evil.example",` +
		`"Access-Control-Allow-Methods":"PUT"}}`)
	configured := &CORS{AllowOrigins: []string{"https://a.example"}, ExposeHeaders: []string{"x-a", "x-b"}}
	granted := map[string]string{"Origin": "https://a.example", "Expose": "x-a,x-b"}
	tests := map[string]struct {
		cors         *CORS
		origin, path string
		want         map[string]string
	}{
		"the function's are replaced":    {configured, "https://a.example", "/x", granted},
		"and dropped for another origin": {configured, "https://b.example", "/x", map[string]string{}},
		"none without an origin":         {configured, "", "/x", map[string]string{}},
		"a refusal has them":             {configured, "https://a.example", "/iam", granted},
		"every origin": {
			&CORS{AllowOrigins: []string{"*"}}, "https://b.example", "/x", map[string]string{"Origin": "*"},
		},
		"no configuration": {
			nil, "https://a.example", "/x", map[string]string{"Origin": "https://evil.example", "Methods": "PUT"},
		},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c := testConfig(Route{Key: "GET /x", Integration: function},
				Route{Key: "GET /iam", AuthorizationType: "AWS_IAM", Integration: function})
			c.CORS = test.cors
			r := httptest.NewRequest("GET", test.path, nil)
			if test.origin != "" {
				r.Header.Set("Origin", test.origin)
			}
			if diff := cmp.Diff(test.want, corsHeaders(do(newAPI(t, c), r).Header())); diff != "" {
				t.Error(diff)
			}
		})
	}
}
