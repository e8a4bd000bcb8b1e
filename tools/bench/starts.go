package main

import (
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

// emptyFunction is what the others are compared with.
const emptyFunction = "an empty function"

// program is a function to start.
type program struct {
	name        string
	environment []string
}

// programs returns the functions of the template that are Go, the empty one first.
func (w workshop) programs() ([]program, error) {
	loaded, err := localstage.LoadTemplate(filepath.Join(w.root, "template.yaml"), nil)
	if err != nil {
		return nil, err
	}
	all := []program{{name: emptyFunction}}
	for _, f := range loaded.Functions {
		if f.LogicalID == frontendFunction {
			continue
		}
		environment := []string{"AWS_LAMBDA_FUNCTION_MEMORY_SIZE=" + strconv.Itoa(f.MemoryMB)}
		for name, value := range f.Environment {
			environment = append(environment, name+"="+value)
		}
		all = append(all, program{f.LogicalID, environment})
	}
	return all, nil
}

// measureStarts starts each function a number of times, in turns: from exec to the first request for an event.
func (r *Results) measureStarts(ctx context.Context, w workshop, e effort) error {
	all, err := w.programs()
	if err != nil {
		return err
	}
	took, peak := make([][]time.Duration, len(all)), make([]float64, len(all))
	for range e.starts {
		for i, p := range all {
			once, memory, err := p.start(ctx, w.bootstrap(p.name))
			if err != nil {
				return fmt.Errorf("%s: %w", p.name, err)
			}
			took[i], peak[i] = append(took[i], once), max(peak[i], memory)
		}
	}
	for i, p := range all {
		binary, err := os.Stat(w.bootstrap(p.name))
		if err != nil {
			return err
		}
		slices.Sort(took[i])
		start, empty := milliseconds(took[i][e.starts/2]), milliseconds(took[0][e.starts/2])
		r.add(Measurement{"Start/" + p.name, map[string]float64{
			"ms": start, "× empty": start / empty, "binary-MB": float64(binary.Size()) / (1 << 20), "peak-MB": peak[i],
		}})
	}
	return nil
}

// start runs the program up to its first request for an event, and returns how long that took and how much memory
// it had at most.
func (p program) start(ctx context.Context, path string) (took time.Duration, peakMB float64, err error) {
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
	}, p.environment...)
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
