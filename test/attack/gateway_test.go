package attack_test

import (
	"net/http"
	"net/url"
	"strings"
	"testing"

	"signedsocket/internal/stageclient/clienttest"
	"signedsocket/localstage/stagetest"
)

// replaced edits a template.
func replaced(from, to string) func(string) string {
	return func(template string) string { return strings.Replace(template, from, to, 1) }
}

// TestAConnectRouteWithoutAuthorizationRefusesEveryHandshake: the deployed route has the authorization NONE, unlike the
// template. A handshake with every parameter of a grant is refused, with and without a signature.
func TestAConnectRouteWithoutAuthorizationRefusesEveryHandshake(t *testing.T) {
	t.Parallel()
	s := openEmpty(t, stagetest.Options{Edit: replaced("AuthType: AWS_IAM", "AuthType: NONE")})
	good, goodProof := clienttest.Sign(t, s.client, "alice")
	g, proof := grant()
	for name, attempt := range map[string]struct{ url, verifier string }{
		"unsigned": {s.client.Outputs.WebSocketURL + "?" + g.Values().Encode(), proof.Verifier},
		"with a false one": {s.client.Outputs.WebSocketURL + "?" + g.Values().Encode() + "&X-Amz-Signature=" +
			strings.Repeat("0", 64), proof.Verifier},
		"with signurl's own":  {good.URL, goodProof.Verifier},
		"with nothing at all": {s.client.Outputs.WebSocketURL, ""},
	} {
		s.unharmed(t, []string{connectFunction}, func() {
			conn, err := clienttest.Dial(t, s.client, attempt.url, attempt.verifier, nil)
			t.Log(name)
			clienttest.WantRefused(t, conn, err, http.StatusForbidden)
			s.wantReason(t, connectFunction, "no_identity")
		})
	}
}

// TestASignRouteWithoutAuthorizationSignsNothing is the same for the HTTP API.
func TestASignRouteWithoutAuthorizationSignsNothing(t *testing.T) {
	t.Parallel()
	s := openEmpty(t, stagetest.Options{Edit: func(template string) string {
		template = strings.Replace(template,
			"AuthorizationType: !If [AuthModeIsJwt, JWT, !If [AuthModeIsIam, AWS_IAM, NONE]]",
			"AuthorizationType: NONE", 1)
		return strings.Replace(template,
			"      AuthorizerId: !If [AuthModeIsJwt, !Ref SignUrlAuthorizer, !Ref AWS::NoValue]\n", "", 1)
	}})
	header := bearer(clienttest.Token(t, s.client, "mallory"))
	s.unharmed(t, []string{signURLFunction}, func() {
		status, answer := s.post(t, `{"challenge":"`+strings.Repeat("A", 43)+`"}`, header)
		if status != http.StatusServiceUnavailable || !strings.Contains(answer, "auth_not_configured") {
			t.Errorf("answered %d %s, want 503 auth_not_configured", status, answer)
		}
		s.wantReason(t, signURLFunction, "auth_not_configured")
		if _, answer := s.post(t, `{"user":{"sub":"victim"}}`, header); strings.Contains(answer, "wss") {
			t.Error("a URL was signed for the user that the request names")
		}
	})
}

// TestAnotherAPIInvokesNothing is the confused deputy: the permission of the function names another API or route. The
// API of this stage must not reach the function.
func TestAnotherAPIInvokesNothing(t *testing.T) {
	t.Parallel()
	const ours = "arn:${AWS::Partition}:execute-api:${AWS::Region}:${AWS::AccountId}:${HttpApi}/*/POST/signurl"
	for name, source := range map[string]string{
		"another API":   "arn:${AWS::Partition}:execute-api:${AWS::Region}:${AWS::AccountId}:a1b2c3d4e5/*/POST/signurl",
		"another route": "arn:${AWS::Partition}:execute-api:${AWS::Region}:${AWS::AccountId}:${HttpApi}/*/GET/signurl",
		"no API":        "arn:${AWS::Partition}:execute-api:${AWS::Region}:999999999999:${HttpApi}/*/POST/signurl",
	} {
		s := openEmpty(t, stagetest.Options{Edit: replaced(ours, source)})
		header := bearer(clienttest.Token(t, s.client, "alice"))
		s.unharmed(t, nil, func() {
			if status, answer := s.post(t, `{}`, header); status != http.StatusInternalServerError ||
				strings.Contains(answer, "wss") {
				t.Errorf("%s: answered %d %s, want 500", name, status, answer)
			}
		})
	}
}

// TestDNSRebindingReachesNothing: a page in the developer's browser asks a host name of its own, which now resolves to
// 127.0.0.1.
func TestDNSRebindingReachesNothing(t *testing.T) {
	t.Parallel()
	localOnly(t, "is about addresses of a laptop")
	s := open(t, stagetest.Options{})
	outputs := s.client.Outputs
	hosts := func(address string) (ours string, others []string) {
		parsed, err := url.Parse(address)
		if err != nil {
			t.Fatal(err)
		}
		return parsed.Host, []string{"evil.example:" + parsed.Port(), "127.0.0.1.evil.example",
			"localhost.evil.example", "0.0.0.0", "10.0.0.1:80", "169.254.169.254"}
	}
	for line, address := range map[string]string{
		"POST /signurl":              outputs.SignURL,
		"OPTIONS /signurl":           outputs.SignURL,
		"GET /dev/token?user=victim": outputs.Local.DevTokenURL,
		"GET /keys":                  outputs.Local.DevTokenURL,
		"POST /":                     outputs.Local.DynamoDBURL,
		"POST /2015-03-31/functions/x/invocations": outputs.Local.LambdaURL,
		"POST /prod/@connections/abcdef":           outputs.CallbackURL,
	} {
		ours, others := hosts(address)
		s.unharmed(t, nil, func() {
			for _, host := range others {
				status := ask(t, ours, line+" HTTP/1.1",
					[]string{"Host: " + host, "Content-Length: 0", "X-Amz-Target: DynamoDB_20120810.Scan"})
				if status != http.StatusMisdirectedRequest {
					t.Errorf("%s as %s: answered %d, want 421", line, host, status)
				}
			}
		})
	}
	signed, proof := clienttest.Sign(t, s.client, "mallory")
	_, others := hosts(outputs.WebSocketURL)
	s.unharmed(t, nil, func() {
		for _, host := range others {
			if status := s.handshake(t, host, targetOf(t, signed.URL)); status != http.StatusMisdirectedRequest {
				t.Errorf("a handshake as %s: answered %d, want 421", host, status)
			}
		}
	})
	s.stillGood(t, signed, proof)
}

// TestPagesOfOtherSitesReadNothing: no address that gives out tokens, keys or URLs lets a page of another site read its
// answer.
func TestPagesOfOtherSitesReadNothing(t *testing.T) {
	t.Parallel()
	localOnly(t, "is about addresses of a laptop")
	s := open(t, stagetest.Options{})
	for _, address := range []string{s.client.Outputs.SignURL, s.client.Outputs.Local.DevTokenURL + "?user=victim",
		s.client.Outputs.Local.DynamoDBURL + "/", s.client.Outputs.CallbackURL + "/@connections/x"} {
		for _, method := range []string{http.MethodGet, http.MethodPost, http.MethodOptions} {
			r, err := http.NewRequestWithContext(clienttest.Within(t), method, address, nil)
			if err != nil {
				t.Fatal(err)
			}
			r.Header.Set("Origin", "https://evil.example")
			r.Header.Set("Access-Control-Request-Method", http.MethodPost)
			response, err := s.client.HTTP.Do(r)
			if err != nil {
				t.Fatal(err)
			}
			_ = response.Body.Close()
			if allowed := response.Header.Get("Access-Control-Allow-Origin"); allowed == "*" ||
				strings.Contains(allowed, "evil") {
				t.Errorf("%s %s lets https://evil.example read it (%s)", method, address, allowed)
			}
		}
	}
}
