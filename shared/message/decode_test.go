package message

import (
	"encoding/json"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"

	"signedsocket/protocol"
	"signedsocket/shared/text"
)

func TestDecode(t *testing.T) {
	t.Parallel()
	long := strings.Repeat("é", maxText)
	tests := []struct {
		name, body string
		want       Send
		code       Code
	}{
		{"everything", `{"action":"sendmessage","message":"hi","room":"lobby","id":"c-1"}`,
			Send{Text: "hi", Room: "lobby", ClientID: "c-1"}, ""},
		{"a position", `{"message":"hi","after":7}`, Send{Text: "hi", After: new(int64(7))}, ""},
		{"the position of an empty room", `{"message":"hi","after":0}`, Send{Text: "hi", After: new(int64)}, ""},
		{"only a message", `{"message":"hi"}`, Send{Text: "hi"}, ""},
		{"nulls are absent", `{"action":null,"message":"hi","room":null,"id":null}`, Send{Text: "hi"}, ""},
		{"white space around", " \n{ \"message\" : \"hi\" }\t", Send{Text: "hi"}, ""},
		{"escapes", `{"message":"\u0041\n\ud83d\ude00"}`, Send{Text: "A\n😀"}, ""},
		{"normal form", `{"message":"e` + "\u0301" + `"}`, Send{Text: "é"}, ""},
		{"as long as allowed", `{"message":"` + long + `"}`, Send{Text: long}, ""},
		{"a UUID as id", `{"message":"hi","id":"123e4567-e89b-12d3-a456-426614174000"}`,
			Send{Text: "hi", ClientID: "123e4567-e89b-12d3-a456-426614174000"}, ""},

		{"nothing", ``, Send{}, BadMessage},
		{"no JSON", `hello`, Send{}, BadMessage},
		{"no object", `["hi"]`, Send{}, BadMessage},
		{"null", `null`, Send{}, BadMessage},
		{"an empty object", `{}`, Send{}, BadMessage},
		{"an empty message", `{"message":"","id":"c"}`, Send{ClientID: "c"}, BadMessage},
		{"a message that is no string", `{"message":1}`, Send{}, BadMessage},
		{"an unknown name", `{"message":"hi","user":"admin"}`, Send{}, BadMessage},
		{"a negative position", `{"message":"hi","id":"c","after":-1}`, Send{ClientID: "c"}, BadMessage},
		{"a position that is no number", `{"message":"hi","after":"1"}`, Send{}, BadMessage},
		{"a position with a fraction", `{"message":"hi","after":1.5}`, Send{}, BadMessage},
		{"a nested value", `{"message":"hi","room":{"a":[1]}}`, Send{}, BadMessage},
		{"a repeated name", `{"message":"hi","message":"ho"}`, Send{}, BadMessage},
		{"a name repeated by an escape", `{"message":"hi","mess\u0061ge":"ho"}`, Send{}, BadMessage},
		{"another letter case", `{"Message":"hi"}`, Send{}, BadMessage},
		{"something after it", `{"message":"hi"}{}`, Send{}, BadMessage},
		{"a comment", `{"message":"hi"/**/}`, Send{}, BadMessage},
		{"not UTF-8", "{\"message\":\"a\xff\"}", Send{}, BadMessage},
		{"half of a surrogate pair", `{"message":"\ud83d"}`, Send{}, BadMessage},
		{"a control character", `{"message":"a\u0000","id":"c"}`, Send{ClientID: "c"}, BadMessage},
		{"a direction override", `{"message":"a\u202eb"}`, Send{}, BadMessage},
		{"an id of other characters", `{"message":"hi","id":"a b"}`, Send{}, BadMessage},
		{"a long id", `{"message":"hi","id":"` + strings.Repeat("a", 37) + `"}`, Send{}, BadMessage},

		{"another action", `{"action":"subscribe","channel":"x"}`, Send{}, UnknownAction},
		{"another action, known names", `{"action":"ping","id":"c"}`, Send{ClientID: "c"}, UnknownAction},
		{"an empty action", `{"action":"","message":"hi"}`, Send{}, UnknownAction},
		{"our action in another case", `{"action":"SendMessage","message":"hi"}`, Send{}, UnknownAction},
		{"an action that is no string", `{"action":["sendmessage"],"message":"hi"}`, Send{}, BadMessage},

		{"a long text", `{"message":"` + strings.Repeat("a", maxText+1) + `","id":"c"}`, Send{ClientID: "c"}, TooLarge},
		{"a long frame", `{"message":"hi"}` + strings.Repeat(" ", maxBody), Send{}, TooLarge},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			got, code := Decode(test.body)
			if diff := cmp.Diff(test.want, got); diff != "" || code != test.code {
				t.Errorf("code %q, want %q; frame (-want +got):\n%s", code, test.code, diff)
			}
			if (code == BadMessage || code == TooLarge) && protocol.FromClient([]byte(test.body)) == nil {
				t.Error("the frame is refused, and keeps to the protocol")
			}
		})
	}
}

// FuzzDecode compares our decoder with the standard library's: a frame that ours accepts must mean the same to the
// other, and obey the rules.
func FuzzDecode(f *testing.F) {
	for _, seed := range []string{
		`{"action":"sendmessage","message":"hi","room":"lobby","id":"c-1"}`, `{"message":"hi"}`,
		`{"message":"hi","message":"ho"}`,
		`{"Message":"hi"}`, `{"message":"\ud83d\ude00"}`, `{"message":"hi","room":null}`, `{"action":"ping"}`, `[]`,
		"{\"message\":\"\xff\"}",
		`{"message":"a"}x`, `{"message":"hi","after":1795327200122}`, `{"message":"hi","after":-1}`,
		`{"message":"hi","after":1e3}`,
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, body string) {
		got, code := Decode(body)
		if code != "" {
			if got.Text != "" || got.Room != "" {
				t.Errorf("refused with %s, but decoded as %+v", code, got)
			}
			return
		}
		var other struct {
			Action, Message, Room, ID string
			After                     *int64
		}
		if err := json.Unmarshal([]byte(body), &other); err != nil {
			t.Fatalf("we accept %q, encoding/json does not: %v", body, err)
		}
		clean, ok := text.Clean(other.Message)
		want := Send{Text: clean, Room: other.Room, ClientID: other.ID, After: other.After}
		if diff := cmp.Diff(want, got); !ok || diff != "" || got.After != nil && *got.After < 0 {
			t.Errorf("%q: what encoding/json reads (-), and what we read (+):\n%s", body, diff)
		}
		if n := utf8.RuneCountInString(got.Text); n == 0 || n > maxText || len(got.ClientID) > maxClientID ||
			len(body) > maxBody {
			t.Errorf("accepted against the rules: %q", body)
		}
	})
}
