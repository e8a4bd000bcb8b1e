package main

import (
	"bytes"
	_ "embed"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"regexp"
	"runtime"
	"strconv"
	"strings"
	"text/tabwriter"
	"text/template"
	"time"
)

// Results are what one run has measured.
type Results struct {
	Machine  string        `json:"machine"` // when and where
	Quick    bool          `json:"quick"`   // a run that only shows that everything works
	Measured []Measurement `json:"measured"`
}

// Measurement is what was measured at once: values by unit.
type Measurement struct {
	Name   string             `json:"name"` // such as "Post/10ms/shared/callback"
	Values map[string]float64 `json:"values"`
}

func (r *Results) add(m Measurement) { r.Measured = append(r.Measured, m) }

// Of returns the measurements whose names begin like this, by the rest of their names.
func (r *Results) Of(begin string) (found []Measurement) {
	for _, m := range r.Measured {
		if name, ok := strings.CutPrefix(m.Name, begin); ok {
			found = append(found, Measurement{name, m.Values})
		}
	}
	return found
}

// Value returns a value of the measurement with this name, or 0 without it.
func (r *Results) Value(name, unit string) float64 {
	for _, m := range r.Measured {
		if m.Name == name {
			return m.Values[unit]
		}
	}
	return 0
}

// machine says when and where a run was made.
func machine(root string) string {
	text := fmt.Sprintf("%s, %s/%s, %d processors", time.Now().Format(time.DateOnly), runtime.GOOS, runtime.GOARCH,
		runtime.NumCPU())
	processors, _ := os.ReadFile("/proc/cpuinfo") // Linux has it
	if _, model, found := strings.Cut(string(processors), "\nmodel name\t: "); found {
		model, _, _ = strings.Cut(model, "\n")
		text += " (" + model + ")"
	}
	text += ", " + runtime.Version()
	if commit, err := exec.Command("git", "-C", root, "describe", "--always", "--dirty").Output(); err == nil {
		text += ", commit " + strings.TrimSpace(string(commit))
	}
	if load, err := os.ReadFile("/proc/loadavg"); err == nil {
		text += ", load " + strings.Fields(string(load))[0] + " at the start"
	}
	return text + "."
}

// save writes the results to a file.
func (r *Results) save(path string) error {
	data, err := json.MarshalIndent(r, "", "  ")
	if err := errors.Join(err, os.WriteFile(path, append(data, '\n'), 0o644)); err != nil {
		return fmt.Errorf("write results: %w", err)
	}
	return nil
}

//go:embed tables.md.tmpl
var tablesText string

// tables returns the templates "all" and "alone", which write results as Markdown.
func tables() *template.Template {
	return template.Must(template.New("").Funcs(template.FuncMap{
		"recipients": recipients,
		"divide":     func(by, value float64) float64 { return value / by },
		"number":     func(text string) (float64, error) { return strconv.ParseFloat(text, 64) },
		"memory": func(megabytes float64) string {
			if megabytes == 0 { // could not be read
				return "–"
			}
			return fmt.Sprintf("%.1f MB", megabytes)
		},
	}).Parse(tablesText))
}

// print writes the results for a terminal, with one of the templates. The tables get columns.
func (r *Results) print(w io.Writer, name string) error {
	var text bytes.Buffer
	if err := tables().ExecuteTemplate(&text, name, r); err != nil {
		return err
	}
	columns := tabwriter.NewWriter(w, 0, 0, 1, ' ', 0)
	for line := range strings.Lines(text.String()) {
		if !strings.HasPrefix(line, "|---") {
			fmt.Fprint(columns, strings.ReplaceAll(line, " | ", "\t| "))
		}
	}
	return columns.Flush()
}

// recipients shows "1 recipient" or "5,000 recipients".
func recipients(n string) string {
	if n == "1" {
		return "1 recipient"
	}
	return regexp.MustCompile(`(\d)(\d{3})$`).ReplaceAllString(n, "$1,$2") + " recipients"
}
