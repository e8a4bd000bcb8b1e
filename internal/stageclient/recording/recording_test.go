package recording

import (
	"bytes"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
)

// secrets have the forms of the secrets that a client and a stage exchange. None of them is real.
func secrets() map[string]string {
	return map[string]string{
		"signature":      strings.Repeat("0a1b", 16),
		"session token":  "IQoJb3JpZ2luX2VjEJr//////////wEaCXVzLWVhc3QtMSJH",
		"access key":     "ASIA" + "IOSFODNN7EXAMPLE",
		"ticket":         "AAECAwQFBgcICQoLDA0ODw",
		"challenge":      "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM",
		"verifier":       "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk",
		"guest's secret": "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8",
		"JWT":            "eyJhbGciOiJSUzI1NiJ9." + "eyJzdWIiOiJhbGljZSJ9.c2lnbmF0dXJl",
		"account":        "444455556666",
		"client address": "203.0.113.77",
	}
}

func TestNothingSecretIsRecorded(t *testing.T) {
	t.Parallel()
	s := secrets()
	signed := "?sub=alice&jti=" + s["ticket"] + "&cc=" + s["challenge"] + "&X-Amz-Credential=" + s["access key"] +
		"%2F20261122%2Fus-east-1%2Fexecute-api%2Faws4_request" +
		"&X-Amz-Security-Token=" + url.QueryEscape(s["session token"]) + "&X-Amz-Signature=" + s["signature"] +
		"&x-amz-signature=" + s["signature"]
	stage := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("X-Amzn-Requestid", "0b9a2b4e-7c1f-4a86-9d3b-7d0e2f1a5c66")
		w.Header().Set("Set-Cookie", "session="+s["ticket"])
		_ = json.NewEncoder(w).Encode(map[string]string{
			"url": "wss://abc.example/prod" + signed,
			"Message": "User: arn:aws:sts::" + s["account"] +
				":assumed-role/x/y is not authorized on arn:aws:execute-api:us-east-1:********" + s["account"][8:] +
				":api from " + s["client address"],
		})
	}))
	t.Cleanup(stage.Close)
	var recorded bytes.Buffer
	recorder := New(&recorded)
	r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, stage.URL+"/prod"+signed,
		strings.NewReader(`{"challenge":"`+s["challenge"]+`","guest":"`+s["guest's secret"]+`"}`))
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Authorization", "Bearer "+s["JWT"])
	r.Header.Set("Cookie", "a="+s["ticket"])
	r.Header.Set("Sec-Websocket-Protocol", "chat.v1, pop."+s["verifier"])
	response, err := recorder.Client(nil).Do(r)
	if err != nil {
		t.Fatal(err)
	}
	body, err := io.ReadAll(response.Body)
	_ = response.Body.Close()
	if err != nil || !strings.Contains(string(body), s["signature"]) {
		t.Errorf("the caller got %q, %v; want the answer as it is", body, err)
	}
	recorder.Trace("received", []byte(`{"connectionId":"a","token":"`+s["JWT"]+`"}`))

	for name, secret := range s {
		if strings.Contains(recorded.String(), secret) || strings.Contains(recorded.String(), url.QueryEscape(secret)) {
			t.Errorf("the %s is recorded", name)
		}
	}
	for _, kept := range []string{"sub=alice", "X-Amz-Signature=MASKED", "x-amz-signature=MASKED",
		"0b9a2b4e-7c1f-4a86-9d3b-7d0e2f1a5c66", `"status":200`, `"frame":"received"`, "********3333",
		"chat.v1, pop.MASKED"} {
		if !strings.Contains(strings.ReplaceAll(recorded.String(), `\u0026`, "&"), kept) {
			t.Errorf("%q is not in the recording:\n%s", kept, recorded.String())
		}
	}
}

func TestLongBodiesAreCut(t *testing.T) {
	t.Parallel()
	var recorded bytes.Buffer
	New(&recorded).Trace("sent", bytes.Repeat([]byte("x"), 40_000))
	if recorded.Len() > 2*maxBody || !strings.Contains(recorded.String(), "(40000 bytes)") {
		t.Errorf("a frame of 40000 bytes became a line of %d", recorded.Len())
	}
}
