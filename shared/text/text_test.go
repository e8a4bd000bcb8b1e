package text

import (
	"encoding/json"
	"os"
	"strings"
	"testing"
)

// example is a row of the table that the browser client's tests read too. A nil result is a refusal.
type example struct {
	Name    string  `json:"name"`
	Text    string  `json:"text"`
	Message *string `json:"message"` // result of Clean
	Line    *string `json:"line"`    // result of CleanLine

	Repaired     *string `json:"repaired"`     // text that the browser client sends, if it is another one
	RepairedLine *string `json:"repairedLine"` // and as a name
}

func examples(t *testing.T) []example {
	t.Helper()
	data, err := os.ReadFile("testdata/text.json")
	if err != nil {
		t.Fatal(err)
	}
	var table []example
	if err := json.Unmarshal(data, &table); err != nil {
		t.Fatal(err)
	}
	if len(table) < 50 {
		t.Fatalf("%d examples", len(table))
	}
	return table
}

func TestClean(t *testing.T) {
	t.Parallel()
	for _, test := range examples(t) {
		check(t, "Clean", test, test.Message, Clean)
	}
}

func TestCleanLine(t *testing.T) {
	t.Parallel()
	for _, test := range examples(t) {
		check(t, "CleanLine", test, test.Line, CleanLine)
	}
}

// TestRepairedTextIsTaken: a text that the browser client repaired passes unchanged.
func TestRepairedTextIsTaken(t *testing.T) {
	t.Parallel()
	for _, test := range examples(t) {
		taken(t, test.Name, test.Repaired, Clean)
		taken(t, test.Name, test.RepairedLine, CleanLine)
	}
}

func taken(t *testing.T, name string, repaired *string, clean func(string) (string, bool)) {
	t.Helper()
	if repaired == nil {
		return
	}
	if got, ok := clean(*repaired); !ok || got != *repaired {
		t.Errorf("%s: %+q becomes %+q, %v", name, *repaired, got, ok)
	}
}

func TestCut(t *testing.T) {
	t.Parallel()
	data, err := os.ReadFile("testdata/cuts.json")
	if err != nil {
		t.Fatal(err)
	}
	var table []struct{ Name, Text, Cut string }
	if err := json.Unmarshal(data, &table); err != nil {
		t.Fatal(err)
	}
	if len(table) < 12 {
		t.Fatalf("%d cuts", len(table))
	}
	for _, test := range table {
		line, ok := CleanLine(test.Text)
		if got := Cut(line, 128); !ok || got != test.Cut {
			t.Errorf("%s: Cut(%+q) = %+q, want %+q", test.Name, line, got, test.Cut)
		}
	}
	// One character that is longer than all.
	if got := Cut(strings.Repeat("\U0001f469\u200d", 20)+"\U0001f469", 128); got != "" {
		t.Errorf("a family of 21 is cut to %+q", got)
	}
}

func check(t *testing.T, name string, test example, want *string, clean func(string) (string, bool)) {
	t.Helper()
	got, ok := clean(test.Text)
	if ok != (want != nil) || want != nil && got != *want || !ok && got != "" {
		t.Errorf("%s: %s(%+q) = %+q, %v", test.Name, name, test.Text, got, ok)
	}
}

// TestBytesThatAreNoText has bytes that JSON cannot hold.
func TestBytesThatAreNoText(t *testing.T) {
	t.Parallel()
	for _, s := range []string{"a\xffb", "a\xed\xa0\x80b"} {
		if got, ok := Clean(s); ok {
			t.Errorf("Clean(%q) = %q", s, got)
		}
	}
}

func FuzzClean(f *testing.F) {
	for _, seed := range []string{
		"", "hello", "e\u0301", "a\r\nb", "\xff", "\u202e", "\u1e9b\u0323",
		"q\u0316\u0317\u0318\u0319\u031c", "\u3164",
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, s string) {
		clean, ok := Clean(s)
		if !ok {
			return
		}
		if again, ok := Clean(clean); !ok || again != clean {
			t.Errorf("Clean(%q) = %q, but cleaning that gives %q, %v", s, clean, again, ok)
		}
	})
}
