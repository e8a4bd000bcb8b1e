package guest

import (
	"regexp"
	"testing"
)

func TestGuestsHaveIDsAndNamesOfTheirOwn(t *testing.T) {
	t.Parallel()
	ids, names := make(map[string]bool), make(map[string]bool)
	for range 100 {
		id := NewID()
		if !regexp.MustCompile(`^guest-[a-z2-7]{26}$`).MatchString(id) || ids[id] || id == Pool {
			t.Errorf("id %q", id)
		}
		name := Name(id)
		if !regexp.MustCompile(`^guest-[a-z2-7]{6}$`).MatchString(name) || names[name] {
			t.Errorf("name %q", name)
		}
		ids[id], names[name] = true, true
	}
}

func TestGuestsAreCountedTogetherAndUsersAlone(t *testing.T) {
	t.Parallel()
	for id, want := range map[string]string{
		NewID(): Pool, Pool: Pool, "guest-": Pool, "guest-alice": Pool,
		"alice": "alice", "guest": "guest", "guests": "guests", "Guest-1": "Guest-1", "a-guest-1": "a-guest-1", "": "",
	} {
		if got := CountedAs(id); got != want || Reserved(id) != (want == Pool) {
			t.Errorf("%q is counted as %q, reserved: %t", id, got, Reserved(id))
		}
	}
}
