package main

import (
	"bufio"
	_ "embed"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"text/tabwriter"
	"text/template"
	"time"
)

// Results are what one run has measured.
type Results struct {
	Machine    Machine           `json:"machine"`
	Quick      bool              `json:"quick"` // a run that only shows that everything works
	Posts      []PostResult      `json:"posts"`
	Freezes    []FreezeResult    `json:"freezes"`
	Broadcasts []BroadcastResult `json:"broadcasts"`
	Starts     []StartResult     `json:"starts"`
	Ready      ReadyResult       `json:"ready"`
	idle       IdleResult
}

// Machine is where and when a run was made.
type Machine struct {
	At          string `json:"at"` // day
	Processors  int    `json:"processors"`
	Model       string `json:"model"` // of the processor; empty when nothing tells
	System      string `json:"system"`
	Go          string `json:"go"`
	Commit      string `json:"commit"`      // empty outside of a repository
	LoadAtStart string `json:"loadAtStart"` // average of the minute before; empty when nothing tells
}

// thisMachine looks where it is.
func thisMachine(root string) Machine {
	m := Machine{
		At: time.Now().Format(time.DateOnly), Processors: runtime.NumCPU(), System: runtime.GOOS + "/" + runtime.GOARCH,
		Go: runtime.Version(),
	}
	command := exec.Command("git", "describe", "--always", "--dirty")
	command.Dir = root
	if commit, err := command.Output(); err == nil {
		m.Commit = strings.TrimSpace(string(commit))
	}
	if load, err := os.ReadFile("/proc/loadavg"); err == nil {
		m.LoadAtStart, _, _ = strings.Cut(string(load), " ")
	}
	processors, _ := os.ReadFile("/proc/cpuinfo") // Linux has it
	if _, model, found := strings.Cut(string(processors), "\nmodel name\t: "); found {
		m.Model, _, _ = strings.Cut(model, "\n")
	}
	return m
}

// save writes the results to a file.
func (r *Results) save(path string) error {
	data, err := json.MarshalIndent(r, "", "  ")
	err = errors.Join(err, os.MkdirAll(filepath.Dir(path), 0o750))
	if err := errors.Join(err, os.WriteFile(path, append(data, '\n'), 0o644)); err != nil {
		return fmt.Errorf("write results: %w", err)
	}
	return nil
}

// loadResults reads what save has written.
func loadResults(path string) (*Results, error) {
	data, err := os.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("read results: %w (make bench writes them)", err)
	}
	var r Results
	if err := json.Unmarshal(data, &r); err != nil {
		return nil, fmt.Errorf("read results %s: %w", path, err)
	}
	return &r, nil
}

// pageText has the templates "page", for docs/benchmarks.md, and "all" and "alone", for the terminal.
//
//go:embed page.md.tmpl
var pageText string

// markdown writes one of the templates.
func (r *Results) markdown(name string) (string, error) {
	page, err := template.New("").Funcs(template.FuncMap{
		"recipients": recipients,
		"ratio":      func(a, b float64) float64 { return a / b },
		"each":       func(ms float64, n int) float64 { return 1000 * ms / float64(n) },
		"memory": func(megabytes float64) string {
			if megabytes == 0 { // could not be read
				return "–"
			}
			return fmt.Sprintf("%.1f MB", megabytes)
		},
	}).Parse(pageText)
	if err != nil {
		return "", err
	}
	var text strings.Builder
	err = page.ExecuteTemplate(&text, name, r)
	return text.String(), err
}

// print writes the results for a terminal: as Markdown whose tables have columns.
func (r *Results) print(w io.Writer, name string) error {
	text, err := r.markdown(name)
	if err != nil {
		return err
	}
	columns := tabwriter.NewWriter(w, 0, 0, 1, ' ', 0)
	for lines := bufio.NewScanner(strings.NewReader(text)); lines.Scan(); {
		if line := lines.Text(); !strings.HasPrefix(line, "|---") {
			fmt.Fprintln(columns, strings.ReplaceAll(line, " | ", "\t| "))
		}
	}
	return columns.Flush()
}

// At returns the posts against the endpoint with a latency.
func (r *Results) At(milliseconds int64) []PostResult {
	var found []PostResult
	for _, p := range r.Posts {
		if p.LatencyMs == milliseconds {
			found = append(found, p)
		}
	}
	return found
}

// CPU returns the CPU time of a client's post, in µs; 0 when it was not measured.
func (r *Results) CPU(client string, latencyMs int64) float64 {
	for _, p := range r.At(latencyMs) {
		if p.Client == client {
			return p.CPUMicroseconds
		}
	}
	return 0
}

// MostCPU returns the greatest value of the first chart.
func (r *Results) MostCPU() (most float64) {
	for _, p := range r.At(10) {
		most = max(most, p.CPUMicroseconds)
	}
	return math.Ceil(most)
}

// LongestMs returns the greatest value of the second chart.
func (r *Results) LongestMs() (longest float64) {
	for _, b := range r.Broadcasts {
		longest = max(longest, b.P95Ms)
	}
	return math.Ceil(longest)
}
