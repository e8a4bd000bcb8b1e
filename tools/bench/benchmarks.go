package main

import (
	"bufio"
	"cmp"
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// PostResult is what posts took in one of the ways, against an endpoint that takes its time for each.
type PostResult struct {
	Client          string  `json:"client"`
	LatencyMs       int64   `json:"latencyMs"`
	PostsPerSecond  float64 `json:"postsPerSecond"`
	CPUMicroseconds float64 `json:"cpuMicrosecondsPerPost"`
	Lost            int     `json:"lost"`
}

// FreezeResult is what became of posts after freezes in which the endpoint closed the idle connections.
type FreezeResult struct {
	Client    string  `json:"client"`
	Posts     int     `json:"posts"`
	Lost      int     `json:"lost"`
	SlowestMs float64 `json:"slowestRoundMs"`
}

// BroadcastResult is how long messages to a room took, from the sender's frame to the last receiver.
type BroadcastResult struct {
	Recipients int     `json:"recipients"` // beside the sender, who gets it, too
	Messages   int     `json:"messages"`
	P50Ms      float64 `json:"p50Ms"`
	P95Ms      float64 `json:"p95Ms"`
	Lost       int     `json:"lost"`
	FunctionMB float64 `json:"functionMB"` // peak memory of the largest process that posted, so far
	StageMB    float64 `json:"stageMB"`    // memory of the stage that holds the connections
}

// The ways to post that goals are about, as BenchmarkPost names them.
const (
	sdkPool  = "SDK, 64 at a time"
	sdkSized = "SDK, 64 and a larger pool"
	ours     = "shared/callback"
)

// The packages with benchmarks, and the programs that they are built into.
const (
	postPackage, postProgram           = "shared/callback", "callback.test"
	broadcastPackage, broadcastProgram = "test/e2e", "e2e.test"
)

// room is the size of a room, and how many messages are sent to it.
type room struct{ recipients, messages int }

// measurement is what a benchmark printed: its name below the top, and its values by unit.
type measurement struct {
	name   string
	values map[string]float64
}

// benchmark runs benchmarks of a program for a time, or so many times as "10x" says, and hands over what each printed.
func (w workshop) benchmark(ctx context.Context, program, pattern, benchtime string, each func(measurement)) error {
	arguments := []string{"-test.run=^$", "-test.bench=" + pattern, "-test.benchtime=" + benchtime, "-test.timeout=20m"}
	command := exec.CommandContext(ctx, filepath.Join(w.folder, program), arguments...)
	command.Dir, command.Stderr = w.folder, os.Stderr
	command.Env = append(os.Environ(), w.environment...)
	output, err := command.StdoutPipe()
	if err != nil {
		return err
	}
	if err := command.Start(); err != nil {
		return fmt.Errorf("run %s: %w", program, err)
	}
	found, printed := 0, strings.Builder{}
	for lines := bufio.NewScanner(output); lines.Scan(); {
		fmt.Fprintln(&printed, lines.Text())
		if m, ok := parse(lines.Text()); ok {
			found++
			each(m)
		}
	}
	if err := command.Wait(); err != nil || found == 0 {
		return fmt.Errorf("%s measured %d benchmarks like %s: %w\n%s", program, found, pattern, err, &printed)
	}
	return nil
}

// parse reads a line of a benchmark: name, rounds, and values before their units.
func parse(line string) (measurement, bool) {
	fields := strings.Fields(line)
	if len(fields) < 4 || !strings.HasPrefix(fields[0], "Benchmark") {
		return measurement{}, false
	}
	_, name, _ := strings.Cut(fields[0], "/")
	name = regexp.MustCompile(`-\d+$`).ReplaceAllString(name, "") // processors
	m := measurement{strings.ReplaceAll(name, "_", " "), map[string]float64{}}
	for i := 2; i+1 < len(fields); i += 2 {
		value, err := strconv.ParseFloat(fields[i], 64)
		if err != nil {
			return measurement{}, false
		}
		m.values[fields[i+1]] = value
	}
	return m, true
}

// measurePosts compares the ways to post. They take turns, so that whatever else the machine does meets all of them.
func (r *Results) measurePosts(ctx context.Context, w workshop, e effort) error {
	samples, names := map[string][]PostResult{}, []string{}
	for range e.rounds {
		err := w.benchmark(ctx, postProgram, "^BenchmarkPost$", e.posts, func(m measurement) {
			latency, client, _ := strings.Cut(m.name, "ms/")
			milliseconds, _ := strconv.ParseInt(latency, 10, 64) // the benchmark writes numbers
			if samples[m.name] == nil {
				names = append(names, m.name)
			}
			samples[m.name] = append(samples[m.name], PostResult{
				client, milliseconds, m.values["posts/s"], m.values["cpu-µs/post"], int(m.values["lost"]),
			})
		})
		if err != nil {
			return err
		}
	}
	for _, name := range names {
		r.Posts = append(r.Posts, median(samples[name]))
	}
	return nil
}

// median returns the sample with the middle of the processor times. What any sample lost is lost.
func median(samples []PostResult) PostResult {
	slices.SortFunc(samples, func(a, b PostResult) int { return cmp.Compare(a.CPUMicroseconds, b.CPUMicroseconds) })
	middle := samples[len(samples)/2]
	middle.Lost = 0
	for _, s := range samples {
		middle.Lost += s.Lost
	}
	return middle
}

// measureFreezes has each way post, freezes the process while the endpoint closes its idle connections, and so on.
func (r *Results) measureFreezes(ctx context.Context, w workshop, e effort) error {
	return w.benchmark(ctx, postProgram, "^BenchmarkFreeze$", fmt.Sprintf("%dx", e.freezes), func(m measurement) {
		r.Freezes = append(r.Freezes, FreezeResult{
			m.name, int(m.values["posts"]), int(m.values["lost"]), m.values["slowest-ms"],
		})
	})
}

// measureBroadcasts sends messages to rooms of several sizes on a stage in a process of its own.
func (r *Results) measureBroadcasts(ctx context.Context, w workshop, e effort) (err error) {
	s, err := startStage(ctx, w, "broadcast")
	if err != nil {
		return err
	}
	defer s.close(&err)
	w.environment = []string{s.variable()}
	for _, room := range e.rooms {
		pattern, messages := fmt.Sprintf("^BenchmarkBroadcast$/^recipients=%d$", room.recipients), fmt.Sprint(room.messages, "x")
		err := w.benchmark(ctx, broadcastProgram, pattern, messages, func(m measurement) { // the connections are open
			result := BroadcastResult{
				Recipients: room.recipients, Messages: room.messages, Lost: int(m.values["lost"]),
				P50Ms: m.values["p50-ms"], P95Ms: m.values["p95-ms"], StageMB: residentMemory(s.process.Process.Pid),
			}
			for _, name := range []string{"SendMessageFunction", "FanoutFunction"} {
				result.FunctionMB = max(result.FunctionMB, peakMemoryOf(w.bootstrap(name)))
			}
			r.Broadcasts = append(r.Broadcasts, result)
		})
		if err != nil {
			return err
		}
	}
	return nil
}
