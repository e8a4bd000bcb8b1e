package awsrest

import (
	"encoding/base64"
	"testing"
	"time"
)

func TestIDsHaveTheirFormAndGrowWithTime(t *testing.T) {
	t.Parallel()
	at := time.Date(2026, 11, 22, 6, 0, 0, 0, time.UTC)
	seen := map[string]bool{}
	last := ""
	for i := range 100 {
		id := NewID(at.Add(time.Duration(i) * time.Second))
		raw, err := base64.URLEncoding.DecodeString(id)
		if err != nil || len(raw) != 11 || !IsID(id) {
			t.Fatalf("id %q", id)
		}
		if string(raw) <= last || seen[id] {
			t.Fatalf("id %q does not follow", id)
		}
		last, seen[id] = string(raw), true
	}
}

func TestIsIDKnowsTheForm(t *testing.T) {
	t.Parallel()
	for id, want := range map[string]bool{
		"L0SM9cOFvHcCIhw=": true, "e_d2EewNLPECIGw=": true, "-_AZaz09AAAAAAA=": true,
		"": false, "=": false, "L0SM9cOFvHcCIhwx": false, "L0SM9cOFvHcCIh==": false,
		"L0SM9cOFvHcCIhw=\n": false, "L0SM9cOFvHcCI/w=": false, "L0SM9cOFvHcCI+w=": false, "L0SM9cOFvHcCIéw=": false,
	} {
		if got := IsID(id); got != want {
			t.Errorf("IsID(%q) is %v", id, got)
		}
	}
}
