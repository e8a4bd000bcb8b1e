package localstage

import (
	"net/http"
	"net/http/httptest"
	"testing"
)

func TestOnlyLoopbackHostsAreAnswered(t *testing.T) {
	t.Parallel()
	handler := onlyLoopbackHosts(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(http.StatusOK)
	}))
	cases := map[string]int{
		"127.0.0.1:3001":        http.StatusOK,
		"127.0.0.1":             http.StatusOK,
		"localhost:3001":        http.StatusOK,
		"[::1]:3001":            http.StatusOK,
		"evil.example:3001":     http.StatusMisdirectedRequest,
		"127.0.0.1.nip.example": http.StatusMisdirectedRequest,
		"10.0.0.1:3001":         http.StatusMisdirectedRequest,
		"":                      http.StatusMisdirectedRequest,
	}
	for host, want := range cases {
		request := httptest.NewRequest(http.MethodGet, "/", nil)
		request.Host = host
		answer := httptest.NewRecorder()
		handler.ServeHTTP(answer, request)
		if answer.Code != want {
			t.Errorf("Host %q answered %d, want %d", host, answer.Code, want)
		}
	}
}

func TestListenTakesLoopbackAddressesOnly(t *testing.T) {
	t.Parallel()
	for _, address := range []string{
		"0.0.0.0:3001", "[::]:3001", "10.0.0.1:3001", "example.com:3001", "127.0.0.1", "127.0.0.1:70000",
		"127.0.0.1:65535",
	} {
		if l, err := listen(address); err == nil {
			_ = l.Close()
			t.Errorf("%s was accepted", address)
		}
	}
}

func TestListenTakesThreePortsInARow(t *testing.T) {
	t.Parallel()
	l, err := listen("localhost:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	at := l.addresses()
	if at.httpAPI == at.webSocket || at.webSocket == at.development || at.httpAPI == at.development {
		t.Errorf("the origins are not distinct: %+v", at)
	}
	if again, err := listen(l.httpAPI.Addr().String()); err == nil {
		_ = again.Close()
		t.Error("a taken port was accepted")
	}
}
