package message

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"signedsocket/protocol"
)

// asking returns a request with the id h7 that wants a part of the log of the room a.
func asking(part string) string {
	return `{"action":"history","id":"h7","want":[{"room":"a",` + part + `}]}`
}

// wanting returns a request for n rooms.
func wanting(n int) string {
	list := make([]string, n)
	for i := range list {
		list[i] = fmt.Sprintf(`{"room":"r%d","after":%d}`, i, i)
	}
	return `{"action":"history","want":[` + strings.Join(list, ",") + `]}`
}

func TestDecodeHistoryRequest(t *testing.T) {
	t.Parallel()
	one := func(w Want) HistoryRequest { w.Room = "a"; return HistoryRequest{Wants: []Want{w}, ClientID: "h7"} }
	for name, test := range map[string]struct {
		body string
		want HistoryRequest
	}{
		"everything": {`{"action":"history","want":[{"room":"a","after":0},{"room":"b","before":9,"limit":1},` +
			`{"room":"c","last":100}],"here":["a","b"],"read":{"a":0,"c":9007199254740991},"id":"h-7"}`,
			HistoryRequest{Wants: []Want{{"a", After, 0, 0}, {"b", Before, 9, 1}, {"c", Last, 0, 100}},
				Here: []string{"a", "b"}, Read: map[string]int64{"a": 0, "c": maxNumber}, ClientID: "h-7"}},
		"after":          {asking(`"after":1795943828540`), one(Want{Part: After, Number: 1795943828540})},
		"a large number": {asking(`"after":9007199254740991`), one(Want{Part: After, Number: maxNumber})},
		"before":         {asking(`"before":1`), one(Want{Part: Before, Number: 1, Limit: 50})},
		"before, limit":  {asking(`"before":9,"limit":100`), one(Want{Part: Before, Number: 9, Limit: 100})},
		"last":           {asking(`"last":1`), one(Want{Part: Last, Limit: 1})},
		"rooms only":     {`{"action":"history","here":["a"]}`, HistoryRequest{Here: []string{"a"}}},
		"nulls are absent": {asking(`"after":null,"before":null,"last":2,"limit":null`),
			one(Want{Part: Last, Limit: 2})},
		"markers only": {`{"action":"history","want":[],"here":null,"read":{"a":1},"id":null}`,
			HistoryRequest{Read: map[string]int64{"a": 1}}},
	} {
		got, code := DecodeHistoryRequest(test.body)
		if diff := cmp.Diff(test.want, got); diff != "" || code != "" {
			t.Errorf("%s: code %q, request (-want +got):\n%s", name, code, diff)
		}
	}
	if got, code := DecodeHistoryRequest(wanting(8)); code != "" || len(got.Wants) != 8 {
		t.Errorf("eight wants: %q, %+v", code, got)
	}
}

// TestDecodeHistoryRequestRefuses: the answer names a frame with the id h7, unless it cannot be read at all.
func TestDecodeHistoryRequestRefuses(t *testing.T) {
	t.Parallel()
	markers := strings.Split(`"a":1 "b":1 "c":1 "d":1 "e":1 "f":1 "g":1 "h":1 "i":1`, " ")
	for name, body := range map[string]string{
		"asking for nothing":      `{"action":"history","id":"h7"}`,
		"empty lists":             `{"action":"history","want":[],"here":[],"read":{},"id":"h7"}`,
		"another action":          `{"action":"History","here":["a"],"id":"h7"}`,
		"no action":               `{"want":[{"room":"a","after":0}],"id":"h7"}`,
		"no part":                 `{"action":"history","want":[{"room":"a"}],"id":"h7"}`,
		"a limit without a part":  asking(`"limit":5`),
		"after and before":        asking(`"after":1,"before":5`),
		"before and last":         asking(`"before":5,"last":5`),
		"after and last":          asking(`"after":5,"last":5`),
		"all three":               asking(`"after":5,"before":5,"last":5`),
		"after with a limit":      asking(`"after":1,"limit":5`),
		"last with a limit":       asking(`"last":1,"limit":5`),
		"a negative after":        asking(`"after":-1`),
		"a huge after":            asking(`"after":9007199254740992`),
		"before the first number": asking(`"before":0`),
		"a negative before":       asking(`"before":-5`),
		"a huge before":           asking(`"before":9007199254740992`),
		"limit 0":                 asking(`"before":5,"limit":0`),
		"limit 101":               asking(`"before":5,"limit":101`),
		"a negative limit":        asking(`"before":5,"limit":-1`),
		"last 0":                  asking(`"last":0`),
		"last 101":                asking(`"last":101`),
		"a room twice":            asking(`"after":0},{"room":"a","last":1`),
		"no room":                 `{"action":"history","want":[{"after":0}],"id":"h7"}`,
		"an empty room":           `{"action":"history","want":[{"room":"","after":0}],"id":"h7"}`,
		"a want that is null":     `{"action":"history","want":[null],"id":"h7"}`,
		"nine rooms":              `{"action":"history","here":["a","b","c","d","e","f","g","h","i"],"id":"h7"}`,
		"a room listed twice":     `{"action":"history","here":["a","a"],"id":"h7"}`,
		"a room that is empty":    `{"action":"history","here":[""],"id":"h7"}`,
		"a negative marker":       `{"action":"history","read":{"a":-1},"id":"h7"}`,
		"a marker that is null":   `{"action":"history","read":{"a":null},"id":"h7"}`,
		"a marker of no room":     `{"action":"history","read":{"":1},"id":"h7"}`,
		"nine wants":              wanting(9),
		"nine markers":            `{"action":"history","read":{` + strings.Join(markers, ",") + `}}`,
		"nothing":                 ``,
		"no object":               `["history"]`,
		"null":                    `null`,
		"an after beyond 64 bits": `{"action":"history","want":[{"room":"a","after":9223372036854775808}]}`,
		"a fraction":              `{"action":"history","want":[{"room":"a","after":1.5}]}`,
		"a number as text":        `{"action":"history","want":[{"room":"a","after":"1"}]}`,
		"wants that are no list":  `{"action":"history","want":{"room":"a","after":0}}`,
		"a marker twice":          `{"action":"history","read":{"a":1,"a":2}}`,
		"an unknown name":         `{"action":"history","here":["a"],"user":"admin"}`,
		"an unknown name in want": `{"action":"history","want":[{"room":"a","after":0,"user":"admin"}]}`,
		"a name twice":            `{"action":"history","want":[{"room":"a","after":0,"after":1}]}`,
		"another letter case":     `{"action":"history","want":[{"room":"a","After":0}]}`,
		"something after it":      `{"action":"history","here":["a"]}{}`,
		"an id with a space":      `{"action":"history","here":["a"],"id":"a b"}`,
		"a long id":               `{"action":"history","here":["a"],"id":"` + strings.Repeat("a", 37) + `"}`,
		"more than 4,096 bytes":   `{"action":"history","here":["a"]}` + strings.Repeat(" ", maxBody),
	} {
		want, wantCode := HistoryRequest{}, BadMessage
		if strings.Contains(body, `"id":"h7"`) {
			want.ClientID = "h7"
		}
		if len(body) > maxBody {
			wantCode = TooLarge
		}
		got, code := DecodeHistoryRequest(body)
		if diff := cmp.Diff(want, got); diff != "" || code != wantCode {
			t.Errorf("%s: code %q, want %q; request (-want +got):\n%s", name, code, wantCode, diff)
		}
		// No schema sees that two objects name the same room.
		if protocol.FromClient([]byte(body)) == nil && name != "a room twice" {
			t.Errorf("%s is refused, and keeps to the protocol", name)
		}
	}
}

func TestActionsOfV2(t *testing.T) {
	t.Parallel()
	for frame, want := range map[string]bool{
		`{"action":"history","want":[{"room":"a","after":0}]}`: true, `{"action":"delete","room":"a","seq":1}`: true,
		`{"action":"History"}`: false, `{"action":"sendmessage","message":"history"}`: false, `{"message":"a"}`: false,
		`{"action":"history","action":"history"}`: false, `history`: false, ``: false, `{"action":["history"]}`: false,
	} {
		if got := HasActionOfV2(frame); got != want {
			t.Errorf("%s: %t, want %t", frame, got, want)
		}
	}
}

func TestRoomsOfAHistoryRequest(t *testing.T) {
	t.Parallel()
	r := HistoryRequest{
		Wants: []Want{{Room: "b"}, {Room: "a"}}, Here: []string{"c", "a"}, Read: map[string]int64{"d": 1, "b": 1},
	}
	if got := r.Rooms(); !slices.Equal(got, []string{"a", "b", "c", "d"}) {
		t.Errorf("rooms %q", got)
	}
}

// FuzzDecodeHistoryRequest compares our decoder with the standard library's, as FuzzDecode does.
func FuzzDecodeHistoryRequest(f *testing.F) {
	for _, example := range protocol.Examples(f, "historyRequest") {
		f.Add(example)
	}
	for _, seed := range []string{
		`{"action":"history","want":[{"room":"a","after":-1}]}`,
		`{"action":"history","want":[{"room":"a","last":1e1}]}`,
		`{"action":"history","want":[{"room":"a","after":1,"before":2}]}`, `{"action":"history","read":{"a":1,"a":2}}`,
		`{"action":"history","Here":["a"]}`, `[]`, `{"action":"history","here":["a"]}x`,
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, body string) {
		got, code := DecodeHistoryRequest(body)
		if code != "" {
			if len(got.Rooms()) != 0 {
				t.Errorf("refused with %s, but decoded as %+v", code, got)
			}
			return
		}
		var other struct {
			Action string
			Want   []struct {
				Room                       string
				After, Before, Last, Limit *int64
			}
			Here []string
			Read map[string]int64
			ID   string
		}
		if err := json.Unmarshal([]byte(body), &other); err != nil || other.Action != ActionHistory {
			t.Fatalf("we accept %q, encoding/json does not: %v", body, err)
		}
		same := HistoryRequest{Here: other.Here, Read: other.Read, ClientID: other.ID}
		for _, w := range other.Want {
			want := Want{Room: w.Room}
			switch {
			case w.After != nil:
				want.Part, want.Number = After, *w.After
			case w.Before != nil:
				want.Part, want.Number, want.Limit = Before, *w.Before, defaultLimit
				if w.Limit != nil {
					want.Limit = int(*w.Limit)
				}
			default:
				want.Part, want.Limit = Last, int(*w.Last)
			}
			same.Wants = append(same.Wants, want)
			if want.Number < 0 || want.Number > maxNumber || want.Limit < 0 || want.Limit > maxLimit {
				t.Errorf("accepted against the rules: %q", body)
			}
		}
		rooms := max(len(got.Wants), len(got.Here), len(got.Read))
		if fmt.Sprint(got) != fmt.Sprint(same) || rooms < 1 || rooms > maxRoomsAsked || len(body) > maxBody {
			t.Errorf("%q: we read %+v, encoding/json %+v", body, got, same)
		}
	})
}

func TestHistoryFrames(t *testing.T) {
	t.Parallel()
	sent := time.UnixMilli(1795943828600)
	mod := Sender{"mod", "Mod"}
	entries := []Entry{
		{Seq: 41, ID: "KZ3WXHB5R2TQ4M6VCN7YAEJD4F", From: Sender{"alice", "Alice"}, Text: "a<b>\n\"", SentAt: sent},
		{Seq: 42, ID: "LZ3WXHB5R2TQ4M6VCN7YAEJD4F", From: mod, Text: "gone", SentAt: sent, Deleted: true},
		{Seq: 43, ID: "MZ3WXHB5R2TQ4M6VCN7YAEJD4F", From: mod, SentAt: sent, Of: 42},
		{Seq: 44, ID: "NZ3WXHB5R2TQ4M6VCN7YAEJD4F", SentAt: sent, Erased: "abcdefghijklmnopqrstuvwxyz"},
		{Seq: 45, ID: "OZ3WXHB5R2TQ4M6VCN7YAEJD4F", SentAt: sent, Of: 41}, // the user who deleted it was erased
	}
	const encoded = `{"seq":41,"id":"KZ3WXHB5R2TQ4M6VCN7YAEJD4F","from":{"sub":"alice","name":"Alice"},` +
		`"message":"a<b>\n\"","sentAt":1795943828600},` +
		`{"seq":42,"id":"LZ3WXHB5R2TQ4M6VCN7YAEJD4F","deleted":true},` +
		`{"seq":43,"of":42,"from":{"sub":"mod","name":"Mod"},"sentAt":1795943828600},` +
		`{"seq":44,"erased":"abcdefghijklmnopqrstuvwxyz","sentAt":1795943828600},` +
		`{"seq":45,"of":41,"sentAt":1795943828600}`
	tests := []struct {
		name  string
		frame interface{ Encode() ([]byte, error) }
		want  string
	}{
		{"after", History{Want: Want{"lobby", After, 40, 0}, ClientID: "h7", Entries: entries, Head: 50, Complete: true,
			More: true, KeepDays: 7},
			`{"type":"history","room":"lobby","clientId":"h7","after":40,"entries":[` + encoded +
				`],"head":50,"complete":true,"more":true,"keepDays":7}`},
		{"after 0, off", History{Want: Want{"lobby", After, 0, 0}},
			`{"type":"history","room":"lobby","after":0,"entries":[],"head":0,"complete":false,"more":false,` +
				`"keepDays":0}`},
		{"before", History{Want: Want{"lobby", Before, 45, 10}, Entries: entries[:1], Head: 44, Complete: true},
			`{"type":"history","room":"lobby","before":45,"entries":[` +
				encoded[:strings.Index(encoded, `,{"seq":42`)] + `],"head":44,"more":false,"keepDays":0}`},
		{"last", History{Want: Want{"lobby", Last, 0, 10}, Entries: entries[3:4], Head: 44, More: true, KeepDays: 1},
			`{"type":"history","room":"lobby","last":10,"entries":[` +
				encoded[strings.Index(encoded, `{"seq":44`):strings.Index(encoded, `,{"seq":45`)] +
				`],"head":44,"more":true,"keepDays":1}`},
		{"synced", Synced{ClientID: "h7", Heads: map[string]int64{"lobby": 50, "b": 0, "a": 1}},
			`{"type":"synced","clientId":"h7","heads":{"a":1,"b":0,"lobby":50}}`},
		{"synced without client id", Synced{Heads: map[string]int64{"lobby": 50}},
			`{"type":"synced","heads":{"lobby":50}}`},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			got, err := test.frame.Encode()
			if err != nil || string(got) != test.want {
				t.Errorf("frame %s, %v; want %s", got, err, test.want)
			}
			if err := protocol.FromServer(got); err != nil {
				t.Error(err)
			}
		})
	}
	for _, invalid := range []History{
		{Want: Want{"lobby", Last, 0, 1}, Entries: []Entry{{Text: "\xff"}}}, {Want: Want{"\xff", Last, 0, 1}},
	} {
		if frame, err := invalid.Encode(); err == nil {
			t.Errorf("frame %q", frame)
		}
	}
}

// TestAHistoryFrameHasAtMost30000Bytes: with After the newest entries fall off, with Before and Last the oldest.
func TestAHistoryFrameHasAtMost30000Bytes(t *testing.T) {
	t.Parallel()
	page := func(part Part, size int) History {
		h := History{Want: Want{Room: "lobby", Part: part, Number: 1, Limit: 100}, Head: 1795943828700, KeepDays: 7}
		for i := range 100 {
			h.Entries = append(h.Entries, Entry{
				Seq: 1795943828601 + int64(i), ID: "KZ3WXHB5R2TQ4M6VCN7YAEJD4F", From: Sender{"alice", "Alice"},
				Text: strings.Repeat("a", size), SentAt: time.UnixMilli(1795943828600),
			})
		}
		return h
	}
	for _, part := range []Part{After, Before, Last} {
		fits := 0
		for size := 150; size < 200; size++ { // so that every length near the limit comes up
			h := page(part, size)
			encoded, err := h.Encode()
			var got struct {
				Entries []struct{ Seq int64 }
				More    bool
			}
			if err == nil {
				err = json.Unmarshal(encoded, &got)
			}
			n := len(got.Entries)
			if err != nil || n == 0 || len(encoded) > 30_000 {
				t.Fatalf("%s, texts of %d bytes: %d entries in %d bytes, %v", part, size, n, len(encoded), err)
			}
			if got.More != (n < 100) {
				t.Errorf("%s, texts of %d bytes: %d entries, more = %t", part, size, n, got.More)
			}
			first, last := got.Entries[0].Seq-h.Entries[0].Seq, h.Entries[99].Seq-got.Entries[n-1].Seq
			if part == After && first != 0 || part != After && last != 0 || int(first+last)+n != 100 {
				t.Errorf("%s, texts of %d bytes: %d are missing in front, %d at the end", part, size, first, last)
			}
			if n == 100 {
				fits++
			} else if one := len(encoded) / n; len(encoded) < 30_000-2*one {
				t.Errorf("%s, texts of %d bytes: one more entry fits into %d bytes", part, size, len(encoded))
			}
		}
		if fits == 0 || fits == 50 {
			t.Errorf("%s: %d of the pages fit as a whole: the test shows nothing", part, fits)
		}
	}
	long := page(Last, 1)
	long.Entries[99].Text = strings.Repeat("😀", maxText)
	if encoded, err := long.Encode(); err != nil || len(encoded) < 4*maxText || len(encoded) > 30_000 {
		t.Errorf("with the longest text: %d bytes, %v", len(encoded), err)
	}
}
