package message

import (
	"encoding/json"
	"strings"
	"testing"
	"time"
)

func TestDecodeDelete(t *testing.T) {
	t.Parallel()
	for body, want := range map[string]Delete{
		`{"action":"delete","room":"a","seq":1}`:                    {Room: "a", Seq: 1},
		`{"action":"delete","room":"A b","seq":9007199254740991}`:   {Room: "A b", Seq: maxNumber},
		`{"action":"delete","room":"a","seq":1795943,"id":"d-1"}`:   {Room: "a", Seq: 1795943, ClientID: "d-1"},
		` {"id":null,"seq":2,"room":"a","action":"delete"} `:        {Room: "a", Seq: 2},
		`{"action":"\u0064elete","room":"a","seq":3,"id":"ABC_-0"}`: {Room: "a", Seq: 3, ClientID: "ABC_-0"},
	} {
		if got, code := DecodeDelete(body); code != "" || got != want {
			t.Errorf("%s: %+v with code %q, want %+v", body, got, code, want)
		}
	}
}

// TestDecodeDeleteRefuses: the answer names a frame with the id d1, unless it cannot be read at all.
func TestDecodeDeleteRefuses(t *testing.T) {
	t.Parallel()
	for name, body := range map[string]string{
		"another action":        `{"action":"Delete","room":"a","seq":1,"id":"d1"}`,
		"no action":             `{"room":"a","seq":1,"id":"d1"}`,
		"no room":               `{"action":"delete","seq":1,"id":"d1"}`,
		"an empty room":         `{"action":"delete","room":"","seq":1,"id":"d1"}`,
		"no number":             `{"action":"delete","room":"a","id":"d1"}`,
		"a number that is null": `{"action":"delete","room":"a","seq":null,"id":"d1"}`,
		"number 0":              `{"action":"delete","room":"a","seq":0,"id":"d1"}`,
		"a negative number":     `{"action":"delete","room":"a","seq":-1,"id":"d1"}`,
		"a huge number":         `{"action":"delete","room":"a","seq":9007199254740992,"id":"d1"}`,
		"a number of 65 bits":   `{"action":"delete","room":"a","seq":18446744073709551616}`,
		"a fraction":            `{"action":"delete","room":"a","seq":1.5}`,
		"a number as text":      `{"action":"delete","room":"a","seq":"1"}`,
		"an unknown name":       `{"action":"delete","room":"a","seq":1,"sub":"bob"}`,
		"a name twice":          `{"action":"delete","room":"a","seq":1,"seq":2}`,
		"an id with a space":    `{"action":"delete","room":"a","seq":1,"id":"a b"}`,
		"something after it":    `{"action":"delete","room":"a","seq":1}{}`,
		"null":                  `null`,
		"nothing":               ``,
		"more than 4,096 bytes": `{"action":"delete","room":"a","seq":1}` + strings.Repeat(" ", maxBody),
	} {
		want, wantCode := Delete{}, BadMessage
		if strings.Contains(body, `"id":"d1"`) {
			want.ClientID = "d1"
		}
		if len(body) > maxBody {
			wantCode = TooLarge
		}
		if got, code := DecodeDelete(body); got != want || code != wantCode {
			t.Errorf("%s: %+v with code %q, want %+v with %q", name, got, code, want, wantCode)
		}
	}
}

// FuzzDecodeDelete compares our decoder with the standard library's, as FuzzDecode does.
func FuzzDecodeDelete(f *testing.F) {
	for _, seed := range []string{
		`{"action":"delete","room":"a","seq":1,"id":"d1"}`, `{"action":"delete","room":"a","seq":1e3}`,
		`{"action":"delete","room":"a","seq":-0}`, `{"action":"delete","room":"a","seq":1}x`, `[]`,
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, body string) {
		got, code := DecodeDelete(body)
		if code != "" {
			if got.Room != "" || got.Seq != 0 {
				t.Errorf("refused with %s, but decoded as %+v", code, got)
			}
			return
		}
		var other deleteFrame
		if err := json.Unmarshal([]byte(body), &other); err != nil || other.Room != got.Room || *other.Seq != got.Seq ||
			other.Action != ActionDelete || got.Seq < 1 {
			t.Errorf("%q: decoded as %+v, by the standard library as %+v, %v", body, got, other, err)
		}
	})
}

func TestEncodeDeletedAndPresence(t *testing.T) {
	t.Parallel()
	alice := Sender{Subject: "alice", Name: "Alice"}
	for want, frame := range map[string]interface{ Encode() ([]byte, error) }{
		`{"type":"deleted","room":"a","seq":9,"of":7,"from":{"sub":"alice","name":"Alice"},"sentAt":1000}`: Deleted{
			Room: "a", Seq: 9, Of: 7, From: alice, SentAt: time.UnixMilli(1000),
		},
		`{"type":"presence","room":"a","n":42,"count":1,"users":[{"sub":"alice","name":"Alice"}]}`: Presence{
			Room: "a", N: 42, Count: 1, Users: []Sender{alice},
		},
		`{"type":"presence","room":"a","n":42,"count":0,"users":[]}`: Presence{Room: "a", N: 42, Users: []Sender{}},
		`{"type":"presence","room":"a","n":42,"count":500}`:          Presence{Room: "a", N: 42, Count: 500},
		`{"type":"ack","id":"x","seq":7,"recipients":1,"delivered":0,"gone":0,"deleted":true}`: Ack{
			ID: "x", Seq: 7, Recipients: 1, Deleted: true,
		},
		`{"type":"synced","clientId":"h7","heads":{"a":7,"b":0},"read":{"a":5}}`: Synced{
			ClientID: "h7", Heads: map[string]int64{"b": 0, "a": 7}, Read: map[string]int64{"a": 5},
		},
	} {
		if got, err := frame.Encode(); err != nil || string(got) != want {
			t.Errorf("%+v is encoded as %s, %v; want %s", frame, got, err, want)
		}
	}
}
