package stageclient_test

import (
	"net/http"
	"net/http/httptest"
	"testing"

	"signedsocket/internal/stageclient"
)

func TestClientSendsTheOriginOfThePage(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		page   string
		header http.Header
		want   string
	}{
		"the page":           {"https://chat.example/", nil, "https://chat.example"},
		"a page with a path": {"http://127.0.0.1:3001/app", nil, "http://127.0.0.1:3001"},
		"another origin": {"https://chat.example", http.Header{"Origin": {"https://evil.example"}},
			"https://evil.example"},
		"no origin": {"https://chat.example", http.Header{"Origin": {}}, ""},
		"no page":   {"", nil, ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			origins := make(chan []string, 1)
			server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				origins <- r.Header.Values("Origin")
				w.WriteHeader(http.StatusForbidden)
			}))
			t.Cleanup(server.Close)
			client := &stageclient.Client{Outputs: stageclient.Outputs{FrontendURL: test.page}}
			if _, err := client.Dial(t.Context(), &stageclient.Signed{URL: server.URL},
				stageclient.DialOptions{Header: test.header}); err == nil {
				t.Error("the handshake was accepted")
			}
			got := <-origins
			if test.want == "" && len(got) != 0 || test.want != "" && (len(got) != 1 || got[0] != test.want) {
				t.Errorf("came from %q, want %q", got, test.want)
			}
		})
	}
}
