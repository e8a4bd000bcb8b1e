package main

import (
	"bufio"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
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
}

// Machine is where and when a run was made.
type Machine struct {
	At          string `json:"at"` // day
	Processors  int    `json:"processors"`
	Model       string `json:"model"` // of the processor; empty when nothing tells
	System      string `json:"system"`
	Go          string `json:"go"`
	Commit      string `json:"commit"`      // empty outside of a repository
	LoadAtStart string `json:"loadAtStart"` // programs that wanted a processor on average of the minute before; empty when nothing tells
}

// thisMachine looks where it is.
func thisMachine(root string) Machine {
	m := Machine{
		At: time.Now().Format(time.DateOnly), Processors: runtime.NumCPU(), Model: processorModel(),
		System: runtime.GOOS + "/" + runtime.GOARCH, Go: runtime.Version(),
	}
	command := exec.Command("git", "describe", "--always", "--dirty")
	command.Dir = root
	if commit, err := command.Output(); err == nil {
		m.Commit = strings.TrimSpace(string(commit))
	}
	if load, err := os.ReadFile("/proc/loadavg"); err == nil {
		m.LoadAtStart, _, _ = strings.Cut(string(load), " ")
	}
	return m
}

func processorModel() string {
	file, err := os.Open("/proc/cpuinfo")
	if err != nil {
		return ""
	}
	defer file.Close()
	for lines := bufio.NewScanner(file); lines.Scan(); {
		if name, value, found := strings.Cut(lines.Text(), ":"); found && strings.TrimSpace(name) == "model name" {
			return strings.TrimSpace(value)
		}
	}
	return ""
}

// save writes the results to a file.
func (r *Results) save(path string) error {
	data, err := json.MarshalIndent(r, "", "  ")
	if err != nil {
		return fmt.Errorf("encode results: %w", err)
	}
	if err := os.MkdirAll(filepath.Dir(path), 0o750); err != nil {
		return fmt.Errorf("write results: %w", err)
	}
	if err := os.WriteFile(path, append(data, '\n'), 0o644); err != nil {
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

// post finds the result of a client; zero when it was not measured.
func (r *Results) post(client string, latencyMs int64) PostResult {
	for _, p := range r.Posts {
		if p.Client == client && p.LatencyMs == latencyMs {
			return p
		}
	}
	return PostResult{}
}
