package e2e_test

import (
	"encoding/json"
	"errors"
	"net/http"
	"strings"
	"testing"

	"signedsocket/internal/stageclient"
	"signedsocket/localstage/stagetest"
)

func TestSignUrlAnswersOnlyToUsersOfTheIssuer(t *testing.T) {
	t.Parallel()
	_, client := startStage(t, stagetest.Options{})
	_, other := startStage(t, stagetest.Options{}) // with another issuer
	foreign, err := other.Token(within(t), "alice")
	if err != nil {
		t.Fatal(err)
	}
	for name, token := range map[string]string{"no token": "", "not a token": "abc",
		"a token of another issuer": foreign} {
		_, err := client.SignURL(within(t), token, nil, "")
		refused, ok := errors.AsType[*stageclient.SignError](err)
		if !ok || refused.Status != http.StatusUnauthorized || refused.Message != "Unauthorized" {
			t.Errorf("%s: %v, want HTTP 401 Unauthorized", name, err)
		}
	}
}

// TestSignUrlTakesPostOnly uses a stack without the page, because the page answers all other routes.
func TestSignUrlTakesPostOnly(t *testing.T) {
	t.Parallel()
	_, client := startStage(t, stagetest.Options{Parameters: map[string]string{"DeployFrontend": "false"}})
	for _, method := range []string{http.MethodGet, http.MethodPut, http.MethodDelete} {
		request, err := http.NewRequestWithContext(within(t), method, client.Outputs.SignURL, nil)
		if err != nil {
			t.Fatal(err)
		}
		response, err := client.HTTP.Do(request)
		if err != nil {
			t.Fatal(err)
		}
		var body struct{ Message string }
		err = json.NewDecoder(response.Body).Decode(&body)
		_ = response.Body.Close()
		if response.StatusCode != http.StatusNotFound || err != nil || body.Message != "Not Found" {
			t.Errorf("%s answered %d %+v, want 404 Not Found", method, response.StatusCode, body)
		}
	}
}

func TestSignUrlRefusesBadRequestsAndSaysWhy(t *testing.T) {
	t.Parallel()
	client := anyStage(t)
	token, err := client.Token(within(t), "alice")
	if err != nil {
		t.Fatal(err)
	}
	cases := []struct {
		name, contentType, body string
		status                  int
		code                    string
	}{
		{"not JSON", "application/json", "rooms", 400, "bad_request"},
		{"unknown member", "application/json", `{"room":"lobby"}`, 400, "bad_request"},
		{"a user of one's own choice", "application/json", `{"user":{"sub":"bob"}}`, 400, "bad_request"},
		{"bad challenge", "application/json", `{"challenge":"abc"}`, 400, "bad_request"},
		{"no challenge", "application/json", `{"rooms":["lobby"]}`, 400, "bad_request"},
		{"a form", "application/x-www-form-urlencoded", "rooms=lobby", 415, ""},
		{"too large", "application/json", `{"rooms":["` + strings.Repeat("a", 1100) + `"]}`, 413, ""},
		{"a room that is not the user's", "application/json",
			`{"rooms":["vault"],"challenge":"` + stageclient.NewProof().Challenge + `"}`, 403, "room_not_allowed"},
	}
	for _, c := range cases {
		request, err := http.NewRequestWithContext(within(t), http.MethodPost, client.Outputs.SignURL,
			strings.NewReader(c.body))
		if err != nil {
			t.Fatal(err)
		}
		request.Header.Set("Authorization", "Bearer "+token)
		request.Header.Set("Content-Type", c.contentType)
		response, err := client.HTTP.Do(request)
		if err != nil {
			t.Fatal(err)
		}
		var body struct{ Error, Message, URL string }
		err = json.NewDecoder(response.Body).Decode(&body)
		_ = response.Body.Close()
		if err != nil || response.StatusCode != c.status || c.code != "" && body.Error != c.code ||
			body.Message == "" || body.URL != "" {
			t.Errorf("%s: answered %d %+v (%v), want %d %s", c.name, response.StatusCode, body, err, c.status, c.code)
		}
	}
}

// TestTheSuiteWaitsWhileAStageThrottlesIt: other tests may have emptied the buckets of a running stage.
func TestTheSuiteWaitsWhileAStageThrottlesIt(t *testing.T) {
	t.Parallel()
	smallBuckets := map[string]string{"SignUrlRate": "2", "SignUrlBurst": "2", "ConnectRate": "2", "ConnectBurst": "2"}
	stage, client := startStage(t, stagetest.Options{Parameters: smallBuckets})
	token, err := client.Token(within(t), "alice")
	if err != nil {
		t.Fatal(err)
	}
	for emptyBucket(t, client, token) == 0 {
	}
	const connections = 5
	for range connections {
		connect(t, client, "alice")
	}
	if open := len(stage.Gateway().Connections()); open != connections {
		t.Errorf("%d connections are open, want %d", open, connections)
	}
}

// emptyBucket sends requests side by side with a client that does not wait, and returns how many were throttled.
func emptyBucket(t *testing.T, c *stageclient.Client, token string) int {
	t.Helper()
	hasty := checked(t, &stageclient.Client{Outputs: c.Outputs})
	const requests = 8
	answers := make(chan error, requests)
	for range requests {
		go func() {
			_, err := hasty.SignURL(within(t), token, nil, stageclient.NewProof().Challenge)
			answers <- err
		}()
	}
	throttled := 0
	for range requests {
		refused, ok := errors.AsType[*stageclient.SignError](<-answers)
		if ok && refused.Status == http.StatusTooManyRequests {
			throttled++
		}
	}
	return throttled
}
