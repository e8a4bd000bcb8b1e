package grant

import (
	"regexp"
	"strings"
	"testing"
)

// FuzzRoomName holds the check of a room's name to its pattern: a room's name becomes part of a key of the table and of
// a URL parameter in which rooms are joined by dots.
func FuzzRoomName(f *testing.F) {
	for _, seed := range []string{
		"lobby", "team-1_x", "", "Lobby", "a.b", "a#0", "ＬＯＢＢＹ", "lob\x00by",
		strings.Repeat("a", 32), strings.Repeat("a", 33),
	} {
		f.Add(seed)
	}
	pattern := regexp.MustCompile(`\A[a-z0-9_-]{1,32}\z`)
	f.Fuzz(func(t *testing.T, name string) {
		if got, want := ValidRoom(name), pattern.MatchString(name); got != want {
			t.Errorf("ValidRoom(%q) = %t, want %t", name, got, want)
		}
	})
}
