package stagetest

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
)

func TestSecretsInALogAreFound(t *testing.T) {
	t.Parallel()
	hidden := map[string]struct{}{"AAECAwQFBgcICQoLDA0ODw": {}}
	for name, line := range map[string]string{
		"a signed URL":        `dial ws://127.0.0.1/prod?X-Amz-Signature=6274cda040cab0a8d797f67f8228`,
		"a bare signature":    `signature 6274cda040cab0a8d797f67f82286919729ecfe81ff85efcf66ad954b19cb3ca`,
		"a session token":     `{"X-Amz-Security-Token":"IQoJb3JpZ2luX2VjEJr"}`,
		"a JWT":               `token eyJhbGciOiJSUzI1NiJ9.eyJzdWIiOiJhbGljZSJ9.c2ln`,
		"a verifier":          `protocols chat.v1, pop.dBjftJeZ4CVP`,
		"an authorization":    `Authorization: Bearer abc.def.ghi`,
		"a signed header":     `AWS4-HMAC-SHA256 Credential=ASIA/20261122`,
		"a cookie":            `map[Cookie:session=1]`,
		"a ticket":            `ticket: AAECAwQFBgcICQoLDA0OXX`,
		"a registered secret": `{"reason":"AAECAwQFBgcICQoLDA0ODw"}`,
	} {
		found := leaks([]string{line}, hidden)
		if len(found) != 1 || !strings.Contains(found[0], "<SECRET>") {
			t.Errorf("%s was not found in %q: %q", name, line, found)
		}
	}
	for _, line := range []string{
		`ConnectFunction | {"timestamp":"2026-11-22T06:00:00Z","level":"WARN","message":"connection refused",` +
			`"connectionId":"RhDBXdXgIAMCIFQ=","reason":"ticket_used",` +
			`"requestId":"0b9a2b4e-7c1f-4a86-9d3b-7d0e2f1a5c66"}`,
		`level=WARN msg="handshake refused by authorization" sourceIp=127.0.0.1 refusal.reason="X-Amz-Signature does ` +
			`not match"`,
		`{"error":"X-Amz-Signature=[redacted]"}`,
		`level=INFO msg="connection closed" connectionId="aIDJeyJXdXgIAMC="`,
	} {
		if found := leaks([]string{line}, hidden); len(found) != 0 {
			t.Errorf("an honest line was taken for a leak: %q", found)
		}
	}
}

func TestTheWitnessKeepsCredentialsInBothDirections(t *testing.T) {
	t.Parallel()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		_, _ = w.Write([]byte(`{"access_token":"the-token-of-the-answer",` +
			`"url":"ws://h/prod?jti=the-ticket-of-the-url\u0026X-Amz-Signature=the-signature-of-the-url"}`))
	}))
	t.Cleanup(server.Close)
	log := &stageLog{secrets: map[string]struct{}{}}
	request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, server.URL+
		"/?jti=the-ticket-of-the-query", nil)
	if err != nil {
		t.Fatal(err)
	}
	request.Header.Set("Authorization", "Bearer the-token-of-the-header")
	request.Header.Set("Cookie", "session=the-cookie")
	request.Header.Set("Sec-WebSocket-Protocol", "chat.v1, pop.the-verifier-of-the-handshake")
	response, err := log.witness().Do(request)
	if err != nil {
		t.Fatal(err)
	}
	_ = response.Body.Close()
	for _, secret := range []string{
		"the-token-of-the-answer", "the-ticket-of-the-url", "the-signature-of-the-url", "the-ticket-of-the-query",
		"the-token-of-the-header", "session=the-cookie", "the-verifier-of-the-handshake",
	} {
		if found := leaks([]string{"x " + secret}, log.secrets); len(found) != 1 {
			t.Errorf("%s is not remembered", secret)
		}
	}
}

func TestReasonsAreReadFromAFunctionsLinesOnly(t *testing.T) {
	t.Parallel()
	log := &stageLog{}
	for _, part := range []string{
		"ConnectFunction | {\"reason\":\"exp", "ired\"}\nSignUrlFunction | {\"reason\":\"revoked\"}\n",
		"ConnectFunction | no JSON\n",
	} {
		if _, err := log.Write([]byte(part)); err != nil {
			t.Fatal(err)
		}
	}
	if got := log.refusals("ConnectFunction"); len(got) != 1 || got[0] != "expired" {
		t.Errorf("got %q, want expired", got)
	}
}
