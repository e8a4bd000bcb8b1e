package httpapi

import (
	"net/http/httptest"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// The first five rows are the example of "Create routes for HTTP APIs" in the API
// Gateway developer guide.
func TestMostSpecificRouteIsSelected(t *testing.T) {
	t.Parallel()
	keys := []string{
		"$default", "ANY /{proxy+}", "GET /pets/{proxy+}", "GET /pets/dog/{id}", "GET /pets/dog/1",
		"ANY /files", "POST /files", "GET /files/{name}/{part}", "GET /",
	}
	tests := []struct {
		method, path, want string
		parameters         map[string]string
	}{
		{"GET", "/pets/dog/1", "GET /pets/dog/1", nil},
		{"GET", "/pets/dog/2", "GET /pets/dog/{id}", map[string]string{"id": "2"}},
		{"GET", "/pets/cat/1", "GET /pets/{proxy+}", map[string]string{"proxy": "cat/1"}},
		{"POST", "/test/5", "ANY /{proxy+}", map[string]string{"proxy": "test/5"}},
		{"POST", "/", "$default", nil},
		{"GET", "/", "GET /", nil},
		{"POST", "/files", "POST /files", nil},
		{"PUT", "/files", "ANY /files", nil},
		{"PUT", "/files/", "ANY /{proxy+}", map[string]string{"proxy": "files/"}},
		{"GET", "/files/a%20b/c", "GET /files/{name}/{part}", map[string]string{"name": "a b", "part": "c"}},
		{"GET", "/Pets/dog/1", "ANY /{proxy+}", map[string]string{"proxy": "Pets/dog/1"}},
		{"GET", "/pets/", "ANY /{proxy+}", map[string]string{"proxy": "pets/"}},
	}
	var routes []Route
	for _, key := range keys {
		routes = append(routes, Route{Key: key, Integration: function(echo)})
	}
	api := newAPI(t, testConfig(routes...))
	for _, test := range tests {
		t.Run(test.method+" "+test.path, func(t *testing.T) {
			t.Parallel()
			e := sentEvent(t, do(api, httptest.NewRequest(test.method, test.path, nil)))
			if e.RouteKey != test.want || e.RequestContext.RouteKey != test.want {
				t.Errorf("route %q, want %q", e.RouteKey, test.want)
			}
			if diff := cmp.Diff(test.parameters, e.PathParameters); diff != "" {
				t.Errorf("path parameters (-want +got):\n%s", diff)
			}
		})
	}
}

func TestNamedStagePrefixesThePath(t *testing.T) {
	t.Parallel()
	c := testConfig(Route{Key: "GET /x", Integration: function(echo)}, Route{Key: "GET /", Integration: function(echo)})
	c.Stage = "prod"
	api := newAPI(t, c)
	for path, status := range map[string]int{
		"/prod/x": 200, "/prod": 200, "/prod/": 200, "/x": 404, "/production/x": 404,
	} {
		w := do(api, httptest.NewRequest("GET", path, nil))
		if w.Code != status {
			t.Errorf("%s: status %d, want %d", path, w.Code, status)
		}
		if status == 200 && sentEvent(t, w).RawPath != path {
			t.Errorf("%s: rawPath %q", path, sentEvent(t, w).RawPath)
		}
	}
}

func TestRawPathIsDecodedAndCutAtAQuestionMark(t *testing.T) {
	t.Parallel()
	api := newAPI(t, testConfig(Route{Key: "$default", Integration: function(echo)}))
	for sent, want := range map[string]string{
		"/a%2Fb": "/a/b", "/a%23b": "/a#b", "/a%3Fadmin=1": "/a", "/a/": "/a/", "/%E3%81%82": "/あ",
	} {
		e := sentEvent(t, do(api, httptest.NewRequest("GET", sent+"?q=%20", nil)))
		if e.RawPath != want || e.RequestContext.HTTP.Path != want || e.RawQueryString != "q=%20" {
			t.Errorf("%s: rawPath %q, path %q, rawQueryString %q", sent, e.RawPath, e.RequestContext.HTTP.Path,
				e.RawQueryString)
		}
	}
}
