package gateway

import (
	"encoding/json"
	"testing"
)

func FuzzProxyResponse(f *testing.F) {
	for _, seed := range []string{
		`{"statusCode":200}`, `{"statusCode":"200","headers":{"a":"b"},"multiValueHeaders":{"a":["b"]}}`,
		`{"statusCode":200,"body":"aGk=","isBase64Encoded":true}`, `{"statusCode":200,"Data":1}`, `null`, `[]`, ``, `{`,
		`{"statusCode":200,"headers":{"Sec-WebSocket-Protocol":"a\r\nb"}}`,
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, raw []byte) {
		response, err := decodeProxyResponse(raw)
		if err != nil {
			return
		}
		var members map[string]any
		if err := json.Unmarshal(raw, &members); err != nil {
			t.Fatalf("accepted %q, which is not JSON", raw)
		}
		for name := range members {
			switch name {
			case "statusCode", "headers", "multiValueHeaders", "body", "isBase64Encoded":
			default:
				t.Errorf("accepted the member %q", name)
			}
		}
		for _, value := range response.subprotocols {
			for _, c := range value {
				if c < ' ' {
					t.Errorf("granted %q", value)
				}
			}
		}
	})
}
