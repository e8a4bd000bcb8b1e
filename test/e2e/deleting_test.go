package e2e_test

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"go.etcd.io/bbolt"

	"signedsocket/internal/stageclient"
	"signedsocket/internal/stageclient/clienttest"
	"signedsocket/localstage"
	"signedsocket/localstage/stagetest"
)

// keepingIn starts a stage that keeps messages, with its state in a folder.
func keepingIn(t *testing.T, state string, parameters map[string]string) (*stagetest.Stage, *stageclient.Client) {
	t.Helper()
	all := map[string]string{"HistoryDays": "7", "MessagesPerWindow": "1000"}
	for name, value := range parameters {
		all[name] = value
	}
	return startStage(t, stagetest.Options{Parameters: all, State: state})
}

// tell sends a message to a room, and returns its number.
func tell(t *testing.T, conn *stageclient.Conn, room, text, id string) int64 {
	t.Helper()
	if err := conn.Send(within(t), stageclient.Outgoing{Text: text, ID: id, Room: room}); err != nil {
		t.Fatal(err)
	}
	ack := await[stageclient.Ack](t, conn)
	if ack.Seq == 0 {
		t.Fatalf("%q was acknowledged as %+v", text, ack)
	}
	return ack.Seq
}

// remove deletes a message, and returns the number of the note.
func remove(t *testing.T, conn *stageclient.Conn, room string, seq int64) int64 {
	t.Helper()
	ack, err := conn.Delete(within(t), room, seq)
	if err != nil || ack.Seq <= seq {
		t.Fatalf("delete of %d in %s: %+v, %v", seq, room, ack, err)
	}
	return ack.Seq
}

// tableFile returns the file of a stage's table, compacted: without the pages that are free.
func tableFile(t *testing.T, state string) string {
	t.Helper()
	folder := t.TempDir()
	data, err := os.ReadFile(filepath.Join(state, "dynamodb.db"))
	if err != nil {
		t.Fatal(err)
	}
	copied := filepath.Join(folder, "copy.db")
	if err := os.WriteFile(copied, data, 0o600); err != nil {
		t.Fatal(err)
	}
	from, err := bbolt.Open(copied, 0o600, &bbolt.Options{ReadOnly: true})
	if err != nil {
		t.Fatal(err)
	}
	defer from.Close()
	compacted := filepath.Join(folder, "compacted.db")
	to, err := bbolt.Open(compacted, 0o600, nil)
	if err != nil {
		t.Fatal(err)
	}
	if err := bbolt.Compact(to, from, 0); err != nil {
		t.Fatal(err)
	}
	if err := to.Close(); err != nil {
		t.Fatal(err)
	}
	data, err = os.ReadFile(compacted)
	if err != nil {
		t.Fatal(err)
	}
	return string(data)
}

// itemsWith returns the keys of the items that hold a text, of those whose keys begin with one of the prefixes.
func itemsWith(t *testing.T, client *stageclient.Client, text string, prefixes ...string) (keys []string) {
	t.Helper()
	for _, item := range itemsOf(t, client) {
		key := item["pk"].(*types.AttributeValueMemberS).Value
		for _, prefix := range prefixes {
			if strings.HasPrefix(key, prefix) && strings.Contains(spell(t, item), text) {
				keys = append(keys, key)
			}
		}
	}
	return keys
}

// spell returns a value of an item as one text.
func spell(t *testing.T, value any) string {
	t.Helper()
	switch v := value.(type) {
	case map[string]types.AttributeValue:
		var all strings.Builder
		for name, member := range v {
			fmt.Fprintf(&all, "%s=%s;", name, spell(t, member))
		}
		return all.String()
	case *types.AttributeValueMemberM:
		return spell(t, v.Value)
	case *types.AttributeValueMemberL:
		var all strings.Builder
		for _, member := range v.Value {
			all.WriteString(spell(t, member) + ",")
		}
		return all.String()
	}
	return fmt.Sprintf("%+v", value)
}

// TestADeletedTextIsNowhere: after the acknowledged deletion no item of the table holds the text, no answer does, and
// not the table's file, once it is compacted.
func TestADeletedTextIsNowhere(t *testing.T) {
	t.Parallel()
	const text = "a text that will be deleted"
	state := t.TempDir()
	_, client := keepingIn(t, state, nil)
	alice, bob := connectWithHistory(t, client, "alice"), connectWithHistory(t, client, "bob")
	carol := connect(t, client, "carol") // speaks chat.v1
	before := tell(t, alice, "lobby", "before", "m-1")
	seq := tell(t, alice, "lobby", text, "m-2")
	if len(itemsWith(t, client, text, "")) != 1 || !strings.Contains(tableFile(t, state), text) {
		t.Fatalf("the text is in %q: this test looks at nothing", itemsWith(t, client, text, ""))
	}
	note := remove(t, alice, "lobby", seq)
	if keys := itemsWith(t, client, text, ""); len(keys) > 0 || strings.Contains(tableFile(t, state), text) {
		t.Errorf("the text is still in %q, or in the file", keys)
	}
	if got := await[stageclient.Deleted](t, bob); got.Of != seq || got.Seq != note || got.From.Sub != "alice" {
		t.Errorf("bob was told %+v, want %d of %d", got, note, seq)
	}
	for _, want := range []stageclient.Want{
		stageclient.WantLast("lobby", 10), stageclient.WantAfter("lobby", before-1), stageclient.WantAfter("lobby", 0),
		stageclient.WantBefore("lobby", note+1, 10),
	} {
		page := askFor(t, bob, want)
		entries := page.Entries
		if len(entries) != 3 || !entries[1].Deleted || entries[1].Text != "" || entries[2].Of != seq {
			t.Errorf("%+v was answered %+v", want, page)
		}
	}
	// The message comes again, as from a client that has lost the answer.
	resend := stageclient.Outgoing{Text: text, ID: "m-2", Room: "lobby", After: &before}
	if err := alice.Send(within(t), resend); err != nil {
		t.Fatal(err)
	}
	if again := await[stageclient.Ack](t, alice); again.Seq != seq || !again.Deleted {
		t.Errorf("a resend was acknowledged as %+v, want number %d, deleted", again, seq)
	}
	if keys := itemsWith(t, client, text, ""); len(keys) > 0 {
		t.Errorf("after the resend the text is in %q", keys)
	}
	tell(t, alice, "lobby", "behind", "m-3")
	for _, want := range []string{"before", text, "behind"} { // and neither the deletion nor the text again
		frame, err := carol.Next(within(t))
		if m, ok := frame.(stageclient.Message); err != nil || !ok || m.Text != want {
			t.Errorf("carol got %#v, %v; want the message %q", frame, err, want)
		}
	}
}

// TestADeletionThatDiedIsCompletedBySendingItAgain kills the function at each of its calls. After the text is gone the
// others learn of it when the client sends the same frame again.
func TestADeletionThatDiedIsCompletedBySendingItAgain(t *testing.T) {
	t.Parallel()
	localOnly(t, "injects faults")
	// UpdateItem counts the frame, replaces the text, and appends the note. Then come the posts to both, and the ack.
	update := func(number int, effect localstage.CallEffect) localstage.CallFault {
		return localstage.CallFault{Service: "dynamodb", Operation: "UpdateItem", Number: number, Effect: effect}
	}
	post := func(number int) localstage.CallFault {
		return localstage.CallFault{Service: "execute-api", Operation: "POST", Number: number}
	}
	for name, test := range map[string]struct {
		fault localstage.CallFault
		gone  bool // the text, before the frame is sent again
	}{
		"before it is counted":       {update(1, localstage.KillBefore), false},
		"before the text is gone":    {update(2, localstage.KillBefore), false},
		"when the text is gone":      {update(2, localstage.KillAfter), true},
		"before the note":            {update(3, localstage.KillBefore), true},
		"when the note is there":     {update(3, localstage.KillAfter), true},
		"before the posts":           {post(1), true},
		"between the posts":          {post(2), true},
		"before the acknowledgement": {post(3), true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			stage, client, alice, bob := startWithLog(t, nil)
			seq := tell(t, alice, "lobby", "a text", "m-1")
			stage.FailNext("SendMessageFunction", localstage.InvocationFault{AtCall: test.fault})
			if _, err := alice.Delete(within(t), "lobby", seq); err == nil {
				t.Error("the deletion was acknowledged: the function did not die")
			}
			if keys := itemsWith(t, client, "a text", ""); (len(keys) == 0) != test.gone {
				t.Errorf("the text is in %q, want it gone: %t", keys, test.gone)
			}
			note := remove(t, alice, "lobby", seq)
			entries := askFor(t, alice, stageclient.WantAfter("lobby", 0)).Entries
			if len(entries) != 2 || !entries[0].Deleted || entries[1].Of != seq || entries[1].Seq != note {
				t.Errorf("the log is %+v, want a tombstone and one note", entries)
			}
			if got := await[stageclient.Deleted](t, bob); got.Of != seq || got.Seq != note {
				t.Errorf("bob was told %+v, want %d of %d", got, note, seq)
			}
		})
	}
}

// TestOnlyTheAuthorDeletes, and only what is there.
func TestOnlyTheAuthorDeletes(t *testing.T) {
	t.Parallel()
	client := anyStage(t)
	alice, bob := connectWithHistory(t, client, "alice"), connectWithHistory(t, client, "bob")
	seq := tell(t, alice, "lobby", "alice's", "m-1")
	for name, try := range map[string]struct {
		seq  int64
		code string
	}{
		"another user's message": {seq, "not_yours"},
		"a number of the past":   {1, "not_found"},
		"a number of the future": {seq + 1, "not_found"},
	} {
		if ack, err := bob.Delete(within(t), "lobby", try.seq); err == nil || !strings.Contains(err.Error(), try.code) {
			t.Errorf("%s: %+v, %v; want %s", name, ack, err, try.code)
		}
	}
	note := remove(t, alice, "lobby", seq)
	if _, err := alice.Delete(within(t), "lobby", note); err == nil || !strings.Contains(err.Error(), "not_found") {
		t.Errorf("a note: %v, want not_found", err)
	}
	if again := remove(t, alice, "lobby", seq); again != note {
		t.Errorf("a second deletion has the note %d, the first %d", again, note)
	}
}

// TestAModeratorDeletesAnybodysMessage, and the author's deletion of the same message completes as usual.
func TestAModeratorDeletesAnybodysMessage(t *testing.T) {
	t.Parallel()
	client := anyStage(t)
	alice, bob := connectWithHistory(t, client, "alice"), connectWithHistory(t, client, "bob")
	seq := tell(t, alice, "lobby", "alice's", "m-1")
	proof := stageclient.NewProof()
	g := stageclient.NewGrant(stageclient.User{Sub: "mod", Name: "Mod"}, []string{"lobby"}, proof.Challenge, time.Now())
	g.Moderator = true
	signed := presign(t, client, "SignUrlFunction", g)
	mod, err := clienttest.DialWithHistory(t, client, signed.URL, proof.Verifier)
	if err != nil {
		t.Fatal(err)
	}
	note := remove(t, mod, "lobby", seq)
	if got := await[stageclient.Deleted](t, bob); got.Of != seq || got.Seq != note || got.From.Name != "Mod" {
		t.Errorf("bob was told %+v, want %d of %d by Mod", got, note, seq)
	}
	remove(t, alice, "lobby", seq)
	entries := askFor(t, bob, stageclient.WantAfter("lobby", seq-1)).Entries
	entries = slices.DeleteFunc(entries, func(e stageclient.Entry) bool { return e.Seq != seq && e.Of != seq })
	// On a deployed stage the users of a test have names of their own.
	if len(entries) != 3 || !entries[0].Deleted || entries[1].From.Sub != "mod" ||
		!strings.HasPrefix(entries[2].From.Sub, "alice") {
		t.Errorf("the log is %+v, want a tombstone and two notes", entries)
	}
}
