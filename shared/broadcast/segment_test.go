package broadcast

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"signedsocket/shared/connections"
)

func example(members int) Segment {
	s := Segment{
		Frame: []byte(`{"type":"message","message":"hé"}`), Room: "lobby",
		SentAt: time.UnixMilli(1795327200123).UTC(), BroadcastID: "request-1",
	}
	for i := range members {
		s.Members = append(s.Members, connections.Member{
			ConnectionID: fmt.Sprintf("L0SM9c%04dCIhw=", i),
			ConnectedAt:  time.UnixMilli(1795327000000 + int64(i)).UTC(),
		})
	}
	return s
}

func TestASegmentArrivesAsItWasSent(t *testing.T) {
	t.Parallel()
	sent := example(3)
	sent.Members[1].Slow = time.UnixMilli(1795327199000).UTC()
	payload, err := sent.Encode()
	if err != nil {
		t.Fatal(err)
	}
	arrived, err := DecodeSegment(payload)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(sent, arrived); diff != "" {
		t.Errorf("segment (-sent +arrived):\n%s", diff)
	}
}

// The longest message for a thousand connections is far below the limit of an asynchronous invocation.
func TestTheLargestSegmentFits(t *testing.T) {
	t.Parallel()
	s := example(SegmentSize)
	s.Frame = []byte(strings.Repeat(`"`, 32<<10)) // each is two bytes in JSON
	payload, err := s.Encode()
	if err != nil || len(payload) > 256<<10 {
		t.Errorf("%d bytes, %v", len(payload), err)
	}
}

func TestDecodeSegmentRefusesOtherEvents(t *testing.T) {
	t.Parallel()
	tooMany, err := example(SegmentSize + 1).Encode()
	if err != nil {
		t.Fatal(err)
	}
	for name, event := range map[string]string{
		"no JSON":           `x`,
		"no frame":          `{"room":"lobby","members":[{"id":"a","at":1}]}`,
		"no member":         `{"frame":"{}","room":"lobby","members":[]}`,
		"an unknown member": `{"frame":"{}","members":[{"id":"a","at":1}],"delete":true}`,
		"too many":          string(tooMany),
	} {
		if s, err := DecodeSegment([]byte(event)); err == nil {
			t.Errorf("%s: decoded %+v", name, s)
		}
	}
}
