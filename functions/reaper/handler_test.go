package main

import (
	"context"
	"encoding/json"
	"errors"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"signedsocket/shared/connections"
	"signedsocket/shared/function"
	"signedsocket/shared/userid"
)

// scheduled is the event of a schedule, as EventBridge sends it.
const scheduled = `{"version":"0","id":"1","detail-type":"Scheduled Event","source":"aws.events",` +
	`"account":"111122223333","time":"2026-11-22T09:00:00Z","region":"us-east-1",` +
	`"resources":["arn:aws:events:us-east-1:111122223333:rule/r"],"detail":{}}`

func TestASweepSaysByeClosesAndRemoves(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	for id, reason := range map[string]connections.Reason{
		"a=": connections.SessionEnded, "b=": connections.Evicted, "c=": connections.Kicked, "d=": connections.Revoked,
	} {
		w.join("alice", time.Hour, id)
		w.due(id, reason, time.Hour)
	}
	w.due("gone=", connections.SessionEnded, time.Hour)
	got, err := w.handle(scheduled)
	if want := (swept{Due: 5, Closed: 5}); err != nil || got != want {
		t.Fatalf("handle = %+v, %v; want %+v", got, err, want)
	}
	want := map[string][]string{
		"a=": {`{"type":"bye","code":"session_ended"}`}, "b=": {`{"type":"bye","code":"evicted"}`},
		"c=": {`{"type":"bye","code":"kicked"}`}, "d=": {`{"type":"bye","code":"revoked"}`},
	}
	if diff := cmp.Diff(want, w.gateway.posted); diff != "" {
		t.Errorf("posted (-want +got):\n%s", diff)
	}
	if len(w.gateway.open) != 0 || len(w.table.due) != 0 || len(w.table.gone) != 5 {
		t.Errorf("left open %v, due %v, gone %v", w.gateway.open, w.table.due, w.table.gone)
	}
	if got, err := w.handle(scheduled); err != nil || got != (swept{}) {
		t.Errorf("a second sweep = %+v, %v", got, err)
	}
}

func TestSweepLeavesHandshakesToTheNext(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		w.due("young=", connections.Evicted, 5*time.Second)
		if got, err := w.handle(scheduled); err != nil || got != (swept{Due: 1, Pending: 1}) || len(w.table.due) != 1 {
			t.Fatalf("handle = %+v, %v; due %v", got, err, w.table.due)
		}
		<-time.After(26 * time.Second) // of the bubble's time: no handshake lasts that long
		if got, err := w.handle(scheduled); err != nil || got != (swept{Due: 1, Closed: 1}) || len(w.table.due) != 0 {
			t.Errorf("handle = %+v, %v; due %v", got, err, w.table.due)
		}
	})
}

func TestSweepThatFailsIsRepeated(t *testing.T) {
	t.Parallel()
	broken := errors.New("no route")
	for name, spoil := range map[string]func(*world, error){
		"close":  func(w *world, err error) { w.gateway.closeErr = err },
		"remove": func(w *world, err error) { w.table.removeErr = err },
		"swept":  func(w *world, err error) { w.table.sweptErr = err },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			w.join("alice", time.Hour, "a=")
			w.due("a=", connections.Kicked, time.Hour)
			spoil(w, broken)
			if got, err := w.handle(scheduled); err != nil || got != (swept{Due: 1, Failed: 1}) ||
				len(w.table.due) != 1 {
				t.Errorf("handle = %+v, %v; due %v", got, err, w.table.due)
			}
			spoil(w, nil)
			if got, err := w.handle(scheduled); err != nil || got != (swept{Due: 1, Closed: 1}) ||
				len(w.gateway.open) != 0 {
				t.Errorf("repeated: %+v, %v; open %v", got, err, w.gateway.open)
			}
		})
	}
}

func TestALostByeStopsNothing(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.join("alice", time.Hour, "a=")
	w.due("a=", connections.Kicked, time.Hour)
	w.gateway.postErr = errors.New("the client does not read")
	if got, err := w.handle(scheduled); err != nil || got != (swept{Due: 1, Closed: 1}) || len(w.gateway.open) != 0 {
		t.Errorf("handle = %+v, %v; open %v", got, err, w.gateway.open)
	}
}

func TestAClientThatDoesNotReadIsClosedWithoutABye(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.join("alice", time.Hour, "slow=")
	w.due("slow=", connections.TooSlow, time.Hour)
	if got, err := w.handle(scheduled); err != nil || got != (swept{Due: 1, Closed: 1}) || len(w.gateway.open) != 0 ||
		len(w.gateway.posted) != 0 {
		t.Errorf("handle = %+v, %v; open %v, posted %v", got, err, w.gateway.open, w.gateway.posted)
	}
}

func TestPanicAboutOneConnectionStopsNothing(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	for _, id := range []string{"a=", "bad=", "c="} {
		w.join("alice", time.Hour, id)
		w.due(id, connections.Kicked, time.Hour)
	}
	w.gateway.before = func(id string) {
		if id == "bad=" {
			panic("pop.secret")
		}
	}
	if got, err := w.handle(scheduled); err != nil || got != (swept{Due: 3, Closed: 2, Failed: 1}) {
		t.Errorf("handle = %+v, %v", got, err)
	}
	if log := w.log.String(); !strings.Contains(log, `"panic":"string"`) || strings.Contains(log, "secret") {
		t.Errorf("log:\n%s", log)
	}
}

func TestSweepThatCannotListIsAFault(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.join("alice", time.Hour, "a=")
	w.due("a=", connections.Kicked, time.Hour)
	w.table.dueErr = errors.New("no route to table")
	if _, err := w.handle(scheduled); !errors.Is(err, w.table.dueErr) || len(w.gateway.open) != 0 {
		t.Errorf("err = %v; the connections found are still closed, open: %v", err, w.gateway.open)
	}
}

func TestRevokeShutsOutThenExpelsThenCloses(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.join("alice", time.Hour, "a=", "b=", "c=")
	w.join("bob", time.Hour, "bob=")
	w.gateway.before = func(id string) { w.table.called("close %s", id) }
	w.h.concurrency = 1
	got, err := w.handle(`{"revoke":{"user":"alice"}}`)
	if want := (revoked{UserID: "alice", Connections: 3}); err != nil || got != want {
		t.Fatalf("handle = %+v, %v; want %+v", got, err, want)
	}
	want := []string{
		"revoke alice", "expel a=", "expel b=", "expel c=",
		"close a=", "swept a=", "close b=", "swept b=", "close c=", "swept c=",
	}
	if diff := cmp.Diff(want, w.table.calls); diff != "" {
		t.Errorf("steps (-want +got):\n%s", diff)
	}
	if len(w.gateway.posted["a="]) != 1 || w.gateway.posted["a="][0] != `{"type":"bye","code":"revoked"}` ||
		!w.gateway.open["bob="] {
		t.Errorf("posted %v, open %v", w.gateway.posted, w.gateway.open)
	}
	if encoded, err := json.Marshal(got); err != nil ||
		string(encoded) != `{"userId":"alice","connections":3,"pending":0}` {
		t.Errorf("answer %s, %v", encoded, err)
	}
}

func TestRevokeWaitsForHandshakes(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		w.join("alice", time.Second, "young=")
		w.join("alice", time.Hour, "old=")
		w.gateway.opens = map[string]time.Time{"young=": time.Now().Add(3 * time.Second)}
		started := time.Now()
		got, err := w.handle(`{"revoke":{"user":"alice"}}`)
		if err != nil || got != (revoked{UserID: "alice", Connections: 2}) || len(w.table.due) != 0 {
			t.Errorf("handle = %+v, %v; due %v", got, err, w.table.due)
		}
		if took := time.Since(started); took < 3*time.Second || took > 4*time.Second ||
			!slices.Contains(w.gateway.closed, "young=") {
			t.Errorf("after %s closed %v", took, w.gateway.closed)
		}
	})
}

// A client that leaves after its bye frame is gone, however young its connection is: it is not in its handshake.
func TestAClientThatLeavesAfterItsByeIsNotWaitedFor(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		w.gateway.before = func(id string) { delete(w.gateway.open, id) }
		w.join("alice", time.Second, "a=")
		started := time.Now()
		got, err := w.handle(`{"revoke":{"user":"alice"}}`)
		if err != nil || got != (revoked{UserID: "alice", Connections: 1}) || time.Since(started) > 0 {
			t.Errorf("handle = %+v, %v after %s", got, err, time.Since(started))
		}
		w.join("bob", time.Second, "b=")
		w.due("b=", connections.Evicted, time.Second)
		if got, err := w.handle(scheduled); err != nil || got != (swept{Due: 1, Closed: 1}) {
			t.Errorf("handle = %+v, %v", got, err)
		}
	})
}

func TestRevokeLeavesHandshakesThatNeverEndToTheSweep(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		w.join("alice", 0, "young=")
		delete(w.gateway.open, "young=")
		ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
		defer cancel()
		got, err := w.h.handle(ctx, []byte(`{"revoke":{"user":"alice"}}`))
		if err != nil || got != (revoked{UserID: "alice", Connections: 1, Pending: 1}) || len(w.table.due) != 1 ||
			ctx.Err() != nil {
			t.Errorf("handle = %+v, %v; due %v", got, err, w.table.due)
		}
	})
}

func TestRevokeNamesItsUser(t *testing.T) {
	t.Parallel()
	until := int64(1795413600)
	tests := []struct {
		name, request string
		want          connections.Revocation
	}{
		{"a user id", `{"user":"alice"}`, connections.Revocation{Subject: "alice"}},
		{"a plain sub", `{"sub":"alice"}`, connections.Revocation{Subject: "alice"}},
		{"a ban", `{"user":"alice","bannedUntil":1795413600}`,
			connections.Revocation{Subject: "alice", BannedUntil: time.Unix(until, 0)}},
		{"the end of a ban", `{"user":"alice","bannedUntil":0}`,
			connections.Revocation{Subject: "alice", BannedUntil: time.Unix(0, 0)}},
		{"one guest", `{"user":"guest-aaecawqfbgcicqola2a2odwaaa"}`,
			connections.Revocation{Subject: "guest-aaecawqfbgcicqola2a2odwaaa"}},
		{"all guests", `{"user":"guest-pool"}`, connections.Revocation{Subject: "guest-pool"}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			if got, err := w.handle(`{"revoke":` + test.request + `}`); err != nil ||
				got != (revoked{UserID: test.want.Subject}) {
				t.Errorf("handle = %+v, %v", got, err)
			}
			if diff := cmp.Diff(test.want, w.table.revocation); diff != "" {
				t.Errorf("revocation (-want +got):\n%s", diff)
			}
		})
	}
	for _, name := range []string{"user", "sub"} {
		w := newWorld(t)
		id, old := userid.Forms("stack", "https://issuer.example", "auth0|1234")
		w.join(id, time.Hour, "new=")
		w.join(old, time.Hour, "old=")
		got, err := w.handle(`{"revoke":{"` + name + `":"auth0|1234"}}`)
		if err != nil || got != (revoked{UserID: id, OldUserID: old, Connections: 2}) {
			t.Errorf("handle = %+v, %v", got, err)
		}
		want := []connections.Revocation{{Subject: id}, {Subject: old}}
		if diff := cmp.Diff(want, w.table.revocations); diff != "" ||
			!slices.Equal(w.table.expelled, []string{"new=", "old="}) {
			t.Errorf("expelled %q, revocations (-want +got):\n%s", w.table.expelled, diff)
		}
	}
	w := newWorld(t)
	if _, err := w.handle(`{"revoke":{"sub":"auth0|1234","iss":"https://other.example"}}`); err != nil ||
		w.table.revocations[0].Subject != userid.From("stack", "https://other.example", "auth0|1234") {
		t.Errorf("revoked %+v, %v; want the user of the issuer that is named", w.table.revocations, err)
	}
}

func TestTheOperatorOfARevocationIsRecorded(t *testing.T) {
	t.Parallel()
	const arn = "arn:aws:sts::111122223333:assumed-role/Operators/carol"
	for action, request := range map[string]string{
		"revoke": `{"revoke":{"user":"alice","by":"` + arn + `","why":"spam"}}`,
		"ban":    `{"revoke":{"user":"alice","bannedUntil":4102444800,"by":"` + arn + `","why":"spam"}}`,
		"unban":  `{"revoke":{"user":"alice","bannedUntil":0,"by":"` + arn + `","why":"spam"}}`,
	} {
		w := newWorld(t)
		w.join("alice", time.Hour, "a=", "b=")
		got, err := w.handle(request)
		if answer, ok := got.(revoked); err != nil || !ok || answer.By != arn || w.table.revocation.By != arn ||
			w.table.revocation.Why != "spam" {
			t.Errorf("%s: handle = %+v, %v; revocation %+v", action, got, err, w.table.revocation)
		}
		user := userid.LogAttr("", "alice").Value.String()
		line := `"message":"audit","action":"` + action + `","by":"` + arn + `","subHash":"` + user +
			`","why":"spam","connections":2`
		if strings.Count(w.log.String(), `"audit"`) != 1 || !strings.Contains(w.log.String(), line) {
			t.Errorf("%s: log:\n%s\nwant one line with %s", action, w.log, line)
		}
	}
}

func TestSigningOutEndsTheConnectionsOfThatSignIn(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.join("alice", time.Hour, "a=", "b=")
	got, err := w.handle(`{"signOut":{"user":"alice","signIn":"AAECAwQFBgcICQoLDA0ODw","until":1795413600,` +
		`"by":"arn:aws:iam::111122223333:role/page"}}`)
	if err != nil || got != (signedOut{Connections: 2, By: "arn:aws:iam::111122223333:role/page"}) {
		t.Errorf("handle = %+v, %v", got, err)
	}
	want := connections.SignOut{
		Subject: "alice", SignIn: "AAECAwQFBgcICQoLDA0ODw", Until: time.Unix(1795413600,
			0), By: "arn:aws:iam::111122223333:role/page",
	}
	if diff := cmp.Diff(want, w.table.signOut); diff != "" {
		t.Errorf("order (-want +got):\n%s", diff)
	}
	for _, id := range []string{"a=", "b="} {
		if !slices.Equal(w.gateway.posted[id], []string{`{"type":"bye","code":"signed_out"}`}) {
			t.Errorf("%s got %q", id, w.gateway.posted[id])
		}
	}
	if !strings.Contains(w.log.String(), `"message":"audit","action":"sign_out"`) {
		t.Errorf("log:\n%s", w.log)
	}
}

func TestASweepRecordsTheConnectionsLeft(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.due("young=", connections.Evicted, time.Second)
	w.due("old=", connections.Evicted, time.Hour)
	if _, err := w.handle(scheduled); err != nil || !w.table.finished ||
		!slices.Equal(w.table.left, []string{"young="}) {
		t.Errorf("err = %v, finished: %t, left %q; want those in their handshake", err, w.table.finished, w.table.left)
	}
	w = newWorld(t)
	w.table.dueErr = errors.New("no route to table")
	if _, err := w.handle(scheduled); err == nil || w.table.finished {
		t.Errorf("err = %v, finished: %t; want nothing finished that was not listed", err, w.table.finished)
	}
}

func TestOtherEventsAreRefused(t *testing.T) {
	t.Parallel()
	for name, event := range map[string]string{
		"nothing":                   `{}`,
		"null":                      `null`,
		"no object":                 `"revoke"`,
		"an API's event":            `{"routeKey":"POST /signurl","version":"2.0"}`,
		"another source":            `{"source":"aws.s3","detail-type":"Scheduled Event"}`,
		"another detail":            `{"source":"aws.events","detail-type":"Object Created"}`,
		"no user":                   `{"revoke":{}}`,
		"two names":                 `{"revoke":{"user":"alice","sub":"alice"}}`,
		"a sub of two lines":        `{"revoke":{"user":"auth0|\nalice"}}`,
		"a long sub":                `{"revoke":{"sub":"` + strings.Repeat("a", 256) + `"}}`,
		"an unknown member":         `{"revoke":{"user":"alice","until":1}}`,
		"another request":           `{"revoke":{"user":"alice"},"dryRun":true}`,
		"a ban by a text":           `{"revoke":{"user":"alice","bannedUntil":"tomorrow"}}`,
		"a sign-out without a user": `{"signOut":{"signIn":"AAECAwQFBgcICQoLDA0ODw","until":1795413600}}`,
		"a sign-out of all guests": `{"signOut":{"user":"guest-pool","signIn":"AAECAwQFBgcICQoLDA0ODw",` +
			`"until":1795413600}}`,
		"a sign-out of nothing":  `{"signOut":{"user":"alice","signIn":"","until":1795413600}}`,
		"a sign-out without end": `{"signOut":{"user":"alice","signIn":"AAECAwQFBgcICQoLDA0ODw"}}`,
		"a user that is two":     `{"revoke":{"user":"alice","user":"bob"}}`,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			if got, err := w.handle(event); err == nil || len(w.table.calls) != 0 {
				t.Errorf("handle = %+v, nil; calls %v", got, w.table.calls)
			}
		})
	}
}

func TestRevokeThatFailsSaysSo(t *testing.T) {
	t.Parallel()
	broken := errors.New("no route")
	for name, spoil := range map[string]func(*world){
		"shutting out": func(w *world) { w.table.revokeErr = broken },
		"expelling":    func(w *world) { w.table.expelErr = broken },
		"closing":      func(w *world) { w.gateway.closeErr = broken },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			w.join("alice", time.Hour, "a=", "b=")
			spoil(w)
			if _, err := w.handle(`{"revoke":{"user":"alice"}}`); !errors.Is(err, broken) ||
				!strings.Contains(w.log.String(), "reaper failed") {
				t.Errorf("err = %v, log:\n%s", err, w.log)
			}
		})
	}
}

func TestEnvironment(t *testing.T) {
	t.Parallel()
	_, err := function.Read[config](nil)
	for _, name := range []string{"TABLE_NAME", "CALLBACK_URL", "STACK_ID"} {
		if err == nil || !strings.Contains(err.Error(), name) {
			t.Errorf("err = %v, want all problems, %s among them", err, name)
		}
	}
}
