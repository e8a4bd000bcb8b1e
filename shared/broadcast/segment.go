package broadcast

import (
	"fmt"
	"time"

	"github.com/go-json-experiment/json"

	"signedsocket/shared/connections"
)

// SegmentSize is how many connections a segment holds at most. With a frame of the greatest length its event has less
// than 100 KB, of the 1 MB that an asynchronous invocation takes.
const SegmentSize = 1000

// Segment is a part of a room that is too large for one invocation. sendmessage hands it to the function fanout:
// asynchronously, as an event that holds the frame and the connections that it is for. So each connection is read from
// the table once and is in one segment, although others join and leave meanwhile.
type Segment struct {
	Frame       []byte // to post, a JSON object
	Room        string
	SentAt      time.Time // when the message arrived; whole milliseconds
	BroadcastID string    // the Lambda request id of the invocation that took the message
	Members     []connections.Member
}

// segmentEvent is the form of a Segment on its way.
type segmentEvent struct {
	Frame       string          `json:"frame"`
	Room        string          `json:"room"`
	SentAt      int64           `json:"sentAt"` // Unix milliseconds
	BroadcastID string          `json:"broadcastId"`
	Members     []segmentMember `json:"members"`
}

type segmentMember struct {
	ConnectionID string `json:"id"`
	ConnectedAt  int64  `json:"at"`            // Unix milliseconds
	Slow         int64  `json:"slow,omitzero"` // Unix milliseconds
}

// Encode returns s as an event.
func (s Segment) Encode() ([]byte, error) {
	e := segmentEvent{Frame: string(s.Frame), Room: s.Room, SentAt: s.SentAt.UnixMilli(), BroadcastID: s.BroadcastID}
	e.Members = make([]segmentMember, len(s.Members))
	for i, m := range s.Members {
		e.Members[i] = segmentMember{ConnectionID: m.ConnectionID, ConnectedAt: m.ConnectedAt.UnixMilli()}
		if !m.Slow.IsZero() {
			e.Members[i].Slow = m.Slow.UnixMilli()
		}
	}
	data, err := json.Marshal(e)
	if err != nil {
		return nil, fmt.Errorf("encode segment: %w", err)
	}
	return data, nil
}

// DecodeSegment returns the segment of an event. An event that Encode does not write is an error.
func DecodeSegment(data []byte) (Segment, error) {
	var e segmentEvent
	if err := json.Unmarshal(data, &e, json.RejectUnknownMembers(true)); err != nil {
		return Segment{}, fmt.Errorf("decode segment: %w", err)
	}
	if e.Frame == "" || len(e.Members) == 0 || len(e.Members) > SegmentSize {
		return Segment{}, fmt.Errorf("decode segment: %d bytes for %d members", len(e.Frame), len(e.Members))
	}
	s := Segment{
		Frame: []byte(e.Frame), Room: e.Room, SentAt: time.UnixMilli(e.SentAt).UTC(), BroadcastID: e.BroadcastID,
		Members: make([]connections.Member, len(e.Members)),
	}
	for i, m := range e.Members {
		s.Members[i].ConnectionID, s.Members[i].ConnectedAt = m.ConnectionID, time.UnixMilli(m.ConnectedAt).UTC()
		if m.Slow != 0 {
			s.Members[i].Slow = time.UnixMilli(m.Slow).UTC()
		}
	}
	return s, nil
}
