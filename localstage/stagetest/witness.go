package stagetest

import (
	"bytes"
	"io"
	"net/http"
	"net/url"
	"regexp"
	"strings"

	"signedsocket/internal/stageclient/clienttest"
)

// witness returns an HTTP client that keeps the credentials in its requests and answers, so that the test can search
// the log for them. It waits while the stage throttles it.
func (l *stageLog) witness() *http.Client {
	return &http.Client{Transport: clienttest.Waiting(&witness{log: l, next: http.DefaultTransport})}
}

type witness struct {
	log  *stageLog
	next http.RoundTripper
}

// RoundTrip implements http.RoundTripper.
func (w *witness) RoundTrip(r *http.Request) (*http.Response, error) {
	w.log.keepSecret(sent(r)...)
	response, err := w.next.RoundTrip(r)
	if err != nil || !strings.HasPrefix(response.Header.Get("Content-Type"), "application/json") {
		return response, err
	}
	body, err := io.ReadAll(response.Body)
	_ = response.Body.Close()
	if err != nil {
		return nil, err
	}
	w.log.keepSecret(handedOut(string(body))...)
	response.Body = io.NopCloser(bytes.NewReader(body))
	return response, nil
}

// sent returns the credentials of a request.
func sent(r *http.Request) []string {
	found := credentialsIn(r.URL.Query())
	for _, value := range r.Header.Values("Authorization") {
		_, token, _ := strings.Cut(value, " ")
		_, signature, _ := strings.Cut(value, "Signature=")
		found = append(found, token, signature)
	}
	for _, value := range r.Header.Values("Sec-WebSocket-Protocol") {
		for offered := range strings.SplitSeq(value, ",") {
			if verifier, ok := strings.CutPrefix(strings.TrimSpace(offered), "pop."); ok {
				found = append(found, verifier)
			}
		}
	}
	return append(found, append(r.Header.Values("Cookie"), r.Header.Values("X-Amz-Security-Token")...)...)
}

// handedOut returns the credentials in a JSON body: a token, or those in a signed URL.
func handedOut(body string) []string {
	var found []string
	for _, match := range regexp.MustCompile(`"access_token":\s*"([^"]+)"`).FindAllStringSubmatch(body, -1) {
		found = append(found, match[1])
	}
	for _, match := range regexp.MustCompile(`"wss?://[^"?]*\?([^"]*)"`).FindAllStringSubmatch(body, -1) {
		query, err := url.ParseQuery(strings.ReplaceAll(match[1], `\u0026`, "&"))
		if err == nil {
			found = append(found, credentialsIn(query)...)
		}
	}
	return found
}

func credentialsIn(query url.Values) []string {
	var found []string
	for _, name := range []string{"X-Amz-Signature", "X-Amz-Security-Token", "jti", "cc"} {
		found = append(found, query[name]...)
	}
	return found
}
