// Package broadcast posts one frame to many connections. Each recipient has a result of its own. A post that failed is
// repeated for a short time, and delays no other recipient. Gone connections are removed from the table.
package broadcast

import (
	"context"
	"iter"
	"log/slog"
	"time"

	"signedsocket/shared/callback"
	"signedsocket/shared/connections"
)

const (
	// patience is for how long a failed post to a recipient is repeated; handshakePatience applies to a recipient that
	// may be in its handshake, which takes a browser a fraction of that. Both count from the start of the first post.
	patience          = 1500 * time.Millisecond
	handshakePatience = 3 * time.Second
	// lastAttempt is how much longer the last post may take. A successful post takes milliseconds.
	lastAttempt = 500 * time.Millisecond
	// slowAttempts is how many posts in a row must be throttled before a recipient counts as one that does not read.
	// Throttling of a part of all calls rarely hits so many in a row.
	slowAttempts = 5
	// fewRecipients is a number of recipients. If none of so many in a part of a large room's broadcast takes the
	// frame, API Gateway is at its limit. Fewer may all be slow.
	fewRecipients = 20
)

// GCPercent is the value of debug.SetGCPercent for a function that broadcasts. Its heap has a few megabytes, and a
// broadcast leaves much garbage: fewer collections save a tenth of its CPU time.
const GCPercent = 400

// Poster posts frames; callback.Client does.
type Poster interface {
	Try(ctx context.Context, connectionID string, frame callback.Frame) error
	TryAgain(ctx context.Context, connectionID string, frame callback.Frame, previous error) error
}

// Table removes connections, and marks slow members; connections.Store does.
type Table interface {
	MarkSlow(ctx context.Context, room string, m connections.Member, began, now time.Time) (again bool, err error)
	ClearSlow(ctx context.Context, room string, m connections.Member) error
	Remove(ctx context.Context, connectionID string, connectedAt time.Time) (bool, error)
	ExpelSlow(ctx context.Context, connectionID string, connectedAt, now time.Time) (userID string, err error)
}

// Broadcaster posts frames to the members of rooms. It is safe for concurrent use.
type Broadcaster struct {
	Log         *slog.Logger
	Callback    Poster
	Connections Table
	Now         func() time.Time
	Concurrency int    // posts under way at the same time, at least 1
	Salt        string // of user ids in the log
}

// New returns a Broadcaster with up to concurrency posts under way at the same time.
func New(log *slog.Logger, client Poster, table Table, salt string, concurrency int) *Broadcaster {
	return &Broadcaster{
		Log: log, Callback: client, Connections: table, Now: time.Now, Concurrency: concurrency, Salt: salt,
	}
}

// Concurrency returns how many posts should be under way at the same time in a function of that memory. Lambda gives
// CPU in proportion to memory, so a smaller function gains nothing from more: 64 at 256 MB.
func Concurrency(memoryMB int) int { return min(max(memoryMB/4, 16), 256) }

// Result is the result of one frame. Each recipient is counted once: Recipients is the sum of Delivered, Gone, Young,
// Throttled and Failed.
type Result struct {
	Recipients int
	Delivered  int // took the frame
	Gone       int // have ended
	Young      int // were not connected yet: their handshake was not answered in time
	Throttled  int // do not read, or API Gateway's limits stopped their frame
	Failed     int // could not be reached for another reason
	Retried    int // posts beyond the first to a recipient
	Pages      int // in which the recipients came

	// Failure is one of the errors behind Throttled and Failed, nil when there are none.
	Failure error

	origin   Origin
	began    time.Time
	others   int     // that took the frame: Delivered without the sender
	echoed   bool    // to the sender
	strained int     // took the frame after they had been throttled
	took     []taker // the first that took the frame, as many as one user's connections could outnumber

	gone      []connections.Member
	slow      []connections.Member // throttled in every attempt, until the time was over
	recovered []connections.Member // took the frame, and are marked as slow
}

// NoteSender adds the room's record of the sender, whose post began before the room was read.
func (r *Result) NoteSender(m connections.Member) {
	if r.echoed && !m.Slow.IsZero() {
		r.recovered = append(r.recovered, m)
	}
}

// Complete reports whether the broadcast needs no repetition: all other recipients than those that do not read took the
// frame or are gone.
func (r Result) Complete() bool { return r.Missed() == 0 }

// Missed returns how many recipients a repetition may reach. It would not reach those that do not read.
func (r Result) Missed() int {
	if r.overloaded() {
		return r.Throttled + r.Failed
	}
	return r.Failed // mutate:slow-complete => return r.Throttled + r.Failed
}

// maxTakers is more than twice the most connections of one user, 100, so these cannot be half of so many recipients.
const maxTakers = 256

// taker is a recipient that took the frame.
type taker struct {
	user     string // or the connection, where the user is not known
	strained bool
}

// overloaded reports whether API Gateway throttled the account, and not single recipients that do not read: no
// recipient took the frame, or more than half of those that did were throttled first. In small rooms users are counted
// and not their connections: one user with several connections that read late looks like an overloaded account.
func (r Result) overloaded() bool {
	switch {
	case r.Delivered == 0:
		return r.origin.Sender != "" || r.Recipients >= fewRecipients
	case r.strained == 0:
		return false
	case r.Delivered > maxTakers:
		return 2*r.strained > r.Delivered
	}
	prompt := make(map[string]bool, len(r.took)) // whether a connection of the user took the frame at once
	for _, t := range r.took {
		prompt[t.user] = prompt[t.user] || !t.strained
	}
	strained := 0
	for _, atOnce := range prompt {
		if !atOnce {
			strained++
		}
	}
	return 2*strained > len(prompt)
}

// Deliver posts a frame to all members in the pages, and returns when each of them has a result. The posts begin with
// the first page. A member that is named twice gets the frame twice. The posts end with ctx: recipients without the
// frame then count as failed. The error is that of the pages; then only some recipients have the frame.
func (b *Broadcaster) Deliver(
	ctx context.Context, origin Origin, frame []byte, pages iter.Seq2[[]connections.Member, error],
) (Result, error) {
	d := &delivery{Broadcaster: b, ctx: ctx, frame: callback.NewFrame(frame),
		result: Result{origin: origin, began: b.Now()}}
	var err error
	for page, failure := range pages {
		if err = failure; err != nil {
			break
		}
		d.add(page)
	}
	d.open.Wait()
	return d.result, err
}
