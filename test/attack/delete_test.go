package attack_test

import (
	"fmt"
	"strings"
	"testing"

	"signedsocket/internal/stageclient"
	"signedsocket/internal/stageclient/clienttest"
)

// deletion is a frame that deletes a message.
func deletion(room string, seq int64) string {
	return fmt.Sprintf(`{"action":"delete","room":%q,"seq":%d,"id":"d-1"}`, room, seq)
}

// victimsMessage lets the friend say something that stays in the log, and returns its number.
func (s *scene) victimsMessage(t *testing.T) int64 {
	t.Helper()
	clienttest.Send(t, s.friend, "a message that an attacker dislikes", "f-1")
	stored := clienttest.Await[stageclient.Ack](t, s.friend)
	clienttest.Await[stageclient.Message](t, s.victim)
	if stored.Seq == 0 {
		t.Fatalf("acknowledged as %+v: the message is not stored, and the test shows nothing", stored)
	}
	return stored.Seq
}

// TestAUserDeletesOnlyOwnMessages: the author stands in the condition, and the record of the connection says who is a
// moderator.
func TestAUserDeletesOnlyOwnMessages(t *testing.T) {
	t.Parallel()
	s := open(t, withHistory())
	seq := s.victimsMessage(t)
	mallory := clienttest.ConnectWithHistory(t, s.client, "mallory")
	s.unharmed(t, []string{sendFunction}, func() {
		refused(t, mallory, deletion("lobby", seq), "not_yours")
		for _, nothing := range []int64{1, seq - 1, seq + 1, 1<<53 - 1} {
			refused(t, mallory, deletion("lobby", nothing), "not_found")
		}
	})
	// A message of the attacker's own makes no other message the attacker's.
	clienttest.Send(t, mallory, "mine", "m-1")
	mine := clienttest.Await[stageclient.Ack](t, mallory)
	clienttest.Await[stageclient.Message](t, s.victim)
	if _, err := mallory.Delete(clienttest.Within(t), "lobby", mine.Seq); err != nil {
		t.Fatal(err)
	}
	s.unharmed(t, []string{sendFunction}, func() { refused(t, mallory, deletion("lobby", seq), "not_yours") })
}

// TestForgedDeletionsAreRefused: frames that name a user, a right or a number that no entry can have, rooms of others,
// and a client that speaks chat.v1. Each is a strike, and changes nothing.
func TestForgedDeletionsAreRefused(t *testing.T) {
	t.Parallel()
	s := open(t, withHistory())
	seq := s.victimsMessage(t)
	good := deletion("lobby", seq)
	with := func(more string) string { return strings.TrimSuffix(good, "}") + "," + more + "}" }
	forged := []struct{ name, frame, code string }{
		{"another user's name", with(`"sub":"friend"`), "bad_message"},
		{"a right", with(`"moderator":true`), "bad_message"},
		{"the parameter of a grant", with(`"md":1`), "bad_message"},
		{"a number twice", with(`"seq":1`), "bad_message"},
		{"the id of an entry", with(`"of":1`), "bad_message"},
		{"another letter case", with(`"Seq":1`), "bad_message"},
		{"no room", fmt.Sprintf(`{"action":"delete","seq":%d}`, seq), "bad_message"},
		{"number 0", deletion("lobby", 0), "bad_message"},
		{"a negative number", deletion("lobby", -seq), "bad_message"},
		{"a number beyond 53 bits", deletion("lobby", 1<<53), "bad_message"},
		{"a fraction", `{"action":"delete","room":"lobby","seq":1.5}`, "bad_message"},
		{"a list of numbers", fmt.Sprintf(`{"action":"delete","room":"lobby","seq":[%d]}`, seq), "bad_message"},
		{"4 KB", good + strings.Repeat(" ", 4<<10), "too_large"},
		{"another room", deletion("vault", seq), "room_not_allowed"},
		{"the key of the log", deletion("LOG#lobby", seq), "room_not_allowed"},
		{"another letter case of the room", deletion("LOBBY", seq), "room_not_allowed"},
	}
	for i, test := range forged {
		t.Log(test.name)
		mallory := clienttest.ConnectWithHistory(t, s.client, fmt.Sprint("mallory-", i)) // strikes follow a user
		s.unharmed(t, []string{sendFunction}, func() { refused(t, mallory, test.frame, test.code) })
		_ = mallory.Close()
		s.settled(t, 2)
	}
	old := clienttest.Connect(t, s.client, "mallory-v1")
	s.unharmed(t, []string{sendFunction}, func() {
		for range 2 {
			refused(t, old, good, "unknown_action")
		}
	})
	if err := old.SendText(clienttest.Within(t), good); err != nil {
		t.Fatal(err)
	}
	if bye := clienttest.Await[stageclient.Bye](t, old); bye.Code != "kicked" {
		t.Errorf("said goodbye with %q after three strikes, want kicked", bye.Code)
	}
}

// TestAFloodOfDeletionsIsStopped: a deletion counts as a message, whether it deletes something or not.
func TestAFloodOfDeletionsIsStopped(t *testing.T) {
	t.Parallel()
	o := withHistory()
	o.Parameters["MessagesPerWindow"] = "5"
	s := openEmpty(t, o)
	mallory := clienttest.ConnectWithHistory(t, s.client, "mallory")
	answers := map[string]int{}
	for range 100 {
		if mallory.SendText(clienttest.Within(t), deletion("lobby", 1)) != nil {
			break // kicked, and closed
		}
	}
	for {
		frame, err := mallory.Next(clienttest.Within(t))
		if err != nil {
			break
		}
		if refusal, ok := frame.(stageclient.Error); ok {
			answers[refusal.Code]++
		}
	}
	if answers["not_found"] > 10 || answers["rate_limited"] == 0 {
		t.Errorf("answered %v, want at most 10 not_found: those of two windows", answers)
	}
}

// TestAReadOnlyMemberWritesNothingByAnyFrame: neither a message, nor a resend of a message that the user wrote while it
// was allowed, nor a deletion of it, not even as a moderator.
func TestAReadOnlyMemberWritesNothingByAnyFrame(t *testing.T) {
	t.Parallel()
	s := open(t, withHistory())
	enter := func(user string, change func(*stageclient.Grant)) *stageclient.Conn {
		g, proof := grant(change, func(g *stageclient.Grant) { g.Sub = user })
		signed := clienttest.Presign(t, s.client, signURLFunction, g)
		conn, err := clienttest.DialWithHistory(t, s.client, signed.URL, proof.Verifier)
		if err != nil {
			t.Fatal(err)
		}
		return conn
	}
	others := s.victimsMessage(t)
	for i, test := range []struct {
		frame     func(own int64) string
		moderator bool
	}{
		{func(int64) string { return `{"action":"sendmessage","message":"hi","room":"lobby","id":"m-2"}` }, false},
		{func(int64) string { return `{"message":"hi"}` }, true},
		{func(int64) string { return `{"message":"while it was allowed","room":"lobby","id":"m-1"}` }, false},
		{func(own int64) string {
			return fmt.Sprintf(`{"message":"hi","room":"lobby","id":"m-1","after":%d}`, own-1)
		}, true},
		{func(int64) string { return `{"message":"hi","room":"lobby","after":9007199254740991}` }, false},
		{func(own int64) string { return deletion("lobby", own) }, false},
		{func(own int64) string { return deletion("lobby", own) }, true},
		{func(int64) string { return deletion("lobby", others) }, true},
		{func(int64) string { return deletion("lobby", 1) }, false},
	} {
		user := fmt.Sprint("mallory-", i) // strikes follow a user
		writer := enter(user, func(*stageclient.Grant) {})
		clienttest.Send(t, writer, "while it was allowed", "m-1")
		stored := clienttest.Await[stageclient.Ack](t, writer)
		clienttest.Await[stageclient.Message](t, s.victim)
		_ = writer.Close()
		s.settled(t, 2)
		reader := enter(user, func(g *stageclient.Grant) { g.ReadOnly, g.Moderator = g.Rooms, test.moderator })
		s.unharmed(t, []string{sendFunction}, func() { refused(t, reader, test.frame(stored.Seq), "read_only") })
		_ = reader.Close()
		s.settled(t, 2)
	}
}
