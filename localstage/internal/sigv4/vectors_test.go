package sigv4

import (
	"errors"
	"strings"
	"testing"
)

const (
	queryBefore = "X-Amz-Algorithm=AWS4-HMAC-SHA256" +
		"&X-Amz-Credential=AKIDEXAMPLE%2F20261122%2Fus-east-1%2Fexecute-api%2Faws4_request" +
		"&X-Amz-Date=20261122T060000Z"
	queryAfter = "&X-Amz-Security-Token=tok%2Fen%2B%3D%3D&X-Amz-SignedHeaders=host"
)

// vectors were computed by an independent implementation. They agree with the signers of the SDKs for Go, JavaScript
// and Python where those can express them.
var vectors = map[string]struct {
	target, signature string
}{
	"plain": {
		"/prod?" + queryBefore + "&X-Amz-Expires=300" + queryAfter,
		"6274cda040cab0a8d797f67f82286919729ecfe81ff85efcf66ad954b19cb3ca",
	},
	"without expiry": {
		"/prod?" + queryBefore + queryAfter, "93398346f94c558c05bcb9a76f9f2acea83bd4354d77421e71b01202607277a6",
	},
	"custom and repeated parameters": {
		"/prod?room=a%20b&room=c&z=1%2F2&" + queryBefore + "&X-Amz-Expires=300" + queryAfter,
		"4c4c25efd06e79a132eccb38e508b5aafb2ae7129c3cd4f8077584e52db46fcc",
	},
	"stage named $default": {
		"/$default?" + queryBefore + "&X-Amz-Expires=300" + queryAfter,
		"291ec93ab5968d32fda2f048ce91b96b688e33561f232929e18aaa08d8642034",
	},
	"slash after the stage": {
		"/prod/?" + queryBefore + "&X-Amz-Expires=3600" + queryAfter,
		"4307bd8079eab9b53ab5c0c35c2f41da63b53a0c20d114b0d72ac3e39d095d2b",
	},
}

func TestVectors(t *testing.T) {
	t.Parallel()
	v := newTestVerifier()
	for name, tt := range vectors {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if err := verify(v, get(tt.target+"&X-Amz-Signature="+tt.signature), nil); err != nil {
				t.Errorf("Verify: %v", err)
			}
			path, query, _ := strings.Cut(tt.target, "?")
			if err := verify(v, get(path+"?X-Amz-Signature="+tt.signature+"&"+query), nil); err != nil {
				t.Errorf("Verify with the signature first: %v", err)
			}
		})
	}
}

// The vector without a session token needs a key that has none.
func TestVectorWithoutToken(t *testing.T) {
	t.Parallel()
	v := NewVerifier(Config{Region: testRegion, Keys: keyring{
		testAccessKeyID: NewKey(Credentials{AccessKeyID: testAccessKeyID, SecretAccessKey: testSecret}),
	}})
	target := "/prod?" + queryBefore + "&X-Amz-Expires=300&X-Amz-SignedHeaders=host" +
		"&X-Amz-Signature=2c99cbdfeea542473d5d79c499fb71bb4b7b32bcb95e29583635aa089ab4947f"
	if err := verify(v, get(target), nil); err != nil {
		t.Errorf("Verify: %v", err)
	}
}

func TestMismatchShowsTheCanonicalRequest(t *testing.T) {
	t.Parallel()
	err := verify(newTestVerifier(), get(vectors["plain"].target+"&X-Amz-Signature=00"), nil)
	var refusal *Error
	if !errors.As(err, &refusal) {
		t.Fatalf("Verify = %v, want an *Error", err)
	}
	want := "The request signature we calculated does not match the signature you provided. " +
		"Check your AWS Secret Access Key and signing method. Consult the service documentation for details." +
		"\n\nThe Canonical String for this request should have been\n'GET\n/prod\n" +
		queryBefore + "&X-Amz-Expires=300" + queryAfter + "\nhost:" + testHost + "\n\nhost\n" + emptyHash + "'" +
		"\n\nThe String-to-Sign should have been\n'AWS4-HMAC-SHA256\n20261122T060000Z\n" +
		"20261122/us-east-1/execute-api/aws4_request\n"
	got, hash := refusal.Message(), ""
	if len(got) > len(want) {
		got, hash = got[:len(want)], got[len(want):]
	}
	if got != want || len(hash) != 64+len("'\n") || !strings.HasSuffix(hash, "'\n") {
		t.Errorf("Message = %q, want %q, a hash and a quote", refusal.Message(), want)
	}
	if text := err.Error(); strings.Contains(text, "tok") || strings.Contains(text, "\n") {
		t.Errorf("Error() = %q, want nothing of the request", text)
	}
}
