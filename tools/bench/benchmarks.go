package main

import (
	"bufio"
	"cmp"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// The programs with the benchmarks, and the packages that they are built from.
const (
	postProgram, postPackage   = "callback.test", "./shared/callback"
	stageProgram, stagePackage = "e2e.test", "./test/e2e"
)

// room is the size of a room, and how many messages are sent to it.
type room struct{ recipients, messages int }

// benchmark runs benchmarks of a program for a time, or so many times as "10x" says. It passes on the figures of each
// as soon as it ends.
func (w workshop) benchmark(ctx context.Context, program, pattern, benchtime string, each func(Measurement)) error {
	arguments := []string{"-test.run=^$", "-test.bench=" + pattern, "-test.benchtime=" + benchtime, "-test.timeout=20m"}
	command := exec.CommandContext(ctx, filepath.Join(w.folder, program), arguments...)
	command.Dir, command.Stderr = w.folder, os.Stderr
	command.Env = append(append(os.Environ(), "SIGNEDSOCKET_FUNCTIONS="+w.functions), w.environment...)
	output, err := command.StdoutPipe()
	if err != nil {
		return err
	}
	if err := command.Start(); err != nil {
		return err
	}
	found, printed := false, strings.Builder{}
	for lines := bufio.NewScanner(output); lines.Scan(); {
		fmt.Fprintln(&printed, lines.Text())
		if m, ok := parse(lines.Text()); ok {
			found = true
			each(m)
		}
	}
	if err := command.Wait(); err != nil {
		return fmt.Errorf("%s, %s: %w\n%s", program, pattern, err, &printed)
	}
	if !found {
		return fmt.Errorf("%s has no benchmark %s", program, pattern)
	}
	return nil
}

// parse reads a line of a benchmark: name, rounds, and values before their units.
func parse(line string) (Measurement, bool) {
	fields := strings.Fields(line)
	name, ok := strings.CutPrefix(line, "Benchmark")
	if !ok || len(fields) < 4 {
		return Measurement{}, false
	}
	name = regexp.MustCompile(`-\d+$`).ReplaceAllString(strings.Fields(name)[0], "") // processors
	m := Measurement{strings.ReplaceAll(name, "_", " "), map[string]float64{}}
	for i := 2; i+1 < len(fields); i += 2 {
		value, err := strconv.ParseFloat(fields[i], 64)
		if err != nil {
			return Measurement{}, false
		}
		m.Values[fields[i+1]] = value
	}
	return m, true
}

// measurePosts compares the ways to post. They take turns, so that whatever else the machine does meets all of them.
func (r *Results) measurePosts(ctx context.Context, w workshop, e effort) error {
	var all []Measurement
	for range e.rounds {
		err := w.benchmark(ctx, postProgram, "^BenchmarkPost$", e.posts, func(m Measurement) { all = append(all, m) })
		if err != nil {
			return err
		}
	}
	for first := range all[:len(all)/e.rounds] { // each round has the same benchmarks
		var samples []Measurement
		for i := first; i < len(all); i += len(all) / e.rounds {
			samples = append(samples, all[i])
		}
		r.add(median(samples))
	}
	return nil
}

// median returns the sample with the middle of the processor times. It counts the lost messages of all samples.
func median(samples []Measurement) Measurement {
	const processorTime, lost = "cpu-µs/post", "lost"
	slices.SortFunc(samples, func(a, b Measurement) int {
		return cmp.Compare(a.Values[processorTime], b.Values[processorTime])
	})
	sum := 0.0
	for _, s := range samples {
		sum += s.Values[lost]
	}
	middle := samples[len(samples)/2]
	middle.Values[lost] = sum
	return middle
}

// measureFreezes has each way post between freezes.
func (r *Results) measureFreezes(ctx context.Context, w workshop, e effort) error {
	return w.benchmark(ctx, postProgram, "^BenchmarkFreeze$", fmt.Sprint(e.freezes, "x"), r.add)
}

// measureStarts starts each function in Go, an empty one beside it.
func (r *Results) measureStarts(ctx context.Context, w workshop, e effort) error {
	return w.benchmark(ctx, stageProgram, "^BenchmarkStart$", fmt.Sprint(e.starts, "x"), r.add)
}

// measureBroadcasts sends messages to rooms of several sizes on a stage in a process of its own, without history.
func (r *Results) measureBroadcasts(ctx context.Context, w workshop, e effort) error {
	return w.withStage(ctx, "broadcast", outputsVariable, "0", func(s *runningStage) error {
		for _, room := range e.rooms {
			pattern := fmt.Sprintf("^BenchmarkBroadcast$/^recipients=%d$", room.recipients)
			err := w.benchmark(ctx, stageProgram, pattern, fmt.Sprint(room.messages, "x"), func(m Measurement) {
				m.Values["stage-MB"] = s.memory() // the connections are still open
				sender := filepath.Join(w.functions, "SendMessageFunction", "bootstrap")
				fanout := filepath.Join(w.functions, "FanoutFunction", "bootstrap")
				m.Values["function-MB"] = peakMemoryOf(sender, fanout)
				r.add(m)
			})
			if err != nil {
				return err
			}
		}
		return nil
	})
}

// measureHistory sends the same messages in turn on two stages, with history and without. On the first one it also
// reads pages, and lets clients come back that have missed messages.
func (r *Results) measureHistory(ctx context.Context, w workshop, e effort) error {
	return w.withStage(ctx, "without", withoutHistory, "0", func(*runningStage) error {
		return w.withStage(ctx, "with", outputsVariable, "7", func(*runningStage) error {
			return errors.Join(
				w.benchmark(ctx, stageProgram, "^BenchmarkHistory$", fmt.Sprint(e.messages, "x"), r.add),
				w.benchmark(ctx, stageProgram, "^BenchmarkPage$", fmt.Sprint(e.pages, "x"), r.add),
				w.benchmark(ctx, stageProgram, "^BenchmarkResume$", fmt.Sprint(e.returns, "x"), r.add))
		})
	})
}

// measureIdle has the stage hold connections on which nothing happens.
func (r *Results) measureIdle(ctx context.Context, w workshop, e effort) error {
	return w.withStage(ctx, "alone", outputsVariable, "0", func(s *runningStage) error {
		before := s.memory()
		return w.benchmark(ctx, stageProgram, "^BenchmarkHeld$", fmt.Sprint(e.connections, "x"), func(m Measurement) {
			m.Values["connections"] = float64(e.connections)
			m.Values["KB/connection"] = max(0, s.memory()-before) * 1024 / float64(e.connections)
			r.add(m)
		})
	})
}
