package text

import "testing"

func TestClean(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name, in, want string
		ok             bool
	}{
		{"plain", "hello", "hello", true},
		{"empty is for the caller to judge", "", "", true},
		{"line feed stays", "a\nb", "a\nb", true},
		{"composed form", "e\u0301", "\u00e9", true},
		{"Japanese and emoji", "送信 👩‍👩‍👧", "送信 👩‍👩‍👧", true},
		{"right-to-left script is text", "שלום", "שלום", true},
		{"carriage return", "a\r\nb", "", false},
		{"tab", "a\tb", "", false},
		{"nul", "a\x00b", "", false},
		{"delete", "a\x7fb", "", false},
		{"C1 control", "a\u0085b", "", false},
		{"override", "a\u202eb", "", false},
		{"isolate", "a\u2066b", "", false},
		{"not UTF-8", "a\xffb", "", false},
		{"surrogate half", "a\xed\xa0\x80b", "", false},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			got, ok := Clean(test.in)
			if got != test.want || ok != test.ok {
				t.Errorf("Clean(%q) = %q, %v; want %q, %v", test.in, got, ok, test.want, test.ok)
			}
		})
	}
}

func TestCleanLine(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name, in, want string
		ok             bool
	}{
		{"plain", "Alice", "Alice", true},
		{"inner space stays", "Alice Smith", "Alice Smith", true},
		{"outer space goes", "  Alice\n", "Alice", true},
		{"two lines", "Alice\nadmin", "", false},
		{"nothing", "", "", false},
		{"only space", " \u3000 ", "", false},
		{"override", "Alice\u202e", "", false},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			got, ok := CleanLine(test.in)
			if got != test.want || ok != test.ok {
				t.Errorf("CleanLine(%q) = %q, %v; want %q, %v", test.in, got, ok, test.want, test.ok)
			}
		})
	}
}

func FuzzClean(f *testing.F) {
	for _, seed := range []string{"", "hello", "e\u0301", "a\r\nb", "\xff", "\u202e", "\u1e9b\u0323"} {
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
