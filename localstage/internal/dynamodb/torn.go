package dynamodb

import (
	"bytes"
	"slices"
	"time"

	"go.etcd.io/bbolt"

	"signedsocket/localstage/internal/dice"
)

// A torn Query waits for writes, tornStep at a time, for tornSteps steps at most.
const (
	tornStep  = 5 * time.Millisecond
	tornSteps = 20
)

// tearing tears pages of Query. DynamoDB reads the items of a Query one after the other while others write. So an
// answer may lack an item that was put behind the reader's position, or have its old version, and have a newer item
// that was put in front of that position. A strongly consistent Query is no exception: it promises what was written
// before it began. The engine reads a page at one moment, so this never happens here by itself.
//
// A torn Query reads twice, with a pause. Its answer has the items in front of a certain one from the first reading,
// and the others from the second. So it lacks only what was written while it was under way. The service never gives an
// answer that lacks an older write, and a program that relies on that would fail for no reason.
// Source: DynamoDB developer guide, "Transactions: how it works", isolation levels: Query is read-committed.
type tearing struct {
	share float64
	dice  *dice.Dice
	pause func()
}

// newTearing returns nil for a share of 0.
func newTearing(f Faults) *tearing {
	if f.TornQueries == 0 {
		return nil
	}
	return &tearing{
		share: f.TornQueries, dice: dice.New(f.Seed, dice.TornQueries), pause: func() { time.Sleep(tornStep) },
	}
}

func (t *tearing) occurs() bool { return t != nil && t.dice.Occurs(t.share) }

// version is an item as one reading found it.
type version struct {
	key    []byte
	stored storedItem
}

// readTorn reads a page as a Query during which others write, and returns the answer. It ends early when two items have
// changed: one that the answer may miss, and one that it has.
func (e *Engine) readTorn(p *page) ([]byte, error) {
	first, err := e.versions(p)
	if err != nil {
		return nil, err
	}
	second, changed := first, []int(nil)
	for range tornSteps {
		e.torn.pause()
		if second, err = e.versions(p); err != nil {
			return nil, err
		}
		if changed = differences(first, second); len(changed) > 1 {
			break
		}
	}
	if len(changed) > 1 {
		// Never the first one: the reader is behind that one when it changes.
		second = p.torn(first, second, changed[1+e.torn.dice.Below(len(changed)-1)])
	}
	r := p.newResult()
	for _, v := range second {
		ended, err := p.take(v.stored, r)
		if err != nil {
			return nil, err
		}
		if ended {
			break
		}
	}
	return p.answer(r)
}

// versions returns the items of the page's range, in the order of reading, as they are now. It stops at a size that no
// page reaches.
func (e *Engine) versions(p *page) ([]version, error) {
	var found []version
	err := e.db.View(func(tx *bbolt.Tx) error {
		items, err := p.table.items(tx)
		if err != nil {
			return err
		}
		cursor, size := items.Cursor(), 0
		for key, stored := p.first(cursor); key != nil && p.keys.contains(key) && size < 2*maxPage; {
			size += len(stored)
			found = append(found, version{bytes.Clone(key), bytes.Clone(stored)})
			key, stored = p.next(cursor)
		}
		return nil
	})
	return found, err
}

// differences returns the places of the items in second that first does not have, or has otherwise.
func differences(first, second []version) (places []int) {
	before := make(map[string]storedItem, len(first))
	for _, v := range first {
		before[string(v.key)] = v.stored
	}
	for i, v := range second {
		if old, ok := before[string(v.key)]; !ok || !bytes.Equal(old, v.stored) {
			places = append(places, i)
		}
	}
	return places
}

// torn returns the items of first in front of the one at a place in second, and those of second from there on.
func (p *page) torn(first, second []version, place int) []version {
	split := second[place].key
	front := slices.IndexFunc(first, func(v version) bool {
		order := bytes.Compare(v.key, split)
		return order >= 0 && !p.reverse || order <= 0 && p.reverse
	})
	if front < 0 {
		front = len(first)
	}
	return append(slices.Clip(first[:front]), second[place:]...)
}
