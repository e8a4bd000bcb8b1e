package sigv4

import (
	"bytes"
	"encoding/json"
	"fmt"
	"log/slog"
	"strings"
	"testing"
)

func TestNothingPrintsASecret(t *testing.T) {
	t.Parallel()
	key := testKeys()[testAccessKeyID]
	key.vault().signingKey(scope{"20261122", testRegion, ServiceExecuteAPI})
	_, err := newTestVerifier().Verify(Input{
		Request: headerWith(goodCredential, "host;x-amz-security-token"), Service: ServiceExecuteAPI, Now: testTime(),
	})
	if err == nil {
		t.Fatal("Verify accepted a bad signature")
	}
	type holder struct {
		Shown  any
		hidden *Key
	}
	for name, value := range map[string]any{
		"credentials": key.Credentials(), "pointer to credentials": new(key.Credentials()), "key": key,
		"holder": holder{key.Credentials(), key}, "pointer to holder": &holder{key, key}, "error": err,
	} {
		var out bytes.Buffer
		for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%d"} {
			fmt.Fprintf(&out, verb+"\n", value)
		}
		slog.New(slog.NewTextHandler(&out, nil)).Info("text", "value", value)
		slog.New(slog.NewJSONHandler(&out, nil)).Info("json", "value", value)
		if text, err := json.Marshal(value); err == nil && name != "error" {
			out.Write(text)
		}
		for _, secret := range []string{
			testSecret, testToken, fmt.Sprintf("%x", testSecret), fmt.Sprintf("%x", testToken),
		} {
			if strings.Contains(out.String(), secret) {
				t.Errorf("%s prints a secret:\n%s", name, out.String())
			}
		}
	}
}
