package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"text/template"

	"signedsocket/tools/docblock"
)

// TestPageShowsTheResults compares docs/benchmarks.md with the results beside it. With UPDATE_DOCS=1 it takes over the
// results of the last make bench.
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
	text, invalid := markdown(r)
	if err := errors.Join(err, invalid); err != nil {
		t.Fatal(err)
	}
	page := filepath.Join(repository, "docs", "benchmarks.md")
	docblock.Check(t, "make bench-page", page, map[string]string{"benchmarks": text})
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

// markdown writes the results for docs/benchmarks.md: the charts, which only the page has, before the tables.
func markdown(r *Results) (string, error) {
	page, err := tables().Funcs(template.FuncMap{
		"greatest": func(all []Measurement, unit string) (greatest float64) {
			for _, m := range all {
				greatest = max(greatest, m.Values[unit])
			}
			return math.Ceil(greatest)
		},
		"list": func(all []Measurement, unit string) string {
			var values []string
			for _, m := range all {
				values = append(values, fmt.Sprintf("%.1f", m.Values[unit]))
			}
			return strings.Join(values, ", ")
		},
	}).ParseFiles("testdata/page.md.tmpl")
	if err != nil {
		return "", err
	}
	var text strings.Builder
	err = page.ExecuteTemplate(&text, "page.md.tmpl", r)
	return text.String(), err
}
