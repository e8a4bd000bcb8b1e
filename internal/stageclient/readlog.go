package stageclient

import (
	"context"
	"errors"
	"fmt"
	"time"
)

// LogReader reads whole logs. It takes every frame of its connection, so nothing else may read from it.
type LogReader struct {
	conn     FollowedConn
	requests int
	budget   budget
}

// NewLogReader returns a reader on a connection.
func NewLogReader(conn FollowedConn) *LogReader { return &LogReader{conn: conn} }

// Read reads the log of a room behind a number, to its end; 0 stands for the beginning. It returns the entries and for
// how many days the stage keeps them; 0 days say that it keeps no log.
func (r *LogReader) Read(ctx context.Context, room string, after int64) (log []Entry, keepDays int, err error) {
	for {
		page, wait, err := r.page(ctx, WantAfter(room, after))
		switch {
		case err != nil:
			return nil, 0, fmt.Errorf("read the log of %s: %w", room, err)
		case page == nil:
			if err := pause(ctx, wait); err != nil {
				return nil, 0, fmt.Errorf("read the log of %s: %w", room, err)
			}
			continue
		}
		log, keepDays = append(log, page.Entries...), max(keepDays, page.KeepDays)
		if !page.More || len(page.Entries) == 0 {
			return log, keepDays, nil
		}
		after = page.Entries[len(page.Entries)-1].Seq
	}
}

// page asks for a page and waits for it. Without a page it returns how long to wait before the next request.
func (r *LogReader) page(ctx context.Context, want Want) (*History, time.Duration, error) {
	if err := pause(ctx, time.Until(r.budget.next(time.Now()))); err != nil {
		return nil, 0, err
	}
	r.budget.spend(time.Now())
	r.requests++
	id := fmt.Sprint("log", r.requests)
	if err := r.conn.Ask(ctx, Question{ID: id, Wants: []Want{want}}); err != nil {
		return nil, 0, err
	}
	ctx, stop := context.WithTimeoutCause(ctx, answerTimeout, errNoAnswer)
	defer stop()
	for {
		frame, err := r.conn.Next(ctx)
		if err != nil && context.Cause(ctx) == errNoAnswer {
			return nil, 0, nil
		}
		if errors.Is(err, ErrMalformedFrame) {
			continue
		}
		if err != nil {
			return nil, 0, err
		}
		switch f := frame.(type) {
		case History:
			if f.ClientID == id {
				return &f, 0, nil
			}
		case Synced:
			if f.ClientID == id {
				return &History{KeepDays: 1}, 0, nil // the days are not said
			}
		case GatewayError:
			return nil, overtaking, nil
		case Error:
			if f.Code != "rate_limited" && f.Code != "busy" {
				return nil, 0, f
			}
			return nil, max(overtaking, time.Duration(f.RetryAfterMs)*time.Millisecond), nil
		}
	}
}

var errNoAnswer = errors.New("no answer in time")

func pause(ctx context.Context, wait time.Duration) error {
	timer := time.NewTimer(wait)
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-timer.C:
		return nil
	}
}
