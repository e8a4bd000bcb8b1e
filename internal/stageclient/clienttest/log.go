package clienttest

import (
	"fmt"
	"slices"

	"signedsocket/internal/stageclient"
)

// Log is the log of one room, kept by a test that plays the stage. It answers requests as the protocol says.
type Log struct {
	Room     string
	KeepDays int
	PageSize int   // entries in an answer to a want with After; 0: any number
	Read     int64 // the newest number that the user has read; 0: none

	entries []stageclient.Entry
	next    int64
	gone    int64 // the highest number that has expired
}

// NewLog returns an empty log whose first entry gets a number.
func NewLog(room string, first int64) *Log { return &Log{Room: room, KeepDays: 7, next: first} }

// Append adds a message and returns the frame that members get.
func (l *Log) Append(text string) stageclient.Message {
	m := stageclient.Message{
		ID: fmt.Sprint("id-", l.next), Room: l.Room, From: stageclient.User{Sub: "bob", Name: "Bob"}, Text: text,
		SentAt: 1795348980000, Seq: l.next,
	}
	l.Add(m)
	return m
}

// Add adds a message under the next number.
func (l *Log) Add(m stageclient.Message) stageclient.Message {
	m.Seq = l.next
	l.entries = append(l.entries, m.Entry())
	l.next++
	return m
}

// Delete deletes a message in the name of a user, and returns the frame that members get.
func (l *Log) Delete(seq int64, by stageclient.User) stageclient.Deleted {
	for i, entry := range l.entries {
		if entry.Seq == seq {
			l.entries[i] = stageclient.Entry{Seq: seq, ID: entry.ID, Deleted: true}
		}
	}
	deleted := stageclient.Deleted{Room: l.Room, Seq: l.next, Of: seq, From: by, SentAt: 1795348981000}
	l.entries = append(l.entries, deleted.Entry())
	l.next++
	return deleted
}

// Erase deletes all messages of a user. Members get no frame.
func (l *Log) Erase(sub string) {
	for i, entry := range l.entries {
		if entry.Text != "" && entry.From.Sub == sub {
			l.entries[i] = stageclient.Entry{Seq: entry.Seq, ID: entry.ID, Deleted: true}
		}
	}
	erased := stageclient.ErasedUser(l.Room, sub)
	l.entries = append(l.entries, stageclient.Entry{Seq: l.next, Erased: erased, SentAt: 1795348981000})
	l.next++
}

// Entries returns all entries that have not expired.
func (l *Log) Entries() []stageclient.Entry { return slices.Clone(l.entries) }

// Head returns the newest number, or 0.
func (l *Log) Head() int64 {
	if len(l.entries) == 0 {
		return 0
	}
	return l.entries[len(l.entries)-1].Seq
}

// Expire removes the entries up to a number.
func (l *Log) Expire(upTo int64) {
	l.gone = max(l.gone, upTo)
	l.entries = slices.DeleteFunc(l.entries, func(e stageclient.Entry) bool { return e.Seq <= upTo })
}

// BeginAnew lets the next entry have a number that does not follow the last one.
func (l *Log) BeginAnew(first int64) {
	l.gone = max(l.gone, l.next-1)
	l.next = first
}

// Answer returns the frames that answer a request for rooms of the logs.
func Answer(logs []*Log, id string, wants []stageclient.Want) (frames []stageclient.Frame) {
	synced := stageclient.Synced{ClientID: id, Heads: map[string]int64{}, Read: map[string]int64{}}
	for _, want := range wants {
		for _, log := range logs {
			if log.Room != want.Room {
				continue
			}
			answer := log.answer(want)
			answer.ClientID = id
			if want.After != nil && len(answer.Entries) == 0 && answer.Complete && !answer.More && log.KeepDays > 0 {
				synced.Heads[log.Room] = answer.Head
				if log.Read > 0 {
					synced.Read[log.Room] = log.Read
				}
				continue
			}
			frames = append(frames, answer)
		}
	}
	if len(synced.Heads) > 0 {
		frames = append(frames, synced)
	}
	return frames
}

func (l *Log) answer(want stageclient.Want) stageclient.History {
	answer := stageclient.History{
		Room: l.Room, After: want.After, Before: want.Before, Last: want.Last, Head: l.Head(), KeepDays: l.KeepDays,
		Read: l.Read,
	}
	switch {
	case l.KeepDays == 0:
		answer.Head, answer.Complete = 0, want.After != nil
	case want.After != nil:
		newer := l.between(*want.After+1, l.next)
		answer.Complete = *want.After == 0 || *want.After >= l.gone
		answer.Entries, answer.More = newer, l.PageSize > 0 && len(newer) > l.PageSize
		if answer.More {
			answer.Entries = newer[:l.PageSize]
		}
	case want.Before > 0:
		answer.Entries, answer.More = newest(l.between(0, want.Before), max(want.Limit, 1))
	default:
		answer.Entries, answer.More = newest(l.between(0, l.next), want.Last)
	}
	return answer
}

// between returns the entries with numbers from first and below end.
func (l *Log) between(first, end int64) (entries []stageclient.Entry) {
	for _, entry := range l.entries {
		if entry.Seq >= first && entry.Seq < end {
			entries = append(entries, entry)
		}
	}
	return entries
}

// newest returns the last entries, and whether there are more.
func newest(entries []stageclient.Entry, limit int) ([]stageclient.Entry, bool) {
	if len(entries) <= limit {
		return entries, false
	}
	return entries[len(entries)-limit:], true
}

// Replace puts other entries in the place of all, as a faulty stage does.
func (l *Log) Replace(entries []stageclient.Entry) { l.entries = entries }
