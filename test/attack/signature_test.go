package attack_test

import (
	"bufio"
	"crypto/tls"
	"fmt"
	"maps"
	"net"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"

	"signedsocket/internal/stageclient"
	"signedsocket/internal/stageclient/clienttest"
	"signedsocket/localstage/stagetest"
)

// handshake sends a handshake byte for byte, which no HTTP library does, and returns the answer's status. target is the
// path and query as they are sent.
func (s *scene) handshake(t *testing.T, host, target string, fields ...string) int {
	t.Helper()
	address, err := url.Parse(s.client.Outputs.WebSocketURL)
	if err != nil {
		t.Fatal(err)
	}
	if host == "" {
		host = address.Host
	}
	return ask(t, address.Host, "GET "+target+" HTTP/1.1", append([]string{
		"Host: " + host, "Connection: Upgrade", "Upgrade: websocket", "Sec-WebSocket-Version: 13",
		"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==",
	}, fields...))
}

// ask sends a request line and header fields to an address and returns the answer's status.
func ask(t *testing.T, address, line string, fields []string) int {
	t.Helper()
	socket, err := dial(t, address)
	if err != nil {
		t.Fatal(err)
	}
	defer socket.Close()
	if deadline, ok := clienttest.Within(t).Deadline(); ok {
		_ = socket.SetDeadline(deadline) // a TCP socket takes deadlines
	}
	if _, err := fmt.Fprintf(socket, "%s\r\n%s\r\n\r\n", line, strings.Join(fields, "\r\n")); err != nil {
		t.Fatal(err)
	}
	response, err := http.ReadResponse(bufio.NewReader(socket), nil)
	if err != nil {
		t.Fatalf("no answer to %d header fields: %v", len(fields), err)
	}
	_ = response.Body.Close()
	return response.StatusCode
}

// dial opens a connection for bytes. A deployed stage answers over TLS only, and its address has no port.
func dial(t *testing.T, address string) (net.Conn, error) {
	t.Helper()
	if _, _, err := net.SplitHostPort(address); err != nil {
		secure := tls.Dialer{Config: &tls.Config{MinVersion: tls.VersionTLS12}}
		return secure.DialContext(clienttest.Within(t), "tcp", net.JoinHostPort(address, "443"))
	}
	var plain net.Dialer
	return plain.DialContext(clienttest.Within(t), "tcp", address)
}

// targetOf returns the path and query of a URL.
func targetOf(t *testing.T, address string) string {
	t.Helper()
	parsed, err := url.Parse(address)
	if err != nil {
		t.Fatal("a signed URL does not parse")
	}
	return parsed.RequestURI()
}

// rewrite returns a change that replaces a parameter's value. It fails when the URL lacks the parameter.
func rewrite(name string, change func(string) string) func(*testing.T, string) string {
	return func(t *testing.T, target string) string {
		t.Helper()
		before, rest, found := strings.Cut(target, name+"=")
		if !found {
			t.Fatalf("the signed URL has no parameter %s", name)
		}
		value, after, more := strings.Cut(rest, "&")
		if more {
			after = "&" + after
		}
		return before + name + "=" + change(value) + after
	}
}

func appended(text string) func(*testing.T, string) string {
	return func(_ *testing.T, target string) string { return target + text }
}

func set(value string) func(string) string { return func(string) string { return value } }

// TestAlteredSignaturesReachNoFunction tries what has fooled verifiers of signatures before: doubled parameters, other
// encodings, other algorithms.
func TestAlteredSignaturesReachNoFunction(t *testing.T) {
	t.Parallel()
	s := open(t, stagetest.Options{})
	path := func(from, to string) func(*testing.T, string) string {
		return func(_ *testing.T, target string) string { return strings.Replace(target, from, to, 1) }
	}
	tests := map[string]func(*testing.T, string) string{
		"no query at all": func(_ *testing.T, target string) string {
			target, _,
				_ = strings.Cut(target, "?")
			return target
		},
		"the signature removed": func(_ *testing.T, target string) string {
			target, _, _ = strings.Cut(target, "&X-Amz-Signature=")
			return target
		},
		"the signature emptied":          rewrite("X-Amz-Signature", set("")),
		"the signature cut":              rewrite("X-Amz-Signature", func(v string) string { return v[:32] }),
		"the signature in capitals":      rewrite("X-Amz-Signature", strings.ToUpper),
		"a second signature":             appended("&X-Amz-Signature=" + strings.Repeat("0", 64)),
		"a signature in lower case":      appended("&x-amz-signature=" + strings.Repeat("0", 64)),
		"a second credential":            appended("&X-Amz-Credential=ASIAEXAMPLE"),
		"a credential in lower case":     appended("&x-amz-credential=ASIAEXAMPLE"),
		"a second date":                  appended("&X-Amz-Date=20301231T235959Z"),
		"a header of the signature":      appended("&X-Amz-Target=anything"),
		"a second user":                  appended("&sub=victim"),
		"a second user before the first": path("?", "?sub=victim&"),
		"an encoded second user":         appended("&%73ub=victim"),
		"a user in capitals":             appended("&SUB=victim"),
		"a user behind a semicolon":      appended(";sub=victim"),
		"a user behind an encoded &":     rewrite("sub", func(v string) string { return v + "%26sub=victim" }),
		"a user behind a zero":           rewrite("sub", func(v string) string { return v + "%00victim" }),
		"another user":                   rewrite("sub", set("victim")),
		"another room":                   rewrite("rm", set("vault")),
		"a moderator":                    appended("&md=1"),
		"a moderator before the rest":    path("?", "?md=1&"),
		"an encoded moderator":           appended("&%6dd=1"),
		"a room to read":                 appended("&ro=lobby"),
		"a later end":                    rewrite("exp", set("1999999999")),
		"a plus for the name":            rewrite("nm", func(v string) string { return "+" + v }),
		"a broken escape":                appended("&x=%zz"),
		"a cut escape":                   appended("&x=%4"),
		"65 parameters":                  appended(strings.Repeat("&x=1", 65)),
		"no algorithm":                   rewrite("X-Amz-Algorithm", set("none")),
		"an empty algorithm":             rewrite("X-Amz-Algorithm", set("")),
		"an algorithm in lower case":     rewrite("X-Amz-Algorithm", strings.ToLower),
		"Signature Version 4A":           rewrite("X-Amz-Algorithm", set("AWS4-ECDSA-P256-SHA256")),
		"SHA-1":                          rewrite("X-Amz-Algorithm", set("AWS4-HMAC-SHA1")),
		"no signed headers":              rewrite("X-Amz-SignedHeaders", set("")),
		"host not signed":                rewrite("X-Amz-SignedHeaders", set("x-amz-date")),
		"host signed twice":              rewrite("X-Amz-SignedHeaders", set("host%3Bhost")),
		"an encoded slash in lower case": rewrite("X-Amz-Credential",
			func(v string) string { return strings.ReplaceAll(v, "%2F", "%252F") }),
		"another service": rewrite("X-Amz-Credential",
			func(v string) string { return strings.ReplaceAll(v, "execute-api", "dynamodb") }),
		"another Region": rewrite("X-Amz-Credential",
			func(v string) string { return strings.ReplaceAll(v, s.client.Outputs.Region, "mars-north-1") }),
		"another key": rewrite("X-Amz-Credential",
			func(v string) string { return "AKIAEXAMPLE" + v[strings.Index(v, "%2F"):] }),
		"no session token": rewrite("X-Amz-Security-Token", set("")),
		"another session token": rewrite("X-Amz-Security-Token",
			func(v string) string { return "A" + v[1:] }),
		"an hour for the URL":             rewrite("X-Amz-Expires", set("3600")),
		"the stage in capitals":           path("/prod", "/PROD"),
		"the stage encoded":               path("/prod", "/%70rod"),
		"a dot segment":                   path("/prod", "/./prod"),
		"a parent segment":                path("/prod", "/x/../prod"),
		"two slashes":                     path("/prod", "//prod"),
		"a trailing slash":                path("/prod?", "/prod/?"),
		"the management API":              path("/prod?", "/prod/@connections/abc?"),
		"a route that needs no signature": path("/prod?", "/prod/sendmessage?"),
	}
	// A URL is good for a minute at most, so each one serves a few attempts only.
	for names := range slices.Chunk(slices.Sorted(maps.Keys(tests)), 8) {
		signed, proof := clienttest.Sign(t, s.client, "mallory")
		target := targetOf(t, signed.URL)
		for _, name := range names {
			s.unharmed(t, nil, func() {
				protocols := "Sec-WebSocket-Protocol: chat.v1, pop." + proof.Verifier
				if status := s.handshake(t, "", tests[name](t, target), protocols); status != http.StatusForbidden {
					t.Errorf("%s: answered %d, want 403", name, status)
				}
			})
		}
		s.stillGood(t, signed, proof)
		s.settled(t, 2)
	}
}

func TestASecondAuthorizationOfASignedURLIsRefused(t *testing.T) {
	t.Parallel()
	s := open(t, stagetest.Options{})
	signed, proof := clienttest.Sign(t, s.client, "mallory")
	target := targetOf(t, signed.URL)
	s.unharmed(t, nil, func() {
		for _, field := range []string{"Authorization: AWS4-HMAC-SHA256 Credential=x, SignedHeaders=host, Signature=y",
			"Authorization: Bearer x"} {
			if status := s.handshake(t, "", target, field); status != http.StatusForbidden {
				t.Errorf("a second authorization in a header: answered %d, want 403", status)
			}
		}
		if status := s.handshake(t, "localhost:1", target); status != http.StatusForbidden {
			t.Errorf("another host: answered %d, want 403", status)
		}
	})
	s.stillGood(t, signed, proof)
}

// stillGood checks that a signed URL still opens a connection. So the attempts before it were refused for their
// changes, and did not use the URL up.
func (s *scene) stillGood(t *testing.T, signed *stageclient.Signed, proof stageclient.Proof) {
	t.Helper()
	conn, err := clienttest.Dial(t, s.client, signed.URL, proof.Verifier, nil)
	if err != nil {
		t.Fatalf("the URL that was left as it is: %v", err)
	}
	_ = conn.Close()
}

// TestASignedURLOpensNothingElse: the signature of the socket is valid for nothing else on the same host.
func TestASignedURLOpensNothingElse(t *testing.T) {
	t.Parallel()
	s := open(t, stagetest.Options{})
	signed, proof := clienttest.Sign(t, s.client, "mallory")
	parsed, err := url.Parse(signed.URL)
	if err != nil {
		t.Fatal("a signed URL does not parse")
	}
	victim := s.connectionID(t)
	s.unharmed(t, nil, func() {
		for _, line := range []string{
			"POST /prod/@connections/" + url.PathEscape(victim), "DELETE /prod/@connections/" + url.PathEscape(victim),
			"GET /prod/@connections/" + url.PathEscape(victim),
			"POST /prod", "PUT /prod", "OPTIONS /prod",
		} {
			status := ask(t, parsed.Host, line+"?"+parsed.RawQuery+" HTTP/1.1",
				[]string{"Host: " + parsed.Host, "Content-Length: 0"})
			if status < 400 || status >= 500 {
				t.Errorf("%s with the URL's signature: answered %d, want a refusal", line[:10], status)
			}
		}
	})
	s.stillGood(t, signed, proof)
}
