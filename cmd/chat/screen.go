package main

import (
	"fmt"
	"io"
	"strings"
	"time"
	"unicode"

	"signedsocket/internal/stageclient"
)

// screen shows messages on one writer, and notes about the connection on another.
type screen struct {
	messages, notes io.Writer
	local           *time.Location
	prompting       bool // a prompt stands in the last line
}

const (
	prompt    = "> "
	eraseLine = "\r\x1b[K"
)

// print prints whole lines, above the prompt if there is one.
func (s *screen) print(w io.Writer, lines string) {
	if !s.prompting {
		fmt.Fprint(w, lines)
		return
	}
	fmt.Fprint(s.notes, eraseLine)
	fmt.Fprint(w, lines)
	fmt.Fprint(s.notes, prompt)
}

// ask shows the prompt again, after the user has typed a line.
func (s *screen) ask() {
	if s.prompting {
		fmt.Fprint(s.notes, prompt)
	}
}

// leave removes the prompt.
func (s *screen) leave() {
	if s.prompting {
		fmt.Fprint(s.notes, eraseLine)
	}
	s.prompting = false
}

// head is what stands before the text of a message: "Alice 12:03  ", with the room when there are several.
func (s *screen) head(m stageclient.Message, own, severalRooms bool) string {
	var head strings.Builder
	if severalRooms {
		fmt.Fprintf(&head, "[%s] ", printable(m.Room))
	}
	head.WriteString(printable(m.From.Name))
	if own {
		head.WriteString(" (you)")
	}
	fmt.Fprintf(&head, " %s  ", m.Time().In(s.local).Format("15:04"))
	return head.String()
}

// message shows "Alice 12:03  hello", with the room when there are several.
func (s *screen) message(m stageclient.Message, own, severalRooms bool) {
	lines := strings.Split(m.Text, "\n")
	for i, line := range lines {
		lines[i] = printable(line)
	}
	s.print(s.messages, s.head(m, own, severalRooms)+strings.Join(lines, "\n    ")+"\n")
}

// note shows one line about the connection.
func (s *screen) note(text string) { s.print(s.notes, fmt.Sprintf("* %s\n", printable(text))) }

// line shows a line between messages, which is none itself.
func (s *screen) line(text string) { s.print(s.notes, fmt.Sprintf("— %s —\n", printable(text))) }

// clock shows a time of day.
func (s *screen) clock(t time.Time) string { return t.In(s.local).Format("15:04") }

// printable makes a text from another user harmless for the terminal. It replaces each control character (escape
// sequences begin with one) and each character that changes the direction of text.
func printable(text string) string {
	return strings.Map(func(r rune) rune {
		turns := r >= '\u202A' && r <= '\u202E' || r >= '\u2066' && r <= '\u2069'
		if unicode.IsControl(r) || turns {
			return unicode.ReplacementChar
		}
		return r
	}, text)
}
