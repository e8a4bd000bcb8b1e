package localstage

import (
	"testing"
	"time"
)

func TestFaultsAreReadByName(t *testing.T) {
	t.Parallel()
	got, err := ParseFaults(map[string]string{"hold-101": "500ms", "gone-posts": "0.3", "transaction-conflicts": "0.1"}, 7)
	if want := (Faults{Hold101: 500 * time.Millisecond, GonePosts: 0.3, TransactionConflicts: 0.1, Seed: 7}); err != nil || got != want {
		t.Errorf("got %+v, %v, want %+v", got, err, want)
	}
	for name, value := range map[string]string{"hold-101": "soon", "gone-posts": "some", "gremlins": "1"} {
		if _, err := ParseFaults(map[string]string{name: value}, 0); err == nil {
			t.Errorf("%s=%s was accepted", name, value)
		}
	}
}
