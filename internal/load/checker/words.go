package checker

import (
	"cmp"
	"fmt"
	"strconv"
	"strings"
	"time"

	"signedsocket/internal/stageclient"
)

func (c *check) find(fault Fault, promise, format string, values ...any) {
	c.found = append(c.found, Finding{fault, promise, capital(fmt.Sprintf(format, values...))})
}

// Verdict is one line about the messages that the clients sent.
func Verdict(r *Recording, found []Finding) string {
	counts := map[Fault]int{}
	for _, f := range found {
		counts[f.Fault]++
	}
	deleted := 0
	for _, d := range r.Deletions {
		deleted += int(min(d.Note, 1))
	}
	messages := fmt.Sprint(len(r.Sends), " messages")
	if deleted > 0 {
		messages += fmt.Sprintf(" and %d deletions", deleted)
	}
	text := fmt.Sprintf("%s: %d lost, %d doubled, %d out of order, %d unexplained gaps", messages,
		counts[Lost], counts[Doubled], counts[OutOfOrder], counts[Gap])
	for _, fault := range []Fault{Hole, Invented, Changed, Undeleted} {
		if counts[fault] > 0 {
			text += fmt.Sprintf(", %d %s", counts[fault], fault)
		}
	}
	return text
}

func clock(t time.Time) string { return t.UTC().Format("15:04:05.000") }

func name(client int) string { return strconv.Itoa(client + 1) }

func digits(n int64) string { return strconv.FormatInt(n, 10) }

func capital(text string) string { return strings.ToUpper(text[:1]) + text[1:] }

// short shows the beginning of a text.
func short(text string) string {
	const most = 40
	if runes := []rune(text); len(runes) > most {
		text = string(runes[:most]) + "…"
	}
	return strconv.Quote(text)
}

// describe names an entry: number 7, "hi" of alice.
func describe(e stageclient.Entry) string {
	switch {
	case e.Deleted:
		return fmt.Sprintf("number %d, a deleted message", e.Seq)
	case e.Of > 0:
		return fmt.Sprintf("number %d, the note that %s deleted number %d", e.Seq, cmp.Or(e.From.Sub, "an erased user"),
			e.Of)
	case e.Text == "":
		return fmt.Sprintf("number %d, which is no message", e.Seq)
	}
	return fmt.Sprintf("number %d, %s of %s", e.Seq, short(e.Text), e.From.Sub)
}

// inLog says that the log has an entry.
func (c *check) inLog(l *log, e stageclient.Entry) string {
	return fmt.Sprintf("the log of %s, read at %s, has %s", l.room, clock(l.At), describe(e))
}

// entryAt describes what the log has under a number.
func (c *check) entryAt(l *log, seq int64) string {
	return fmt.Sprintf("%s, which the log of %s had at %s", describe(l.byPlace[seq]), l.room, clock(l.At))
}

// sent says when a message was sent and acknowledged.
func (c *check) sent(s *Send) string {
	return fmt.Sprintf("client %s sent %s to %s at %s and was told at %s that it is number %d", name(s.Client),
		short(s.Text), s.Room, clock(s.Begin), clock(s.End), s.Seq)
}

// deleted says when a message was deleted.
func (c *check) deleted(d *Deletion) string {
	return fmt.Sprintf("client %s asked at %s to delete number %d of %s, and was told at %s that number %d notes it",
		name(d.Client), clock(d.Begin), d.Seq, d.Room, clock(d.End), d.Note)
}

// showed says when a client showed an item.
func showed(item *Shown) string {
	if item.Kind == AStart {
		return fmt.Sprintf("began behind number %d at %s", item.Number, clock(item.At))
	}
	return fmt.Sprintf("showed %s at %s", describe(*item.Entry), clock(item.At))
}
