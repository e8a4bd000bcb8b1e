package load

import (
	"context"
	"fmt"
	"slices"
	"time"

	"signedsocket/internal/load/checker"
	"signedsocket/internal/stageclient"
)

// logTimeout bounds the reading of all logs.
const logTimeout = 15 * time.Minute

// recordedConn is the connection of a client that records when the client asks for history.
type recordedConn struct {
	Socket
	client   int
	recorder *checker.Recorder
}

// Ask asks for history.
func (c recordedConn) Ask(ctx context.Context, q stageclient.Question) error {
	c.recorder.Ask(c.client, q.ID, time.Now())
	return c.Socket.Ask(ctx, q)
}

// follow handles what is new to a client: where a log begins for this run, and messages that came from a log.
func (s *swarm) follow(client int, events []stageclient.Event, at time.Time) {
	for _, event := range events {
		switch e := event.(type) {
		case stageclient.Entered:
			s.began(e)
		case stageclient.Told:
			if !e.Live && e.Entry.Text != "" {
				s.ledger.receive(client, stageclient.Message{
					ID: e.Entry.ID, Room: e.Room, From: e.Entry.From, Text: e.Entry.Text, SentAt: e.Entry.SentAt,
					Seq: e.Entry.Seq,
				}, inTheLog, at)
			}
		}
	}
}

// began records from where on the log of a room belongs to the run.
func (s *swarm) began(e stageclient.Entered) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if first, known := s.logs[e.Room]; !known || e.Position < first {
		s.logs[e.Room] = e.Position
	}
}

// outgoing returns a message as its client sends it, and records it.
func (s *swarm) outgoing(sender int, m *member, text, clientID string) stageclient.Outgoing {
	out := stageclient.Outgoing{Text: text, ID: clientID}
	if len(m.Rooms) != 1 {
		return out
	}
	out.Room = m.Rooms[0] // as the page does: the stage reads the log of a named room while it counts the message
	if !m.History {
		return out
	}
	if position, known := m.follower.Position(m.Rooms[0]); known {
		out.After = &position
	}
	s.recorder.Send(sender, m.User, m.Rooms[0], clientID, text, time.Now())
	return out
}

// sync lets the clients ask whether they have everything.
func (s *swarm) sync(ctx context.Context) {
	s.mu.Lock()
	members := slices.Clone(s.members)
	s.mu.Unlock()
	// A frame that is cut off in the middle would break its connection.
	ctx, stop := context.WithTimeout(context.WithoutCancel(ctx), sendTimeout)
	defer stop()
	for client, m := range members {
		if m != nil {
			_ = m.follower.SyncNow(ctx, recordedConn{m.Socket, client, s.recorder}) // its reader notices a broken one
		}
	}
}

// checkHistory reads the logs and compares them with what the clients sent and received. On a stage without history it
// returns nil.
func (s *swarm) checkHistory(ctx context.Context, note func(string)) *History {
	if len(s.logs) == 0 {
		return nil
	}
	note("reading the log of the run")
	ctx, stop := context.WithTimeout(context.WithoutCancel(ctx), logTimeout)
	defer stop()
	logs, err := s.readLogs(ctx)
	if err != nil {
		return &History{Findings: []string{}, Unread: err.Error()}
	}
	recording := s.recorder.Finish(logs, func(client int, room string) bool {
		m := s.members[client]
		return m != nil && m.follower.Live(room)
	})
	found := checker.Check(recording)
	history := &History{Verdict: checker.Verdict(recording, found), Findings: []string{}}
	for _, f := range found {
		history.Findings = append(history.Findings, fmt.Sprintf("%s: %s", f.Promise, f.Text))
	}
	for _, log := range logs {
		history.Entries += len(log.Entries)
	}
	return history
}

// readLogs reads what the rooms hold of the run, on a connection of its own.
func (s *swarm) readLogs(ctx context.Context) (map[string]checker.Log, error) {
	reader, _, err := s.open(ctx, s.plan.user(0))
	if err != nil {
		return nil, err
	}
	defer func() { _ = reader.Socket.Close() }() // nothing depends on how it goes
	logs, logReader := map[string]checker.Log{}, stageclient.NewLogReader(reader.Socket)
	for room, after := range s.logs {
		entries, _, err := logReader.Read(ctx, room, after)
		if err != nil {
			return nil, err
		}
		logs[room] = checker.Log{At: time.Now(), After: after, Late: true, Entries: entries}
	}
	return logs, nil
}
