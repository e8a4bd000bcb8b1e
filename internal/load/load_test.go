package load

import (
	"context"
	"net/http"
	"reflect"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"
)

func run(t *testing.T, r *room, plan Plan) *Report {
	t.Helper()
	report, err := Run(t.Context(), plan, r, silent)
	if err != nil {
		t.Fatal(err)
	}
	return report
}

func TestAGoodStagePasses(t *testing.T) {
	t.Parallel()
	report := run(t, startRoom(t, nil), quick())
	if missed := report.Missed(Goals{P95: time.Minute}); len(missed) != 0 {
		t.Errorf("missed %q", missed)
	}
	if m := report.Messages; m.Sent != 20 || m.Acknowledged != 20 {
		t.Errorf("messages %+v, want all 20 sent and acknowledged", m)
	}
	if d := report.Deliveries; d != (Deliveries{Arrived: 80}) {
		t.Errorf("deliveries %+v, want 20 messages for each of 4 clients", d)
	}
	if l := report.Latency; l.Delivery.Count != 80 || l.Last.Count != 20 || l.Answer.Count != 20 ||
		l.Late.Count != 20 || l.Last.P50 < l.Delivery.P50 {
		t.Errorf("latencies %+v", l)
	}
	if text := report.Text(); !strings.Contains(text, "4 of 4 connected") ||
		!strings.Contains(text, "20 acknowledged") {
		t.Errorf("the report says:\n%s", text)
	}
}

// One of twenty messages has one fault, and the verdict names that fault only.
func TestTheVerdictFindsEachFault(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		wrong  func(r *room, o *outgoing)
		missed string
	}{
		"a lost message": {func(_ *room, o *outgoing) { delete(o.frames, o.other()) },
			"1 deliveries were lost"},
		"a message that its sender does not get": {func(_ *room, o *outgoing) { delete(o.frames, o.sender) },
			"1 deliveries were lost"},
		"a double under another id": {func(_ *room, o *outgoing) {
			o.frames[o.other()] = append(o.frames[o.other()], messageFrame("another", o.sender, o.text))
		}, "1 messages were doubled under another id"},
		"a false sender": {func(_ *room, o *outgoing) {
			other := o.other()
			o.frames[other] = []string{strings.ReplaceAll(o.frames[other][0], o.sender, other)}
		}, "1 messages were misattributed"},
		"a message without a sender": {func(_ *room, o *outgoing) {
			o.frames[o.other()] = append(o.frames[o.other()], messageFrame("ghost", o.sender, "boo"))
		}, "1 messages arrived that no client had sent"},
		"another text": {func(_ *room, o *outgoing) {
			o.frames[o.other()] = []string{messageFrame("changed", o.sender, o.text+"!")}
		}, "1 deliveries were lost; 1 messages arrived that no client had sent"},
		"a message from the future": {func(_ *room, o *outgoing) {
			future := strings.Split(o.text, " ")
			o.frames[o.sender] = append(o.frames[o.sender],
				messageFrame("future", o.sender, strings.Join([]string{future[0], future[1], "999999", "x."}, " ")))
		}, "1 messages arrived that no client had sent"},
		"an answer to nothing": {func(r *room, o *outgoing) {
			o.frames[o.sender] = append(o.frames[o.sender],
				`{"type":"ack","id":"x","clientId":"nothing","recipients":1,"delivered":1,"gone":0}`)
		}, "1 messages arrived that no client had sent"},
		"no answer": {func(_ *room, o *outgoing) { o.answer = "" }, "1 messages were not answered"},
		"a refusal": {func(_ *room, o *outgoing) {
			o.frames, o.answer = nil, strings.Replace(o.answer, `"type":"ack"`,
				`"type":"error","code":"rate_limited","message":"slow down"`, 1)
		}, "1 of 20 messages were refused (1 rate_limited)"},
		"a fault of a function": {func(_ *room, o *outgoing) {
			o.frames, o.answer = nil, `{"message":"Internal server error","connectionId":"c","requestId":"r"}`
		}, "1 of 20 messages were refused (1 Internal server error)"},
		"a connection that is closed": {func(r *room, o *outgoing) {
			_ = r.members[o.other()].Close(1001, "Going away")
		}, "connections ended (1 closed 1001)"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			plan := quick()
			plan.Drain = 2 * time.Second // a lost message does not come, so the run waits the whole time
			report := run(t, startRoom(t, func(r *room, o *outgoing) {
				if o.n == 9 {
					test.wrong(r, o)
				}
			}), plan)
			if got := strings.Join(report.Missed(Goals{}), "; "); got != test.missed {
				t.Errorf("missed %q, want %q\n%s", got, test.missed, report.Text())
			}
		})
	}
}

func TestDroppedCopiesAndForeignMessagesAreNoFault(t *testing.T) {
	t.Parallel()
	report := run(t, startRoom(t, func(_ *room, o *outgoing) {
		o.frames[o.other()] = append(o.frames[o.other()], messageFrame("stranger", "somebody", "hello"))
		o.frames[o.sender] = append(o.frames[o.sender], o.frames[o.sender][0])
	}), quick())
	if d := report.Deliveries; d.Repeated == 0 || d.Foreign == 0 || len(report.Missed(Goals{})) != 0 {
		t.Errorf("deliveries %+v, missed %q", d, report.Missed(Goals{}))
	}
}

// A client drops a message whose id it has seen, so no user reads the second one.
func TestTwoMessagesUnderOneIDLoseOne(t *testing.T) {
	t.Parallel()
	plan := quick()
	plan.Drain = 2 * time.Second
	report := run(t, startRoom(t, func(_ *room, o *outgoing) {
		if o.n < 2 {
			for user := range o.frames {
				o.frames[user] = []string{messageFrame("the same", o.sender, o.text)}
			}
		}
	}), plan)
	if report.Deliveries.Lost != 4 {
		t.Errorf("deliveries %+v, want the second message lost for all 4", report.Deliveries)
	}
}

func TestAStallDelaysEveryMessageDueMeanwhile(t *testing.T) {
	t.Parallel()
	const stall = 300 * time.Millisecond
	var once sync.Once
	plan := quick()
	plan.Rate, plan.Duration = 100, 400*time.Millisecond
	report := run(t, startRoom(t, func(*room, *outgoing) {
		once.Do(func() { <-time.After(stall) }) // the room takes one message at a time
	}), plan)
	// Thirty messages were due during the stall. A generator that waits for answers would count it for one.
	if report.Latency.Last.P50 < 50 || report.Latency.Last.Max < 250 {
		t.Errorf("latency of the last receiver %+v, want the stall in most of it", report.Latency.Last)
	}
	if missed := report.Missed(Goals{P95: 50 * time.Millisecond}); len(missed) != 1 ||
		!strings.Contains(missed[0], "p95 of the last receiver") {
		t.Errorf("missed %q, want the p95", missed)
	}
}

func TestClientsRetryAfterATemporaryRefusal(t *testing.T) {
	t.Parallel()
	r := startRoom(t, nil)
	r.accept = func(attempt int) int {
		if attempt == 1 {
			return http.StatusTooManyRequests
		}
		return http.StatusSwitchingProtocols
	}
	report := run(t, r, quick())
	if c := report.Clients; c.Connected != 4 || !reflect.DeepEqual(c.Refused, map[string]int{"handshake 429": 1}) {
		t.Errorf("clients %+v", c)
	}
	if len(report.Missed(Goals{})) != 0 || !strings.Contains(report.Text(), "--connect-rate") {
		t.Errorf("missed %q; the report says:\n%s", report.Missed(Goals{}), report.Text())
	}
}

func TestAFinalRefusalEndsTheRun(t *testing.T) {
	t.Parallel()
	r := startRoom(t, nil)
	r.accept = func(int) int { return http.StatusForbidden }
	_, err := Run(t.Context(), quick(), r, silent)
	if err == nil || !strings.Contains(err.Error(), "connect as load-") || !strings.Contains(err.Error(), "403") {
		t.Errorf("got %v", err)
	}
}

func TestAnInterruptedRunIsJudgedByItsSentMessages(t *testing.T) {
	t.Parallel()
	ctx, interrupt := context.WithCancel(t.Context())
	defer interrupt()
	plan := quick()
	plan.Duration = time.Hour
	report, err := Run(ctx, plan, startRoom(t, func(_ *room, o *outgoing) {
		if o.n == 5 {
			interrupt()
		}
	}), silent)
	if err != nil {
		t.Fatal(err)
	}
	if m := report.Messages; !report.Interrupted || m.Sent < 6 || m.Sent != m.Acknowledged ||
		len(report.Missed(Goals{})) != 0 {
		t.Errorf("interrupted %v, messages %+v, missed %q", report.Interrupted, m, report.Missed(Goals{}))
	}
}

func TestTheSeedChoosesSendersAndTexts(t *testing.T) {
	t.Parallel()
	sent := func(seed uint64) (order []string) {
		plan := quick()
		plan.Rate, plan.Seed = 50, seed
		plan.Duration = 200 * time.Millisecond
		run(t, startRoom(t, func(_ *room, o *outgoing) {
			order = append(order, o.sender+strings.SplitN(o.text, " ", 4)[3])
		}), plan)
		slices.Sort(order) // of arrival, which the seed does not decide
		return order
	}
	first, again, other := sent(1), sent(1), sent(2)
	if !slices.Equal(first, again) || slices.Equal(first, other) {
		t.Errorf("seed 1 sent %q and %q, seed 2 %q", first, again, other)
	}
}

func TestAllClientsSendEquallyOften(t *testing.T) {
	t.Parallel()
	counts := map[string]int{}
	run(t, startRoom(t, func(_ *room, o *outgoing) { counts[o.sender]++ }), quick())
	for user, n := range counts {
		if n != 5 {
			t.Errorf("%s sent %d of 20 messages, want 5", user, n)
		}
	}
}

func TestInvalidPlansAreRefused(t *testing.T) {
	t.Parallel()
	for name, change := range map[string]func(p *Plan){
		"no clients":      func(p *Plan) { p.Clients = 0 },
		"no connecting":   func(p *Plan) { p.ConnectRate = 0 },
		"no rate":         func(p *Plan) { p.Rate = 0 },
		"no time":         func(p *Plan) { p.Duration = 0 },
		"no message":      func(p *Plan) { p.Rate = 1 },
		"less than alone": func(p *Plan) { p.PerUser = -1 },
	} {
		plan := quick()
		change(&plan)
		if _, err := Run(t.Context(), plan, StageFunc(func(context.Context, string) (Member, error) {
			t.Errorf("%s: a client connects", name)
			return Member{}, context.Canceled
		}), silent); err == nil {
			t.Errorf("%s was accepted", name)
		}
	}
}
