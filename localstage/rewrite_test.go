package localstage

import (
	"testing"

	"signedsocket/localstage/internal/template"
)

func TestValuesThatBeginWithAnAPIsAddressAreRewritten(t *testing.T) {
	t.Parallel()
	r := newRewriter(&template.Template{
		WebSocketAPIs: []template.WebSocketAPI{{ID: "socket1"}},
		HTTPAPIs:      []template.HTTPAPI{{ID: "http1"}},
	}, addresses{httpAPI: "http://127.0.0.1:1", webSocket: "http://127.0.0.1:2"})
	cases := map[string]string{
		"wss://socket1.execute-api.us-east-1.amazonaws.com/prod":   "ws://127.0.0.1:2/prod",
		"https://socket1.execute-api.us-east-1.amazonaws.com/prod": "http://127.0.0.1:2/prod",
		"https://http1.execute-api.us-east-1.amazonaws.com":        "http://127.0.0.1:1",
		"https://http1.execute-api.us-east-1.amazonaws.com?x=1":    "http://127.0.0.1:1?x=1",
	}
	// Everything else stays: another API, a longer host, an address in the middle.
	for _, same := range []string{
		"https://other.execute-api.us-east-1.amazonaws.com",
		"https://http1.execute-api.us-east-1.amazonaws.com.example",
		"see https://http1.execute-api.us-east-1.amazonaws.com",
		"arn:aws:execute-api:us-east-1:111122223333:socket1/prod/POST/",
	} {
		cases[same] = same
	}
	for value, want := range cases {
		if got := r.value(value); got != want {
			t.Errorf("%s became %s, want %s", value, got, want)
		}
	}
}
