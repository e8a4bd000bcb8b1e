package roomlog

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"strings"
	"sync"
	"testing"
	"time"

	"golang.org/x/sync/errgroup"
)

// troubledLog returns a Log of a process in trouble, whose clock is wrong.
func (tb *table) troubledLog(dice *rand.Rand) *Log {
	api := troubled{tb.client, &sync.Mutex{}, rand.New(rand.NewPCG(dice.Uint64(), 3))}
	return tb.logOver(api, 7, time.Duration(dice.IntN(5)-2)*time.Second)
}

// TestDeletionsInTrouble lets authors, from two devices each, and a moderator delete messages, and an operator erase
// alice, while others write and a day begins.
func TestDeletionsInTrouble(t *testing.T) {
	t.Parallel()
	for seed := range uint64(2) {
		t.Run(fmt.Sprint("seed ", seed), func(t *testing.T) {
			t.Parallel()
			tb, dice := newTable(t), rand.New(rand.NewPCG(seed, 17))
			var deleted []int64
			for i := range 24 { // of alice, bob and carol in turn; bob's and half of carol's are deleted
				seq := tb.sendAs(t, tb.log(7, 0), []string{"alice", "bob", "carol"}[i%3], fmt.Sprint("m", i))
				if i%3 == 1 || i%6 == 2 {
					deleted = append(deleted, seq)
				}
			}
			tb.pass(day - time.Second)
			var group errgroup.Group
			for _, seq := range deleted {
				for _, by := range []string{"bob", "bob", "mod"} {
					l := tb.troubledLog(dice)
					group.Go(func() error { return tb.deleteIn(t, l, by, seq) })
				}
			}
			for w := range 4 {
				l := tb.troubledLog(dice)
				group.Go(func() error {
					for i := range 4 {
						e := Entry{ID: fmt.Sprint("w", w, i), Subject: "dave", Text: "text of dave", At: tb.now()}
						if _, _, err := l.Append(t.Context(), l.Look(t.Context(), lobby, NotKnown), e); err != nil {
							return err
						}
						tb.pass(time.Second)
					}
					return nil
				})
			}
			eraser := tb.log(7, 0)
			group.Go(func() error {
				tb.erase(t, eraser, RemoveTexts, RemoveNames)
				return nil
			})
			if err := group.Wait(); err != nil {
				t.Fatal(err)
			}
			tb.checkDeleted(t, deleted)
		})
	}
}

// deleteIn deletes a message of bob, or any as mod.
func (tb *table) deleteIn(t *testing.T, l *Log, by string, seq int64) error {
	stored, err := l.Delete(t.Context(), lobby, tb.note(by, seq), by == "mod")
	if by == "bob" && errors.Is(err, ErrNotYours) { // of carol
		return nil
	}
	if err == nil && (stored.Of != seq || stored.Subject != by) {
		err = fmt.Errorf("the note is %+v", stored)
	}
	if err != nil {
		return fmt.Errorf("delete of %d by %s: %w", seq, by, err)
	}
	return nil
}

// checkDeleted checks all entries: no number is missing, deleted ones are tombstones of their users with the notes that
// belong to them, alice is nowhere, and nothing else has changed.
func (tb *table) checkDeleted(t *testing.T, deleted []int64) {
	t.Helper()
	isDeleted, notes, ids := map[int64]bool{}, map[int64]string{}, map[string]bool{}
	for _, seq := range deleted {
		isDeleted[seq] = true
	}
	messages, next := 0, int64(0)
	users := map[string]string{}
	for _, b := range tb.blocks(t) {
		for _, e := range b.entries {
			if next > 0 && e.Seq != next || ids[e.ID] {
				t.Errorf("%s has the number %d, want %d, or is there twice", e.ID, e.Seq, next)
			}
			next, ids[e.ID] = e.Seq+1, true
			switch {
			case e.Of != 0:
				notes[e.Of] += e.Subject
				continue
			case isDeleted[e.Seq], e.Subject == "" && e.ID[0] == 'm':
				if !e.Deleted || e.Text+e.Name != "" {
					t.Errorf("%d is %+v, want a tombstone", e.Seq, e)
				}
			case e.Text != "text of "+e.Subject:
				t.Errorf("%d is %+v, want its message", e.Seq, e)
			}
			messages++
			users[e.ID] = e.Subject
		}
	}
	if messages != 24+16 {
		t.Errorf("%d messages, want all 40", messages)
	}
	for i := range 24 {
		if got, want := users[fmt.Sprint("m", i)], []string{"", "bob", "carol"}[i%3]; got != want {
			t.Errorf("message %d is of %q, want %q", i, got, want)
		}
	}
	for seq := range isDeleted {
		if got := notes[seq]; !strings.Contains(got, "mod") || strings.Count(got, "mod") > 1 ||
			strings.Count(got, "bob") > 1 {
			t.Errorf("%d has the notes of %q", seq, got)
		}
	}
	if strings.Contains(tb.dump(t), "alice") {
		t.Error("alice is still in the table")
	}
}
