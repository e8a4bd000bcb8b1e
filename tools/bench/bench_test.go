package main

import (
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"signedsocket/tools/docblock"
)

const repository = "../.."

// TestQuickRuns measure everything so shortly that the numbers mean nothing, so that the long runs cannot rot.
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
		output := run(t, "alone")
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
	rooms := len(options{Quick: true}.effort().rooms)
	if !r.Quick || len(r.Posts) != 2*5 || len(r.Freezes) != 5 || len(r.Broadcasts) != rooms || r.Ready.ReadyMs <= 0 {
		t.Errorf("something was not measured:\n%s", output)
	}
	for _, p := range r.Posts {
		if p.Lost != 0 || p.PostsPerSecond <= 0 || p.CPUMicroseconds <= 0 {
			t.Errorf("posts %+v", p)
		}
	}
	for _, b := range r.Broadcasts {
		if b.Lost != 0 || b.P50Ms <= 0 || b.P95Ms < b.P50Ms {
			t.Errorf("broadcast %+v", b)
		}
	}
	for _, f := range r.Freezes {
		if f.Client == ours && f.Lost != 0 {
			t.Errorf("freezes %+v", f)
		}
	}
	if !slices.ContainsFunc(r.Starts, func(s StartResult) bool {
		return s.Function == "SendMessageFunction" && s.StartMs > 0 && s.BinaryMB > 1
	}) {
		t.Errorf("starts %+v", r.Starts)
	}
	if !strings.Contains(output, "posts lost to freezes") {
		t.Errorf("the goals are not printed:\n%s", output)
	}
}

// TestPageShowsTheResults compares docs/benchmarks.md with the results beside it. With UPDATE_DOCS=1 it takes over those
// of the last make bench.
func TestPageShowsTheResults(t *testing.T) {
	t.Parallel()
	kept := filepath.Join(repository, "docs", "benchmarks.json")
	path, update := kept, os.Getenv("UPDATE_DOCS") != ""
	if update {
		path = filepath.Join(repository, "build", "bench", "results.json")
	}
	r, err := loadResults(path)
	if err != nil {
		t.Fatal(err)
	}
	if r.Quick {
		t.Fatalf("%s is of a quick run, which measures nothing: run make bench without QUICK", path)
	}
	if update {
		err = r.save(kept)
	}
	text, invalid := r.markdown("page")
	if err := errors.Join(err, invalid); err != nil {
		t.Fatal(err)
	}
	page := filepath.Join(repository, "docs", "benchmarks.md")
	docblock.Check(t, "make bench-page", page, map[string]string{"benchmarks": text})
}

// posts returns the CPU time of three ways to post against the endpoint that answers at once.
func posts(pool, sized, own float64) []PostResult {
	return []PostResult{
		{Client: sdkPool, CPUMicroseconds: pool}, {Client: sdkSized, CPUMicroseconds: sized},
		{Client: ours, CPUMicroseconds: own},
	}
}

func TestGoalsAreJudged(t *testing.T) {
	t.Parallel()
	good := &Results{
		Posts:   posts(100, 90, 45),
		Freezes: []FreezeResult{{Client: "net/http, signed by hand", Posts: 100, Lost: 30}, {Client: ours, Posts: 100}},
		Broadcasts: []BroadcastResult{
			{Recipients: 1, P50Ms: 2.9, P95Ms: 9.9}, {Recipients: 100, P50Ms: 9}, {Recipients: 1000, P50Ms: 79},
		},
		Starts: []StartResult{
			{Function: emptyFunction, Times: 1}, {Function: "SignUrlFunction", Times: 1.5},
			{Function: "ConnectFunction", Times: 2},
		},
		Ready: ReadyResult{ReadyMs: 499, IdleMB: 49},
		idle:  IdleResult{connections: 100, kilobytes: 20},
	}
	for _, g := range good.Goals() {
		if !g.Reached {
			t.Errorf("missed %+v", g)
		}
	}
	bad := &Results{
		Posts:   posts(100, 80, 45),
		Freezes: []FreezeResult{{Client: ours, Posts: 100, Lost: 1}},
		Broadcasts: []BroadcastResult{
			{Recipients: 1, P50Ms: 3, P95Ms: 10, Lost: 1}, {Recipients: 100, P50Ms: 10}, {Recipients: 1000, P50Ms: 80},
		},
		Starts: []StartResult{{Function: "SignUrlFunction", Times: 1.6}, {Function: "ConnectFunction", Times: 2.1}},
		Ready:  ReadyResult{ReadyMs: 500, IdleMB: 50},
		idle:   IdleResult{connections: 100, kilobytes: 20.1},
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
	got := median([]PostResult{{CPUMicroseconds: 50, Lost: 1}, {CPUMicroseconds: 900}, {CPUMicroseconds: 40, Lost: 2}})
	if got.CPUMicroseconds != 50 || got.Lost != 3 {
		t.Errorf("got %+v, want the middle one with all losses", got)
	}
}

func TestBenchmarksAreRead(t *testing.T) {
	t.Parallel()
	const line = "BenchmarkPost/10ms/net/http,_signed_by_hand-2   \t 100\t  132910 ns/op\t 73.85 cpu-µs/post\t 0 lost"
	m, ok := parse(line)
	if !ok || m.name != "10ms/net/http, signed by hand" || m.values["cpu-µs/post"] != 73.85 || len(m.values) != 3 {
		t.Errorf("read %+v, %v", m, ok)
	}
	if m, ok := parse("BenchmarkBroadcast/recipients=100 20 3.9 p50-ms"); !ok || m.name != "recipients=100" {
		t.Errorf("read %+v, %v on one processor", m, ok)
	}
	for _, other := range []string{"", "goos: linux", "PASS", "BenchmarkPost/10ms", "Benchmarks are slow today, really"} {
		if m, ok := parse(other); ok {
			t.Errorf("read %+v from %q", m, other)
		}
	}
}
