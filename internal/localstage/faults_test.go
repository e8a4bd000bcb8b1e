package localstage

import (
	"strings"
	"testing"
	"time"
)

func TestFaultsAreReadByName(t *testing.T) {
	t.Parallel()
	got, err := ParseFaults(map[string]string{"hold-101": "500ms", "gone-posts": "0.3", "transaction-conflicts": "0.1"}, 7)
	if want := (Faults{Hold101: 500 * time.Millisecond, GonePosts: 0.3, TransactionConflicts: 0.1, Seed: 7}); err != nil || got != want {
		t.Errorf("got %+v, %v, want %+v", got, err, want)
	}
	for _, bad := range [][2]string{
		{"hold-101", "soon"}, {"hold-101", "-5s"}, {"gone-posts", "some"}, {"gone-posts", "2"}, {"drop-tcp", "-0.1"},
		{"transaction-conflicts", "NaN"}, {"gremlins", "1"},
	} {
		if _, err := ParseFaults(map[string]string{bad[0]: bad[1]}, 0); err == nil || !strings.Contains(err.Error(), bad[0]) {
			t.Errorf("%s=%s: %v", bad[0], bad[1], err)
		}
	}
}
