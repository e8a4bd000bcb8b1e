package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

const repository = "../.."

// TestQuickRuns measures everything, for so short a time that the numbers mean nothing. It fails if a long run would.
func TestQuickRuns(t *testing.T) {
	t.Parallel()
	folder := t.TempDir()
	program, into := filepath.Join(folder, "bench"), filepath.Join(folder, "into")
	build := exec.CommandContext(t.Context(), "go", "build", "-o", program, ".")
	if output, err := build.CombinedOutput(); err != nil {
		t.Fatalf("build: %v: %s", err, output)
	}
	run := func(t *testing.T, args ...string) string {
		args = append(args, "--quick", "--root", repository, "--into", into)
		output, err := exec.CommandContext(t.Context(), program, args...).CombinedOutput()
		if err != nil {
			t.Fatalf("%v:\n%s", err, output)
		}
		return string(output)
	}
	t.Run("everything", func(t *testing.T) { checkEverything(t, run(t), filepath.Join(into, "results.json")) })
	t.Run("the stage alone", func(t *testing.T) {
		output := run(t, "--alone")
		for _, want := range []string{"memory of an idle connection, 100 held", "functions built → stage ready"} {
			if !strings.Contains(output, want) {
				t.Errorf("%q is missing:\n%s", want, output)
			}
		}
	})
}

func checkEverything(t *testing.T, output, results string) {
	t.Helper()
	r, err := loadResults(results)
	if err != nil {
		t.Fatal(err)
	}
	ways, rooms := 5, len(options{Quick: true}.effort().rooms)
	for begin, want := range map[string]int{
		"Post/0ms/": ways, "Post/10ms/": ways, "Freeze/": ways, "Broadcast/recipients=": rooms, "Start/": 8, "Stage": 1,
		"History/recipients=": 2, "Page": 1, "Resume": 1,
	} {
		if found := r.Of(begin); !r.Quick || len(found) != want {
			t.Errorf("measured %v of %s, want %d:\n%s", found, begin, want, output)
		}
	}
	for _, m := range r.Of("Post/") {
		if m.Values["lost"] != 0 || m.Values["posts/s"] <= 0 || m.Values["cpu-µs/post"] <= 0 {
			t.Errorf("posts %+v", m)
		}
	}
	for _, m := range r.Of("Broadcast/") {
		if m.Values["lost"] != 0 || m.Values["p50-ms"] <= 0 || m.Values["p95-ms"] < m.Values["p50-ms"] {
			t.Errorf("broadcast %+v", m)
		}
	}
	posts, lost := r.Value("Freeze/"+ours, "posts"), r.Value("Freeze/"+ours, "lost")
	if posts <= 0 || lost != 0 || r.Value("Stage", "ready-ms") <= 0 {
		t.Errorf("our posts after freezes, or the stage: %+v", r.Measured)
	}
	const start = "Start/SendMessageFunction"
	if r.Value(start, "ms") <= 0 || r.Value(start, "binary-MB") <= 1 {
		t.Errorf("starts %+v", r.Of("Start/"))
	}
	if !strings.Contains(output, "posts lost to freezes") {
		t.Errorf("the goals are not printed:\n%s", output)
	}
}

// values are those of a measurement by unit.
type values = map[string]float64

// measured returns results with a post of each way that goals are about, and the rest.
func measured(pool, sized, own float64, rest ...Measurement) *Results {
	const begin, unit = "Post/0ms/", "cpu-µs/post"
	return &Results{Measured: append([]Measurement{
		{begin + sdkPool, values{unit: pool}}, {begin + sdkSized, values{unit: sized}},
		{begin + ours, values{unit: own}},
	}, rest...)}
}

func TestGoalsAreJudged(t *testing.T) {
	t.Parallel()
	good := measured(100, 90, 45,
		Measurement{"Freeze/net/http, signed by hand", values{"posts": 100, "lost": 30}},
		Measurement{"Freeze/" + ours, values{"posts": 100}},
		Measurement{"Broadcast/recipients=1", values{"p50-ms": 2.9, "p95-ms": 9.9}},
		Measurement{"Broadcast/recipients=100", values{"p50-ms": 9}},
		Measurement{"Broadcast/recipients=1000", values{"p50-ms": 79}},
		Measurement{"History/recipients=1", values{"p50-ms": 3.9, "without-p50-ms": 2.9, "p95-ms": 9.9}},
		Measurement{"History/recipients=100", values{"p50-ms": 9.9, "without-p50-ms": 8.9}},
		Measurement{"Page", values{"p50-ms": 4, "p95-ms": 10}},
		Measurement{"Resume", values{"s-until-all-are-whole": 20}},
		Measurement{"Start/an empty function", values{"×-empty": 1}},
		Measurement{"Start/SignUrlFunction", values{"×-empty": 1.5}},
		Measurement{"Start/ConnectFunction", values{"×-empty": 2}},
		Measurement{"Stage", values{"ready-ms": 499, "idle-MB": 49}},
		Measurement{"Held/idle", values{"connections": 100, "KB/connection": 20}},
	)
	for _, g := range good.Goals() {
		if !g.Reached {
			t.Errorf("missed %+v", g)
		}
	}
	bad := measured(100, 80, 45,
		Measurement{"Freeze/" + ours, values{"posts": 100, "lost": 1}},
		Measurement{"Broadcast/recipients=1", values{"p50-ms": 3, "p95-ms": 10, "lost": 1}},
		Measurement{"Broadcast/recipients=100", values{"p50-ms": 10}},
		Measurement{"Broadcast/recipients=1000", values{"p50-ms": 80}},
		Measurement{"History/recipients=1", values{"p50-ms": 4, "without-p50-ms": 2.9, "p95-ms": 10}},
		Measurement{"History/recipients=100", values{"p50-ms": 10, "without-p50-ms": 8.9}},
		Measurement{"Page", values{"p50-ms": 4.1, "p95-ms": 11}},
		Measurement{"Resume", values{"s-until-all-are-whole": 9, "incomplete": 1}},
		Measurement{"Start/SignUrlFunction", values{"×-empty": 1.6}},
		Measurement{"Start/ConnectFunction", values{"×-empty": 2.1}},
		Measurement{"Stage", values{"ready-ms": 500, "idle-MB": 50}},
		Measurement{"Held/idle", values{"connections": 100, "KB/connection": 20.1}},
	)
	if len(good.Goals()) != 19 {
		t.Errorf("%d goals: %+v", len(good.Goals()), good.Goals())
	}
	if len(bad.Goals()) != len(good.Goals()) {
		t.Errorf("%d goals of bad results, %d of good ones", len(bad.Goals()), len(good.Goals()))
	}
	for _, g := range bad.Goals() {
		if g.Reached {
			t.Errorf("reached %+v", g)
		}
	}
}

func TestTheMedianIsThatOfTheProcessorTime(t *testing.T) {
	t.Parallel()
	const unit = "cpu-µs/post"
	got := median([]Measurement{
		{"a", values{unit: 50, "lost": 1}}, {"b", values{unit: 900}}, {"c", values{unit: 40, "lost": 2}},
	})
	if got.Values[unit] != 50 || got.Values["lost"] != 3 {
		t.Errorf("got %+v, want the middle one with all losses", got)
	}
}

func TestBenchmarksAreRead(t *testing.T) {
	t.Parallel()
	const line = "BenchmarkPost/10ms/net/http,_signed_by_hand-2   \t 100\t  132910 ns/op\t 73.85 cpu-µs/post\t 0 lost"
	m, ok := parse(line)
	const name = "Post/10ms/net/http, signed by hand"
	if !ok || len(m.Values) != 3 || m.Name != name || m.Values["cpu-µs/post"] != 73.85 {
		t.Errorf("read %+v, %v", m, ok)
	}
	if m, ok := parse("BenchmarkBroadcast/recipients=100 20 3.9 p50-ms"); !ok || m.Name != "Broadcast/recipients=100" {
		t.Errorf("read %+v, %v on one processor", m, ok)
	}
	for _, other := range []string{"", "goos: linux", "PASS", "BenchmarkPost/10ms", "Benchmarks are slow today, all"} {
		if m, ok := parse(other); ok {
			t.Errorf("read %+v from %q", m, other)
		}
	}
}

func TestTheMeasuredStageHasNoThrottles(t *testing.T) {
	t.Parallel()
	text, err := os.ReadFile(filepath.Join(repository, "template.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	throttles := regexp.MustCompile(`Throttling\w+: [^,}\n]+`).FindAllString(string(withoutThrottles(text)), -1)
	for _, throttle := range throttles {
		if !strings.HasSuffix(throttle, "Limit: 1000000") {
			t.Errorf("the stage that is measured has %s", throttle)
		}
	}
	if len(throttles) < 10 {
		t.Errorf("found %d throttles: the form of the template has changed", len(throttles))
	}
}
