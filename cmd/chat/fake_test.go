package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"signedsocket/internal/stageclient"
)

// fakeSocket is a connection whose other end is the test.
type fakeSocket struct {
	sent   chan stageclient.Outgoing
	asked  chan stageclient.Question
	erased chan int64
	pings  chan time.Time
	frames chan stageclient.Frame
	closed chan struct{}
	once   sync.Once
}

func newFakeSocket() *fakeSocket {
	return &fakeSocket{sent: make(chan stageclient.Outgoing, 100),
		asked: make(chan stageclient.Question, 100), erased: make(chan int64, 100), pings: make(chan time.Time, 100),
		frames: make(chan stageclient.Frame, 100), closed: make(chan struct{})}
}

func (s *fakeSocket) Send(_ context.Context, m stageclient.Outgoing) error {
	select {
	case <-s.closed:
		return errors.New("closed")
	default:
		s.sent <- m
		return nil
	}
}

func (s *fakeSocket) Ask(_ context.Context, q stageclient.Question) error {
	select {
	case <-s.closed:
		return errors.New("closed")
	default:
		s.asked <- q
		return nil
	}
}

func (s *fakeSocket) SendDelete(_ context.Context, room string, seq int64, id string) error {
	select {
	case <-s.closed:
		return errors.New("closed")
	default:
		if room != "lobby" || id != fmt.Sprint("delete-", seq) {
			return fmt.Errorf("delete %d of %s under the id %s", seq, room, id)
		}
		s.erased <- seq
		return nil
	}
}

func (s *fakeSocket) Ping(context.Context) error { s.pings <- time.Now(); return nil }

func (s *fakeSocket) Next(ctx context.Context) (stageclient.Frame, error) {
	select {
	case f := <-s.frames:
		return f, nil
	case <-s.closed:
		return nil, &stageclient.ClosedError{Code: 1001, Reason: "Going away"}
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

func (s *fakeSocket) Close() error { s.once.Do(func() { close(s.closed) }); return nil }

func (s *fakeSocket) isClosed() bool {
	select {
	case <-s.closed:
		return true
	default:
		return false
	}
}

// fakeStage answers attempts to connect by a script of errors, nil for success. After the script every attempt
// succeeds.
type fakeStage struct {
	*link    // judges and explains like the real one
	script   []error
	mu       sync.Mutex
	attempts []time.Time
	hold     time.Duration   // the time of each attempt after the first
	lasts    []time.Duration // of the sessions in their order, then 2 h
	sockets  chan *fakeSocket
	session  session
	last     int // of --last
}

func (s *fakeStage) connect(context.Context) (*session, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.attempts) > 0 {
		<-time.After(s.hold)
	}
	s.attempts = append(s.attempts, time.Now())
	if n := len(s.attempts); n <= len(s.script) && s.script[n-1] != nil {
		return nil, s.script[n-1]
	}
	socket := newFakeSocket()
	s.sockets <- socket
	opened := s.session
	opened.socket = socket
	if len(s.lasts) > 0 {
		opened.lasts, s.lasts = s.lasts[0], s.lasts[1:]
	}
	return &opened, nil
}

// waits are the times between attempts.
func (s *fakeStage) waits() []time.Duration {
	s.mu.Lock()
	defer s.mu.Unlock()
	var all []time.Duration
	for i := 1; i < len(s.attempts); i++ {
		all = append(all, s.attempts[i].Sub(s.attempts[i-1]))
	}
	return all
}

// transcript is the output, for one writer and one reader at a time.
type transcript struct {
	mu   sync.Mutex
	text strings.Builder
}

func (t *transcript) Write(p []byte) (int, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.text.Write(p)
}

func (t *transcript) String() string {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.text.String()
}

// conversation is a chat in a bubble of fake time, with all of its channels.
type conversation struct {
	t      *testing.T
	stage  *fakeStage
	lines  chan string
	out    transcript
	notes  transcript
	ended  chan error
	cancel context.CancelFunc
	person bool // reads at a terminal
}

// talk runs test beside a chat whose attempts to connect follow a script. The test must end the chat.
func talk(t *testing.T, script []error, test func(c *conversation)) {
	t.Helper()
	talkTo(t, func(*conversation) {}, script, test)
}

// talkTo is talk with a stage that setUp changes before the chat begins.
func talkTo(t *testing.T, setUp func(*conversation), script []error, test func(c *conversation)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		defer cancel()
		c := &conversation{t: t, lines: make(chan string), ended: make(chan error, 1), cancel: cancel}
		outputs := stageclient.Outputs{WebSocketURL: "ws://127.0.0.1:3002/prod"}
		c.stage = &fakeStage{
			link:   &link{client: &stageclient.Client{Outputs: outputs}, user: "alice"},
			script: script, sockets: make(chan *fakeSocket, 100),
			session: session{user: stageclient.User{Sub: "alice", Name: "Alice"}, rooms: []string{"lobby"},
				lasts: 2 * time.Hour},
		}
		setUp(c)
		chat := newChat(c.stage, &screen{messages: &c.out, notes: &c.notes, local: time.UTC}, c.lines, c.stage.last)
		chat.reading.person = c.person
		go func() { c.ended <- chat.run(ctx) }()
		test(c)
	})
}

// pass lets time pass, also for the chat.
func (c *conversation) pass(d time.Duration) { <-time.After(d); synctest.Wait() }

// end returns the result of the chat, which has to end within d.
func (c *conversation) end(d time.Duration) error {
	c.t.Helper()
	select {
	case err := <-c.ended:
		return err
	case <-time.After(d):
		c.t.Fatalf("the chat goes on; notes:\n%s", &c.notes)
		return nil
	}
}

// hangUp ends the chat from outside.
func (c *conversation) hangUp() error {
	c.t.Helper()
	c.cancel()
	return c.end(time.Minute)
}

func (c *conversation) exitCode(err error) int {
	c.t.Helper()
	var stop *stopError
	if !errors.As(err, &stop) {
		c.t.Fatalf("ended with %v", err)
	}
	return stop.code
}

func ack(m stageclient.Outgoing) stageclient.Ack {
	return stageclient.Ack{ID: "M", ClientID: m.ID, Recipients: 1, Delivered: 1}
}

func message(id, sub, name, text string) stageclient.Message {
	at := time.Date(2026, 11, 22, 12, 3, 0, 0, time.UTC)
	return stageclient.Message{ID: id, Room: "lobby", From: stageclient.User{Sub: sub, Name: name}, Text: text,
		SentAt: at.UnixMilli()}
}

func TestInputSkipsEmptyLines(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		once  []string
		stdin string
		want  []string
	}{
		"lines":       {nil, "one\r\n\n  \ntwo\nthree", []string{"one", "two", "three"}},
		"once":        {[]string{"a", "b"}, "c\n", []string{"a", "b"}},
		"not UTF-8":   {nil, "a\xffb\n", []string{"a\uFFFDb"}},
		"empty input": {nil, "", nil},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got := slices.Collect(func(yield func(string) bool) {
				for line := range input(t.Context(), test.once, strings.NewReader(test.stdin)) {
					if !yield(line) {
						return
					}
				}
			})
			if !slices.Equal(got, test.want) {
				t.Errorf("%q, want %q", got, test.want)
			}
		})
	}
}

func TestMessagesCannotDriveTheTerminal(t *testing.T) {
	t.Parallel()
	var out strings.Builder
	s := &screen{messages: &out, notes: io.Discard, local: time.UTC}
	s.message(message("1", "eve", "E\x1b[2Jve", "a\x1b]0;x\x07b\u202Ec\nnext"), false, false)
	s.message(message("2", "alice", "アリス", "やあ"), true, true)
	want := "E\uFFFD[2Jve 12:03  a\uFFFD]0;x\uFFFDb\uFFFDc\n    next\n[lobby] アリス (you) 12:03  やあ\n"
	if out.String() != want {
		t.Errorf("%q, want %q", out.String(), want)
	}
}
