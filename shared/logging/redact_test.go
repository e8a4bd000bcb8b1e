package logging

import (
	"bytes"
	"encoding/json"
	"errors"
	"log/slog"
	"strings"
	"testing"
)

// secret is a text as it could get into an error, and the part of it that must not survive.
type secret struct{ text, part string }

func secrets() map[string]secret {
	const (
		signature = "6274cda040cab0a8d797f67f82286919729ecfe81ff85efcf66ad954b19cb3ca"
		ticket    = "AAECAwQFBgcICQoLDA0ODw"
		verifier  = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk"
		session   = "IQoJb3JpZ2luX2VjEJr//////////wEaCXVzLWVhc3QtMSJHMEUCIQ=="
		opaque    = "k3-opaque-token-1"
	)
	return map[string]secret{
		"signature":       {"X-Amz-Signature=6274cda040cab0a8d797f67f82286919", "6274cda040cab0a8d797f67f82286919"},
		"lower case":      {"x-amz-security-token=tok%2Fen-of-a-session", "tok%2Fen-of-a-session"},
		"escaped":         {"X-Amz-Security-Token%3Dtok%2Fen-of-a-session", "tok%2Fen-of-a-session"},
		"credential":      {"X-Amz-Credential=ASIAEXAMPLE%2F20261122%2Fus-east-1", "ASIAEXAMPLE%2F20261122"},
		"URL":             {"wss://abc.execute-api.us-east-1.amazonaws.com/prod?v=1&sub=alice", "sub=alice"},
		"URL with a name": {"wss://abc?" + ticket + "=1", ticket},
		"ticket":          {"jti=" + ticket, ticket},
		"challenge":       {"cc=" + verifier, verifier},
		"token":           {"eyJhbGciOiJSUzI1NiJ9.eyJzdWIiOiJhbGljZSJ9.c2ln", "eyJzdWIiOiJhbGljZSJ9"},
		"unsigned token":  {"eyJhbGciOiJub25lIn0.eyJzdWIiOiJhbGljZSJ9.", "eyJzdWIiOiJhbGljZSJ9"},
		"bearer":          {"Bearer " + opaque, opaque},
		"header":          {"Authorization: Basic " + opaque, opaque},
		"printed header":  {"map[Authorization:[Basic " + opaque + "]]", opaque},
		"JSON header":     {`{"authorization":"Basic ` + opaque + `"}`, opaque},
		"signed header": {"AWS4-HMAC-SHA256 Credential=ASIAEXAMPLE/20261122, Signature=0123456789abcdef",
			"0123456789abcdef"},
		"cookie":         {"Cookie: session=" + opaque, opaque},
		"subprotocols":   {"Sec-WebSocket-Protocol: chat.v1, pop." + verifier, verifier},
		"verifier":       {"pop." + verifier, verifier},
		"bare signature": {signature, signature},
		"long base64":    {session, session},
		"bare verifier":  {verifier, verifier},
	}
}

func TestSecretsAreMasked(t *testing.T) {
	t.Parallel()
	for name, secret := range secrets() {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got := line(t, func(log *slog.Logger) { log.Info("x", "error", errors.New("went wrong: "+secret.text)) })
			if value, _ := got["error"].(string); strings.Contains(value, secret.part) ||
				!strings.Contains(value, redacted) {
				t.Errorf("%q was logged as %q", secret.text, value)
			}
		})
	}
}

func TestTheNameOfAMaskedSecretStays(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		"parameter X-Amz-Signature=0123456789abcdef&v=1": "parameter X-Amz-Signature=[redacted]&v=1",
		"dial wss://host/prod?v=1&sub=alice: refused":    "dial wss://host/prod?[redacted] refused",
		"header Cookie: a=b; c=d":                        "header Cookie:[redacted]",
	} {
		got := line(t, func(log *slog.Logger) { log.Info("x", "error", errors.New(text)) })
		if got["error"] != want {
			t.Errorf("%q was logged as %q, want %q", text, got["error"], want)
		}
	}
}

func TestRequestIDsForOperatorsStay(t *testing.T) {
	t.Parallel()
	for _, text := range []string{
		"operation error DynamoDB: GetItem, StatusCode: 400, " +
			"RequestID: VJ4HGR2D5Q0F6CQ2V9C2FKJ4QBVV4KQNSO5AEMVJF66Q9ASUAAJG, ThrottlingException",
		"User: arn:aws:sts::111122223333:assumed-role/R/f is not authorized to perform: execute-api:ManageConnections",
	} {
		got := line(t, func(log *slog.Logger) { log.Info("x", "error", errors.New(text)) })
		if got["error"] != text {
			t.Errorf("error = %q, want it unchanged", got["error"])
		}
	}
}

func TestControlCharactersAreWrittenOut(t *testing.T) {
	t.Parallel()
	var out bytes.Buffer
	New(&out).Info("x", "reason", "a\nb\x1b[2J\u009b2J\u202eevil\u2028\x7f")
	if bytes.Count(out.Bytes(), []byte("\n")) != 1 {
		t.Errorf("more than one line:\n%s", out.String())
	}
	for _, raw := range []string{"\x1b", "\u009b", "\u202e", "\u2028", "\x7f"} {
		if strings.Contains(out.String(), raw) {
			t.Errorf("%+q is in %q", raw, out.String())
		}
	}
}

// FuzzRedact holds that no secret gets into a line, whatever stands around it, and that the line stays one JSON object.
func FuzzRedact(f *testing.F) {
	f.Add("", "")
	f.Add("a ", " b")
	f.Add("\"", "\x00")
	f.Add("A=", "&x=1")
	f.Add("https://h/?", "\nforged")
	f.Add("x-amz-:", "%3D")
	f.Fuzz(func(t *testing.T, before, after string) {
		for name, secret := range secrets() {
			var out bytes.Buffer
			New(&out).InfoContext(t.Context(), "x", "reason", before+secret.text+after, "error",
				errors.New(before+secret.text+after))
			if strings.Contains(out.String(), secret.part) {
				t.Errorf("%s survived in %q", name, out.String())
			}
			if bytes.Count(out.Bytes(), []byte("\n")) != 1 || !json.Valid(out.Bytes()) {
				t.Errorf("not one line of JSON: %q", out.String())
			}
		}
	})
}
