package stageclient_test

import (
	"context"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"signedsocket/internal/stageclient"
	"signedsocket/internal/stageclient/clienttest"
)

// troubled answers requests for a log, each after the troubles of a script.
type troubled struct {
	log    *clienttest.Log
	script []func(id string) []stageclient.Frame // nil: the answer
	frames []stageclient.Frame
}

func (c *troubled) Ask(_ context.Context, q stageclient.Question) error {
	if len(c.script) > 0 {
		step := c.script[0]
		if c.script = c.script[1:]; step != nil {
			c.frames = append(c.frames, step(q.ID)...)
			return nil
		}
	}
	c.frames = append(c.frames, clienttest.Answer([]*clienttest.Log{c.log}, q.ID, q.Wants)...)
	return nil
}

func (c *troubled) Next(ctx context.Context) (stageclient.Frame, error) {
	if len(c.frames) == 0 {
		<-ctx.Done()
		return nil, ctx.Err()
	}
	frame := c.frames[0]
	c.frames = c.frames[1:]
	if frame == nil {
		return nil, stageclient.ErrMalformedFrame
	}
	return frame, nil
}

func (c *troubled) Ping(context.Context) error { return nil }

func TestALogIsReadToItsEndInSpiteOfTrouble(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		log := lobby("a", "b", "c", "d", "e")
		log.PageSize = 2
		conn := &troubled{log: log, script: []func(string) []stageclient.Frame{
			func(id string) []stageclient.Frame {
				refused := stageclient.Error{Code: "rate_limited", ClientID: id, RetryAfterMs: 5000}
				return []stageclient.Frame{nil, refused}
			},
			nil,
			func(string) []stageclient.Frame { return nil }, // lost
			func(string) []stageclient.Frame {
				return []stageclient.Frame{stageclient.Pong{}, stageclient.GatewayError{Text: "Internal server error"}}
			},
		}}
		began := time.Now()
		entries, days, err := stageclient.NewLogReader(conn).Read(t.Context(), "lobby", 100)
		if err != nil || days != 7 || len(entries) != 4 || entries[0].Text != "b" || entries[3].Text != "e" {
			t.Errorf("read %+v, kept %d days, %v", entries, days, err)
		}
		if took := time.Since(began); took < 15*time.Second || took > 16*time.Second {
			t.Errorf("took %v, want the 5 s of the refusal and 10 s for an answer", took)
		}
	})
}

func TestAnEmptyLogAndAStageWithoutOne(t *testing.T) {
	t.Parallel()
	for days := range 2 {
		log := lobby()
		log.KeepDays = days
		entries, kept, err := stageclient.NewLogReader(&troubled{log: log}).Read(t.Context(), "lobby", 0)
		if err != nil || kept != days || len(entries) != 0 {
			t.Errorf("read %+v, kept %d days of %d, %v", entries, kept, days, err)
		}
	}
}

func TestALogThatIsRefusedIsAnError(t *testing.T) {
	t.Parallel()
	conn := &troubled{script: []func(string) []stageclient.Frame{func(id string) []stageclient.Frame {
		return []stageclient.Frame{stageclient.Error{Code: "room_not_allowed", ClientID: id, Text: "No."}}
	}}}
	_, _, err := stageclient.NewLogReader(conn).Read(t.Context(), "vault", 0)
	if err == nil || !strings.Contains(err.Error(), "read the log of vault: refused with room_not_allowed: No.") {
		t.Errorf("got %v", err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, _, err := stageclient.NewLogReader(&troubled{log: lobby()}).Read(ctx, "vault", 0); err == nil {
		t.Error("a reader that was stopped has read the log")
	}
}

func TestALongLogIsReadWithoutMisbehaviour(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		log := lobby()
		for range 60 {
			log.Append("x")
		}
		log.PageSize = 1
		began := time.Now()
		reader := stageclient.NewLogReader(&troubled{log: log})
		entries, _, err := reader.Read(t.Context(), "lobby", 0)
		if err != nil || len(entries) != 60 || time.Since(began) != 30*time.Second {
			t.Errorf("read %d entries in %v, %v; want 16 requests in 10 s", len(entries), time.Since(began), err)
		}
	})
}
