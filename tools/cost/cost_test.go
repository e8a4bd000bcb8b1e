// Package cost holds the model of what a deployment costs in a month and where its limits are: AWS's list prices and
// quotas, and the work of the functions, which its tests count. It writes the tables of docs/scale.md (make docs).
package cost

import (
	"encoding/json"
	"log/slog"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"signedsocket/localstage"
	"signedsocket/shared/broadcast"
	"signedsocket/shared/logging"
	"signedsocket/tools/docblock"
)

const repository = "../.."

// TestPagesShowTheModel compares the tables of the pages with the model. With UPDATE_DOCS=1 it writes them instead
// (make docs).
func TestPagesShowTheModel(t *testing.T) {
	t.Parallel()
	tables := map[string]string{
		"cost": costTable(), "rest": restTable(), "heartbeats": heartbeatTable(), "prices": priceTable(),
		"needs": needsTable(), "rooms": roomTable(),
	}
	docblock.Check(t, "make docs", filepath.Join(repository, "docs", "scale.md"), tables)
	readme := map[string]string{"cost": tables["cost"]}
	docblock.Check(t, "make docs", filepath.Join(repository, "README.md"), readme)
}

// TestModelHasTheLimitsOfTheTemplate keeps the numbers that the model repeats true.
func TestModelHasTheLimitsOfTheTemplate(t *testing.T) {
	t.Parallel()
	path := filepath.Join(repository, "template.yaml")
	loaded, err := localstage.LoadTemplate(path, nil)
	if err != nil {
		t.Fatal(err)
	}
	want := func(what string, model, real float64) {
		if model != real {
			t.Errorf("%s: the model has %v, the template %v", what, model, real)
		}
	}
	api := loaded.WebSocketAPIs[0]
	want("handshakes", templateConnect, api.Throttle.RateLimit)
	want("signed URLs", templateHTTP, loaded.HTTPAPIs[0].Throttle.RateLimit)
	for _, route := range api.Routes {
		switch route.Key {
		case "sendmessage":
			want(route.Key, templateMessages, route.Throttle.RateLimit)
		case "ping":
			want(route.Key, templatePings, route.Throttle.RateLimit)
		}
	}
	for _, function := range loaded.Functions {
		if function.Handler == "bootstrap" {
			want("memory of "+function.LogicalID, memoryMB, float64(function.MemoryMB))
		}
		if value, ok := function.Environment["FANOUT_THRESHOLD"]; ok && value != strconv.Itoa(threshold) {
			t.Errorf("threshold of %s: the model has %d, the template %s", function.LogicalID, threshold, value)
		}
	}
}

// TestModelCountsTheMetricsOfTheTemplate: an alarm is billed for each metric that it reads, and a filter's metric for
// each name, in whichever log it is counted.
func TestModelCountsTheMetricsOfTheTemplate(t *testing.T) {
	t.Parallel()
	var golden struct {
		Resources map[string]struct {
			Type, Condition string
			Properties      struct {
				Metrics               []struct{ MetricStat json.RawMessage }
				MetricTransformations []struct {
					MetricName string
					Dimensions []any
				}
			}
		}
	}
	path := filepath.Join(repository, "localstage/internal/template/testdata/transform.golden.json")
	content, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(content, &golden); err != nil {
		t.Fatal(err)
	}
	read, counted := 0, map[string]bool{}
	for _, r := range golden.Resources {
		if r.Condition == "KeepsNoHistory" { // the chats of the model keep history
			continue
		}
		if r.Type == "AWS::CloudWatch::Alarm" && len(r.Properties.Metrics) == 0 {
			read++
		}
		for _, m := range r.Properties.Metrics {
			if m.MetricStat != nil {
				read++
			}
		}
		for _, m := range r.Properties.MetricTransformations {
			if len(m.Dimensions) == 0 {
				counted[m.MetricName] = true
			}
		}
	}
	if read != alarmMetrics {
		t.Errorf("alarms read %d metrics, the model has %v", read, alarmMetrics)
	}
	if len(counted) != metricsAlways+metricsConnected || !counted["Faults"] {
		t.Errorf("filters count %v, the model has %d", counted, metricsAlways+metricsConnected)
	}
	for want, numbers := range map[int]slog.Attr{
		metricsMessages: logging.Broadcast{}.Attr("stack", time.Now()),
		metricsHistory:  logging.History{}.Attr("stack", time.Now()),
	} {
		var line strings.Builder
		slog.New(slog.NewJSONHandler(&line, nil)).Info("x", numbers)
		if named := strings.Count(line.String(), `"Name"`); named != want {
			t.Errorf("a line has %d metrics, the model %d: %s", named, want, &line)
		}
	}
}

// TestAStackAtRestByHand adds up the bill of a stack with no user connected.
func TestAStackAtRestByHand(t *testing.T) {
	t.Parallel()
	minutes := 730.0 * 60
	sweep := 0.2e-6 + sweeperReads*0.125e-6 + sweeperWrites*0.625e-6
	tick := 0.2e-6 + 0.010*0.25*0.0000133334 + 0.5*0.125e-6 + (platformLog+presenceLog)/gb*0.50
	want := alarmMetrics*0.10 + 3 + 0.30 + minutes*(sweep+tick)
	if got := total(bill(atRest())); math.Abs(got-want) > 1e-9 {
		t.Errorf("a stack at rest costs $%v, want $%v", got, want)
	}
	if !strings.Contains(restTable(), "| **Together** | **"+dollars(want)+"** |") {
		t.Errorf("the table does not have $%v:\n%s", want, restTable())
	}
}

// TestPings lets messages come at random and counts the pings in the gaps.
func TestPings(t *testing.T) {
	t.Parallel()
	dice := rand.New(rand.NewPCG(1, 2))
	for _, rate := range []float64{0.5, 2, 6.86, 20} {
		hours, pings := 0.0, 0.0
		for range 200_000 {
			gap := dice.ExpFloat64() / rate
			hours += gap
			pings += math.Floor(gap / pingHours)
		}
		got := Chat{Connections: 1, Room: 1, MessagesPerHour: rate}.pings() / hoursPerMonth
		if want := pings / hours; math.Abs(got-want) > 0.02*want {
			t.Errorf("%v messages an hour: the model has %.3f pings, the dice %.3f", rate, got, want)
		}
	}
	if got := (Chat{Connections: 10}).pings(); math.Abs(got-10*hoursPerMonth*60/8.75) > 1e-6 {
		t.Errorf("in silence: %v pings of 10 connections a month", got)
	}
}

// TestABillByHand adds up one connection that is opened once an hour and says nothing.
func TestABillByHand(t *testing.T) {
	t.Parallel()
	const (
		hours = 730.0
		pings = hours * 60 / 8.75
	)
	c := Chat{Connections: 1, Room: 50, SessionHours: 1}
	shown := presenceUsage(c) // which TestPresenceByHand adds up
	lines := map[string]float64{}
	for _, line := range bill(c) {
		lines[line.Name] = line.Dollars
	}
	invocations := 4*hours + pings + hours*60
	for name, want := range map[string]float64{
		"Connection minutes": hours * 60 * 0.25e-6,
		"Socket messages":    (2*(pings+hours) + shown.SocketMessages) * 1e-6,
		"HTTP API":           hours * 1e-6,
		"Lambda": (invocations+shown.Invocations)*0.2e-6 +
			((hours*0.080+pings*0.025)*0.25+shown.GBSeconds)*0.0000133334,
		"DynamoDB": (hours*(1+14+1+8+1)+pings+hours*60+shown.Writes)*0.625e-6 +
			(hours*14+pings*2+hours*60*13+shown.Reads)*0.125e-6, // with a marker for each connect and ping
	} {
		if got := lines[name]; math.Abs(got-want) > 1e-12 {
			t.Errorf("%s: $%v, want $%v", name, got, want)
		}
	}
	silent := c
	silent.MessagesPerHour = 1e6 // no client pings
	if heartbeats(silent) != 0 || heartbeats(c) < 2*pings*1e-6 {
		t.Errorf("pings cost $%v in silence and $%v in a lively room", heartbeats(c), heartbeats(silent))
	}
}

func TestUnitsAboveATierAreCheaper(t *testing.T) {
	t.Parallel()
	for amount, want := range map[float64]float64{0: 0, 100: 100, 1000: 1000, 1500: 1000 + 250} {
		if got := tiered(amount, 1, 1000, 0.5); got != want {
			t.Errorf("%v cost %v, want %v", amount, got, want)
		}
	}
}

func TestTheBusiestChatUsesUpTheAccount(t *testing.T) {
	t.Parallel()
	for _, need := range needs(busiest(Chat{Connections: 100_000, Room: 100, SessionHours: 1})) {
		if need.Quota == requestsPerSecond && strings.HasPrefix(need.Name, "Requests of the account") &&
			math.Abs(need.Amount-need.Quota) > 1 {
			t.Errorf("%s: %v, want %v", need.Name, need.Amount, need.Quota)
		}
	}
}

func TestLargeRoomsAreSplitAsTheFunctionsDo(t *testing.T) {
	t.Parallel()
	model, real := Room{MemoryMB: memoryMB}.concurrency(), float64(broadcast.Concurrency(memoryMB))
	if segmentSize != broadcast.SegmentSize || model != real {
		t.Errorf("the model has segments of %v and %v posts at a time, the functions %v and %v",
			segmentSize, model, broadcast.SegmentSize, real)
	}
	room := func(members float64) Room { return Room{Members: members, Shards: 1, MemoryMB: memoryMB} }
	for members, want := range map[float64]float64{
		1: 1, threshold: 1, threshold + 1: 2, threshold + segmentSize: 2, 10_000: 9,
	} {
		if got := room(members).invocations(); got != want {
			t.Errorf("%v members take %v invocations, want %v", members, got, want)
		}
	}
	if huge, large := room(20_000).lastReceiver(), room(5_000).lastReceiver(); huge != large {
		t.Errorf("18 segments take %v ms, 3 take %v: they run side by side", huge, large)
	}
	if got, want := room(5_500).billedMilliseconds(),
		5*messageMilliseconds+room(1).posting(5_500); math.Abs(
		got-want,
	) > 20 {
		t.Errorf("5,500 members are billed %v ms, want about %v", got, want)
	}
}

func TestNumbersAreShownForPeople(t *testing.T) {
	t.Parallel()
	for x, want := range map[float64]string{
		0: "0", 0.001: "<0.01", 0.0712: "0.07", 1: "1", 3.5312: "3.53", 9.999: "10", 28: "28", 1234567: "1,234,567",
	} {
		if got := amount(x); got != want {
			t.Errorf("amount of %v is %q, want %q", x, got, want)
		}
	}
	for x, want := range map[float64]string{0: "0.00", 1e-9: "0.00", 0.0012: "0.0012", 5.1: "5.10", 14931.4: "14,931"} {
		if got := dollars(x); got != want {
			t.Errorf("dollars of %v are %q, want %q", x, got, want)
		}
	}
}
