package httpapi_test

import (
	"context"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"testing"

	"signedsocket/localstage/internal/httpapi"
	"signedsocket/localstage/internal/issuer"
)

type okFunction struct{}

func (okFunction) Invoke(context.Context, []byte) ([]byte, error) { return []byte(`{}`), nil }

// The stage's own issuer and its JWT authorizer meet on the wire only.
func TestTokensOfTheDevelopmentIssuerPass(t *testing.T) {
	t.Parallel()
	server := httptest.NewUnstartedServer(nil)
	address := "http://" + server.Listener.Addr().String()
	tokens, err := issuer.New(issuer.Config{Issuer: address, Audience: "chat"})
	if err != nil {
		t.Fatal(err)
	}
	server.Config.Handler = tokens
	server.Start()
	t.Cleanup(server.Close)
	api, err := httpapi.New(httpapi.Config{APIID: "h1", Region: "us-east-1", AccountID: "111122223333",
		Routes: []httpapi.Route{{
			Key: "POST /signurl", AuthorizationType: "JWT", Integration: okFunction{},
			JWT: &httpapi.JWTAuthorizer{Issuer: address, Audience: []string{"chat"}},
		}}})
	if err != nil {
		t.Fatal(err)
	}
	for query, status := range map[string]int{
		"user=alice": 200, "user=alice&expires_in=-1": 401, "user=alice&claim.aud=another": 401,
	} {
		w := httptest.NewRecorder()
		tokens.ServeHTTP(w, httptest.NewRequest(http.MethodGet, "/dev/token?"+query, nil))
		var answer struct {
			AccessToken string `json:"access_token"`
		}
		if err := json.Unmarshal(w.Body.Bytes(), &answer); err != nil {
			t.Fatal(err)
		}
		r := httptest.NewRequest(http.MethodPost, "/signurl", nil)
		r.Header.Set("Authorization", "Bearer "+answer.AccessToken)
		w = httptest.NewRecorder()
		if api.ServeHTTP(w, r); w.Code != status {
			t.Errorf("%s: status %d (%s), want %d", query, w.Code, w.Header().Get("Www-Authenticate"), status)
		}
	}
}
