package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"time"

	"signedsocket/localstage"
)

// The function that the others are compared with.
const emptyFunction, emptyPackage = "an empty function", "./tools/bench/testdata/empty"

// measureStarts starts each function in Go a number of times, in turns, the empty one first: from exec to the first
// request for an event.
func (r *Results) measureStarts(ctx context.Context, w workshop, e effort) error {
	loaded, err := localstage.LoadTemplate(filepath.Join(w.root, "template.yaml"), nil)
	if err != nil {
		return err
	}
	names, environment := []string{emptyFunction}, map[string][]string{}
	for _, f := range loaded.Functions {
		if f.LogicalID == frontendFunction {
			continue
		}
		names = append(names, f.LogicalID)
		environment[f.LogicalID] = []string{"AWS_LAMBDA_FUNCTION_MEMORY_SIZE=" + strconv.Itoa(f.MemoryMB)}
		for name, value := range f.Environment {
			environment[f.LogicalID] = append(environment[f.LogicalID], name+"="+value)
		}
	}
	took, peak := map[string][]time.Duration{}, map[string]float64{}
	for range e.starts {
		for _, name := range names {
			once, memory, err := start(ctx, w.bootstrap(name), environment[name])
			if err != nil {
				return fmt.Errorf("%s: %w", name, err)
			}
			took[name], peak[name] = append(took[name], once), max(peak[name], memory)
		}
	}
	empty := 0.0
	for _, name := range names {
		binary, err := os.Stat(w.bootstrap(name))
		if err != nil {
			return err
		}
		slices.Sort(took[name])
		median := milliseconds(took[name][e.starts/2])
		empty = cmp.Or(empty, median)
		r.add(Measurement{"Start/" + name, map[string]float64{
			"ms": median, "× empty": median / empty,
			"peak-MB": peak[name], "binary-MB": float64(binary.Size()) / (1 << 20),
		}})
	}
	return nil
}

// start runs a program up to its first request for an event. It returns the time that it took, and the most memory that
// it had.
func start(ctx context.Context, path string, environment []string) (took time.Duration, peakMB float64, err error) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return 0, 0, err
	}
	next, release := make(chan time.Time, 1), make(chan struct{})
	server := &http.Server{
		ReadHeaderTimeout: time.Minute,
		Handler:           http.HandlerFunc(func(http.ResponseWriter, *http.Request) { next <- time.Now(); <-release }),
	}
	go func() { _ = server.Serve(listener) }() // ends with Close
	defer server.Close()
	defer close(release)
	command := exec.CommandContext(ctx, path)
	command.Stderr = os.Stderr
	command.Env = append([]string{
		"AWS_LAMBDA_RUNTIME_API=" + listener.Addr().String(), "_HANDLER=bootstrap", "AWS_LAMBDA_FUNCTION_NAME=bench",
		"AWS_REGION=" + localstage.Region, "AWS_DEFAULT_REGION=" + localstage.Region,
		"AWS_ACCESS_KEY_ID=AKIDEXAMPLE", "AWS_SECRET_ACCESS_KEY=wJalrXUtnFEMI", "AWS_SESSION_TOKEN=token",
		"AWS_CONFIG_FILE=" + os.DevNull, "AWS_SHARED_CREDENTIALS_FILE=" + os.DevNull,
	}, environment...)
	started := time.Now()
	if err := command.Start(); err != nil {
		return 0, 0, err
	}
	defer func() { _ = command.Wait() }() // it was killed
	defer func() { err = errors.Join(err, command.Process.Kill()) }()
	select {
	case at := <-next:
		return at.Sub(started), memory(command.Process.Pid, "VmHWM:"), nil
	case <-time.After(20 * time.Second):
		return 0, 0, errors.New("it has not asked for an event")
	case <-ctx.Done():
		return 0, 0, ctx.Err()
	}
}

func milliseconds(d time.Duration) float64 { return float64(d.Microseconds()) / 1000 }
