package e2e_test

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"signedsocket/localstage"
	"signedsocket/localstage/stagetest"
)

// BenchmarkStart measures the start of each function in Go, from exec to the first request for an event. It starts an
// empty function beside each:
//
//	go test -run '^$' -bench Start -benchtime 25x ./test/e2e
//
// The functions are those in the folder that SIGNEDSOCKET_FUNCTIONS names. Without it the benchmark builds them.
func BenchmarkStart(b *testing.B) {
	folder := os.Getenv("SIGNEDSOCKET_FUNCTIONS")
	if folder == "" {
		folder = stagetest.Artifacts(b)
	}
	loaded, err := localstage.LoadTemplate(stagetest.Template(), nil)
	if err != nil {
		b.Fatal(err)
	}
	programs := []program{emptyProgram(b)}
	for _, f := range loaded.Functions {
		if f.LogicalID == stagetest.FrontendFunction {
			continue
		}
		environment := []string{"AWS_LAMBDA_FUNCTION_MEMORY_SIZE=" + strconv.Itoa(f.MemoryMB)}
		for name, value := range f.Environment {
			environment = append(environment, name+"="+value)
		}
		programs = append(programs, program{f.LogicalID, filepath.Join(folder, f.LogicalID, "bootstrap"), environment})
	}
	for _, p := range programs {
		b.Run(p.name, func(b *testing.B) { p.measure(b, programs[0]) })
	}
}

// program is a function's program.
type program struct {
	name, path  string
	environment []string
}

// emptyProgram builds a function that does nothing.
func emptyProgram(b *testing.B) program {
	b.Helper()
	p := program{name: "an empty function", path: filepath.Join(b.TempDir(), "bootstrap")}
	build := exec.CommandContext(b.Context(), "tools/sh/build-function.sh", "./test/e2e/testdata/empty", p.path)
	build.Dir = stagetest.Root()
	if output, err := build.CombinedOutput(); err != nil {
		b.Fatalf("build %s: %v\n%s", p.name, err, output)
	}
	return p
}

// measure starts the program and the empty one in turns, so that another load of the machine meets both.
func (p program) measure(b *testing.B, empty program) {
	took, peak := map[string][]time.Duration{}, map[string]float64{}
	for b.Loop() {
		for _, started := range []program{empty, p} {
			once, memory := started.start(b)
			took[started.name] = append(took[started.name], once)
			peak[started.name] = max(peak[started.name], memory)
		}
	}
	median := func(name string) float64 {
		slices.Sort(took[name])
		return float64(took[name][len(took[name])/2].Microseconds()) / 1000
	}
	binary, err := os.Stat(p.path)
	if err != nil {
		b.Fatal(err)
	}
	b.ReportMetric(median(p.name), "ms")
	b.ReportMetric(median(p.name)/median(empty.name), "×-empty")
	b.ReportMetric(peak[p.name], "peak-MB")
	b.ReportMetric(float64(binary.Size())/(1<<20), "binary-MB")
}

// start runs the program up to its first request for an event. It returns how long that took, and the most memory that
// the process had; 0 where there is no /proc.
func (p program) start(b *testing.B) (took time.Duration, peakMB float64) {
	b.Helper()
	ctx, cancel := context.WithTimeout(b.Context(), 20*time.Second)
	defer cancel()
	asked, release := make(chan time.Time, 1), make(chan struct{})
	lambda := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {
		asked <- time.Now()
		<-release
	}))
	defer lambda.Close()
	defer close(release)
	command := exec.CommandContext(ctx, p.path)
	command.Stderr = os.Stderr
	command.Env = append([]string{
		"AWS_LAMBDA_RUNTIME_API=" + lambda.Listener.Addr().String(), "_HANDLER=bootstrap",
		"AWS_LAMBDA_FUNCTION_NAME=bench", "AWS_REGION=" + localstage.Region, "AWS_DEFAULT_REGION=" + localstage.Region,
		"AWS_ACCESS_KEY_ID=AKIDEXAMPLE", "AWS_SECRET_ACCESS_KEY=wJalrXUtnFEMI", "AWS_SESSION_TOKEN=token",
		"AWS_CONFIG_FILE=" + os.DevNull, "AWS_SHARED_CREDENTIALS_FILE=" + os.DevNull,
	}, p.environment...)
	started := time.Now()
	if err := command.Start(); err != nil {
		b.Fatal(err)
	}
	defer func() { _ = command.Process.Kill(); _ = command.Wait() }()
	select {
	case at := <-asked:
		status, _ := os.ReadFile(fmt.Sprintf("/proc/%d/status", command.Process.Pid))
		_, peak, _ := strings.Cut(string(status), "\nVmHWM:")
		_, _ = fmt.Sscan(peak, &peakMB) // kilobytes
		return at.Sub(started), peakMB / 1024
	case <-ctx.Done():
		b.Fatalf("%s has not asked for an event: %v", p.name, ctx.Err())
		return 0, 0
	}
}
