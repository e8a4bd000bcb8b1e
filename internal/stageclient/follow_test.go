package stageclient_test

import (
	"context"
	"errors"
	"io"
	"testing"
	"testing/synctest"
	"time"

	"signedsocket/internal/stageclient"
	"signedsocket/internal/stageclient/clienttest"
)

// scriptedConn gives frames, takes requests, and fails after the last frame.
type scriptedConn struct {
	frames []stageclient.Frame
	asked  []stageclient.Want
	pings  int
}

func (c *scriptedConn) Next(context.Context) (stageclient.Frame, error) {
	if len(c.frames) == 0 {
		return nil, io.EOF
	}
	frame := c.frames[0]
	c.frames = c.frames[1:]
	if frame == nil {
		return nil, stageclient.ErrMalformedFrame
	}
	return frame, nil
}

func (c *scriptedConn) Ask(_ context.Context, q stageclient.Question) error {
	c.asked = append(c.asked, q.Wants...)
	log := lobby("a")
	c.frames = append(c.frames, clienttest.Answer([]*clienttest.Log{log}, q.ID, q.Wants)...)
	return nil
}

func (c *scriptedConn) Ping(context.Context) error { c.pings++; return nil }

func TestFollowReadsAConnectionUntilItEnds(t *testing.T) {
	t.Parallel()
	conn := &scriptedConn{frames: []stageclient.Frame{nil, stageclient.Pong{}}}
	follower := stageclient.NewFollower([]string{"lobby"}, 1, 0)
	follower.Connected(time.Now(), true)
	var frames int
	var events []stageclient.Event
	err := follower.Follow(t.Context(), conn, func(_ time.Time, _ stageclient.Frame, told []stageclient.Event) {
		frames++
		events = append(events, told...)
	})
	if !errors.Is(err, io.EOF) || frames != 2 || len(events) != 3 || len(conn.asked) != 1 {
		t.Errorf("%v after %d frames, events %+v, asked for %+v", err, frames, events, conn.asked)
	}
}

func TestFollowRepeatsARequestOnASilentConnection(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		conn := &silentConn{asked: make(chan string, 2), pinged: make(chan struct{}, 1)}
		follower := stageclient.NewFollower([]string{"lobby"}, 1, 0)
		follower.Connected(time.Now(), true)
		ctx, cancel := context.WithCancel(t.Context())
		ended := make(chan error)
		go func() { ended <- follower.Follow(ctx, conn, nil) }()
		first, began := <-conn.asked, time.Now()
		<-conn.pinged
		if second := <-conn.asked; second == first || time.Since(began) != 10*time.Second {
			t.Errorf("%s, then %s after %v", first, second, time.Since(began))
		}
		cancel()
		if err := <-ended; !errors.Is(err, context.Canceled) {
			t.Error(err)
		}
	})
}

func TestARequestOfAnotherGoroutineIsRepeated(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		conn := &silentConn{asked: make(chan string, 9), pinged: make(chan struct{}, 9)}
		follower := stageclient.NewFollower([]string{"lobby"}, 1, 0)
		follower.Connected(time.Now(), true)
		request := follower.Ask(time.Now())
		log := lobby("a")
		for _, frame := range clienttest.Answer([]*clienttest.Log{log}, request.ID, request.Wants) {
			follower.Receive(time.Now(), frame)
		}
		ctx, cancel := context.WithCancel(t.Context())
		ended := make(chan error)
		go func() { ended <- follower.Follow(ctx, conn, nil) }()
		synctest.Wait()
		if err := follower.SyncNow(ctx, conn); err != nil {
			t.Error(err)
		}
		first, began := <-conn.asked, time.Now()
		if second := <-conn.asked; second == first || time.Since(began) > 2*10*time.Second {
			t.Errorf("%s, then %s after %v", first, second, time.Since(began))
		}
		cancel()
		<-ended
	})
}

// silentConn answers nothing.
type silentConn struct {
	asked  chan string
	pinged chan struct{}
}

func (c *silentConn) Next(ctx context.Context) (stageclient.Frame, error) {
	<-ctx.Done()
	return nil, ctx.Err()
}

func (c *silentConn) Ask(_ context.Context, q stageclient.Question) error {
	c.asked <- q.ID
	return nil
}

func (c *silentConn) Ping(context.Context) error { c.pinged <- struct{}{}; return nil }
