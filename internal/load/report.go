package load

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"text/tabwriter"
	"time"
)

// Report says what happened to the clients and messages of a run.
type Report struct {
	Plan        Plan       `json:"plan"`
	Interrupted bool       `json:"interrupted"` // sending ended before the plan did
	Clients     Clients    `json:"clients"`
	Messages    Messages   `json:"messages"`
	Deliveries  Deliveries `json:"deliveries"`
	History     *History   `json:"history,omitempty"` // nil: the stage keeps none
	Latency     struct {
		Delivery Latency `json:"delivery"`       // to each client
		Last     Latency `json:"lastReceiver"`   // of each acknowledged message
		Answer   Latency `json:"acknowledgment"` // to the sender
		Late     Latency `json:"sentLate"`       // from the planned time until this program sent the message
	} `json:"latencyMs"` // from the planned time of a message
}

// Clients counts connections.
type Clients struct {
	Connected int            `json:"connected"` // at some time
	Ended     map[string]int `json:"ended"`     // by the stage, or broken, by reason
	Refused   map[string]int `json:"refused"`   // attempts, by reason
}

// Messages counts messages by the answer to their sender.
type Messages struct {
	Sent         int            `json:"sent"`
	Acknowledged int            `json:"acknowledged"`
	Refused      map[string]int `json:"refused"`    // by reason; they need not be delivered
	Unanswered   int            `json:"unanswered"` // their sender got no answer
	CutOff       int            `json:"cutOff"`     // their sender's connection ended before the answer
}

// Deliveries counts messages as each client received them.
type Deliveries struct {
	Arrived       int `json:"arrived"`       // first copies
	Lost          int `json:"lost"`          // not refused, to clients that stayed
	Excused       int `json:"excused"`       // not refused, to clients whose connection ended
	Repeated      int `json:"repeated"`      // under the same id, so clients drop them
	Doubled       int `json:"doubled"`       // under another id
	Misattributed int `json:"misattributed"` // from another user than the sender
	Invented      int `json:"invented"`      // no client sent them
	Foreign       int `json:"foreign"`       // from others in the room
}

// History says whether the logs of the rooms hold what the clients sent and received.
type History struct {
	Entries  int      `json:"entries"`  // in the logs since the run began
	Verdict  string   `json:"verdict"`  // of the checker, in a line
	Findings []string `json:"findings"` // sentences
	Unread   string   `json:"unread"`   // why the logs could not be read
}

// report returns the sums. It counts messages without an answer as unanswered.
func (l *ledger) report() *Report {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.explain()
	r := &Report{Messages: Messages{Sent: len(l.messages), Refused: map[string]int{}}}
	last, answer := newHistogram(), newHistogram()
	for _, m := range l.messages {
		switch m.answer {
		case "":
			r.Messages.Unanswered++
			r.Deliveries.Lost += m.missing
		case acknowledged:
			r.Messages.Acknowledged++
			r.Deliveries.Lost += m.missing
			answer.record(m.answered)
			last.record(m.last)
		case cutOff:
			r.Messages.CutOff++
		default:
			r.Messages.Refused[m.answer]++
		}
	}
	f := l.found
	r.Deliveries.Arrived, r.Deliveries.Excused = int(l.delivery.hdr.TotalCount()), l.excused
	r.Deliveries.Repeated, r.Deliveries.Doubled = f.repeated, f.doubled
	r.Deliveries.Misattributed, r.Deliveries.Invented, r.Deliveries.Foreign = f.misattributed, f.invented, f.foreign
	r.Latency.Delivery, r.Latency.Late = l.delivery.summary(), l.late.summary()
	r.Latency.Last, r.Latency.Answer = last.summary(), answer.summary()
	return r
}

// explain handles the errors that name no message. Each counts as the answer to the oldest message of the client that
// has none.
func (l *ledger) explain() {
	for _, m := range l.messages {
		if failures := l.failures[m.sender]; m.answer == "" && len(failures) > 0 {
			m.answer, l.failures[m.sender] = failures[0], failures[1:]
		}
	}
}

// Goals are what a run has to reach, beside the goal that no message is lost.
type Goals struct {
	P95     time.Duration // of the time until the last receiver has a message; 0: any
	Refused float64       // share of messages that the stage may refuse
}

// Missed returns the goals that the run missed, in words. Without one the run has passed.
func (r *Report) Missed(g Goals) []string {
	missed := []string{}
	want := func(reached bool, format string, values ...any) {
		if !reached {
			missed = append(missed, fmt.Sprintf(format, values...))
		}
	}
	d, m := r.Deliveries, r.Messages
	refused := sum(m.Refused)
	want(r.Clients.Connected == r.Plan.Clients, "%d of %d clients never connected (%s)",
		r.Plan.Clients-r.Clients.Connected, r.Plan.Clients, counts(r.Clients.Refused))
	want(len(r.Clients.Ended) == 0, "connections ended (%s)", counts(r.Clients.Ended))
	want(m.Acknowledged > 0, "no message was acknowledged")
	want(m.Unanswered == 0, "%d messages were not answered", m.Unanswered)
	want(float64(refused) <= g.Refused*float64(m.Sent), "%d of %d messages were refused (%s)", refused, m.Sent,
		counts(m.Refused))
	want(d.Lost == 0, "%d deliveries were lost", d.Lost)
	want(d.Doubled == 0, "%d messages were doubled under another id", d.Doubled)
	want(d.Misattributed == 0, "%d messages were misattributed", d.Misattributed)
	want(d.Invented == 0, "%d messages arrived that no client had sent", d.Invented)
	if h := r.History; h != nil {
		want(h.Unread == "", "the log was not read: %s", h.Unread)
		want(len(h.Findings) == 0, "the log and the clients do not agree (%s)", h.Verdict)
	}
	p95 := time.Duration(r.Latency.Last.P95 * float64(time.Millisecond))
	want(g.P95 == 0 || p95 <= g.P95, "the p95 of the last receiver is %v, over %v", p95.Round(100*time.Microsecond),
		g.P95)
	return missed
}

// Text is the report for people, several lines.
func (r *Report) Text() string {
	var text strings.Builder
	table := tabwriter.NewWriter(&text, 0, 0, 2, ' ', 0)
	d, m := r.Deliveries, r.Messages
	fmt.Fprintf(table, "clients\t%d of %d connected; ended early: %s; refused: %s\n", r.Clients.Connected,
		r.Plan.Clients, counts(r.Clients.Ended), counts(r.Clients.Refused))
	fmt.Fprintf(table, "messages\t%d sent, %d acknowledged, %d not answered, %d cut off; refused: %s\n", m.Sent,
		m.Acknowledged, m.Unanswered, m.CutOff, counts(m.Refused))
	fmt.Fprintf(table, "deliveries\t%d arrived; %d owed to clients that left, %d messages of others\n", d.Arrived,
		d.Excused, d.Foreign)
	fmt.Fprintf(table, "lost\t%d\n", d.Lost)
	fmt.Fprintf(table, "doubled\t%d under another id; %d repeated under the same id, which clients drop\n", d.Doubled,
		d.Repeated)
	fmt.Fprintf(table, "misattributed\t%d\n", d.Misattributed)
	fmt.Fprintf(table, "sent by no user\t%d\n", d.Invented)
	if h := r.History; h != nil && h.Unread == "" {
		fmt.Fprintf(table, "history\t%d entries; %s\n", h.Entries, h.Verdict)
	}
	for _, row := range []struct {
		name string
		l    Latency
	}{{"any receiver", r.Latency.Delivery}, {"last receiver", r.Latency.Last}, {"acknowledgment", r.Latency.Answer},
		{"sent late by", r.Latency.Late}} {
		fmt.Fprintf(table, "%s\tp50 %.1f ms\tp95 %.1f ms\tp99 %.1f ms\tmax %.1f ms\n", row.name, row.l.P50, row.l.P95,
			row.l.P99, row.l.Max)
	}
	_ = table.Flush() // a strings.Builder takes everything
	for _, hint := range r.hints() {
		fmt.Fprintln(&text, hint)
	}
	return text.String()
}

// shownFindings is how many sentences about the history the report shows. JSON has them all.
const shownFindings = 10

// slow is the delay of this program from which its results are useless.
const slow = 10 // ms

// hints explain the numbers.
func (r *Report) hints() []string {
	var hints []string
	if r.Interrupted {
		hints = append(hints, "Interrupted: the report covers the messages until then.")
	}
	if h := r.History; h != nil {
		hints = append(hints, h.Findings[:min(len(h.Findings), shownFindings)]...)
	}
	if r.Messages.Refused["rate_limited"] > 0 {
		hints = append(hints, "rate_limited: one connection may send MessagesPerWindow messages in 10 s, "+
			"20 unless the stage was deployed with more. Use more --clients or a lower --rate.")
	}
	if r.Messages.Refused["Too Many Requests"] > 0 {
		hints = append(hints, "Too Many Requests: the throttle of the stage's routes or of the account (10,000 "+
			"requests a second, callbacks among them).")
	}
	if r.Clients.Refused["signurl 429"] > 0 || r.Clients.Refused["handshake 429"] > 0 {
		hints = append(hints, "429 while connecting: the stage lets SignUrlRate requests a second pass to signurl, "+
			"and ConnectRate to $connect, 300 by default. Lower --connect-rate.")
	}
	if r.Latency.Late.P99 > slow {
		hints = append(hints,
			"This program sent late: the latencies hold its own delay. Lower the rate, or run it on another machine.")
	}
	return hints
}

func sum(counts map[string]int) int {
	total := 0
	for _, n := range counts {
		total += n
	}
	return total
}

// counts shows "2 rate_limited, 1 partial_delivery", or "none".
func counts(by map[string]int) string {
	if len(by) == 0 {
		return "none"
	}
	parts := make([]string, 0, len(by))
	for _, reason := range slices.Sorted(maps.Keys(by)) {
		parts = append(parts, fmt.Sprintf("%d %s", by[reason], reason))
	}
	return strings.Join(parts, ", ")
}
