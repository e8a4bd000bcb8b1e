package main

import (
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"signedsocket/shared/connections"
	"signedsocket/shared/userid"
)

// A socket that the user closed a moment before the sign-out looks like one whose handshake is under way. The sign-out,
// for which a person and a trusted caller wait, does not wait for it.
func TestSignOutDoesNotWaitForASocketThatIsGone(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		w.join("alice", time.Second, "young=")
		delete(w.gateway.open, "young=")
		began := time.Now()
		const order = `{"signOut":{"user":"alice","signIn":"AAAAAAAAAAAAAAAAAAAAAA","until":99999999999}}`
		if _, err := w.handle(order); err != nil {
			t.Fatal(err)
		}
		if took := time.Since(began); took > 5*time.Second {
			t.Errorf("the sign-out took %s", took)
		}
	})
}

// A sub claim that looks like the id of another user was an id in the version before. To revoke its user does not shut
// out the other one, whose id it is today.
func TestRevokeShutsOutNoOtherUserUnderTheOldID(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	victim := userid.From("stack", "https://issuer.example", "victim@example.com")
	if _, err := w.handle(`{"revoke":{"sub":"` + victim + `","bannedUntil":99999999999}}`); err != nil {
		t.Fatal(err)
	}
	if slices.ContainsFunc(w.table.revocations, func(r connections.Revocation) bool { return r.Subject == victim }) {
		t.Errorf("%s is shut out, too: %+v", victim, w.table.revocations)
	}
}
