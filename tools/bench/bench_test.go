package main

import (
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
	if output, err := exec.CommandContext(t.Context(), "go", "build", "-o", program, ".").CombinedOutput(); err != nil {
		t.Fatalf("build: %v: %s", err, output)
	}
	run := func(t *testing.T, args ...string) string {
		output, err := exec.CommandContext(t.Context(), program, append(args, "--quick", "--root", repository, "--into", into)...).CombinedOutput()
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
	if !r.Quick || len(r.Posts) != 2*len(clients()) || len(r.Freezes) != len(clients()) || len(r.Broadcasts) != len(quick().levels) || r.Ready.ReadyMs <= 0 {
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

// TestPageShowsTheResults: run `make bench-page` when it fails.
func TestPageShowsTheResults(t *testing.T) {
	t.Parallel()
	r, err := loadResults(filepath.Join(repository, "docs", "benchmarks.json"))
	if err != nil {
		t.Fatal(err)
	}
	page, err := os.ReadFile(filepath.Join(repository, "docs", "benchmarks.md"))
	if err != nil {
		t.Fatal(err)
	}
	if got, _ := docblock.Get(string(page), "benchmarks"); got != r.markdown() || r.Quick {
		t.Error("docs/benchmarks.md does not show docs/benchmarks.json, or that is of a quick run: make bench-page")
	}
}

func TestGoalsAreJudged(t *testing.T) {
	t.Parallel()
	good := &Results{
		Posts:      []PostResult{{Client: sdkPool, CPUMicroseconds: 100}, {Client: sdkSized, CPUMicroseconds: 90}, {Client: ours, CPUMicroseconds: 45}},
		Freezes:    []FreezeResult{{Client: handMade, Posts: 100, Lost: 30}, {Client: ours, Posts: 100}},
		Broadcasts: []BroadcastResult{{Recipients: 1, P50Ms: 2.9, P95Ms: 9.9}, {Recipients: 100, P50Ms: 9}, {Recipients: 1000, P50Ms: 79}},
		Starts:     []StartResult{{Function: emptyFunction, Times: 1}, {Function: "SignUrlFunction", Times: 1.5}, {Function: "ConnectFunction", Times: 2}},
		Ready:      ReadyResult{ReadyMs: 499, IdleMB: 49},
	}
	for _, g := range good.goals() {
		if !g.Reached {
			t.Errorf("missed %+v", g)
		}
	}
	bad := &Results{
		Posts:      []PostResult{{Client: sdkPool, CPUMicroseconds: 100}, {Client: sdkSized, CPUMicroseconds: 80}, {Client: ours, CPUMicroseconds: 45}},
		Freezes:    []FreezeResult{{Client: ours, Posts: 100, Lost: 1}},
		Broadcasts: []BroadcastResult{{Recipients: 1, P50Ms: 3, P95Ms: 10, Lost: 1}, {Recipients: 100, P50Ms: 10}, {Recipients: 1000, P50Ms: 80}},
		Starts:     []StartResult{{Function: "SignUrlFunction", Times: 1.6}, {Function: "ConnectFunction", Times: 2.1}},
		Ready:      ReadyResult{ReadyMs: 500, IdleMB: 50},
	}
	if len(bad.goals()) != len(good.goals()) {
		t.Errorf("%d goals of bad results, %d of good ones", len(bad.goals()), len(good.goals()))
	}
	for _, g := range bad.goals() {
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
