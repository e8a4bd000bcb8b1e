package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
)

// event is what `go test -json` says; see `go doc test2json`.
type event struct {
	Action, Package, Test, Output string
}

// results are the tests by name, subtests among them, as in TestX/some_case.
type results struct {
	said           map[string][]byte // by package and test
	passed, failed map[string]bool
	leftOut        map[string]string // with the reason
}

// collect reads the events of a run, and shows the whole output of what fails as soon as it has failed.
func collect(events io.Reader, out io.Writer) (*results, error) {
	found := &results{map[string][]byte{}, map[string]bool{}, map[string]bool{}, map[string]string{}}
	decoder := json.NewDecoder(events)
	for {
		var e event
		if err := decoder.Decode(&e); errors.Is(err, io.EOF) {
			return found, nil
		} else if err != nil {
			return nil, fmt.Errorf("read the events of go test: %w", err)
		}
		found.take(e, out)
	}
}

func (r *results) take(e event, out io.Writer) {
	key := e.Package + " " + e.Test
	switch {
	case e.Action == "output" || e.Action == "build-output":
		r.said[key] = append(r.said[key], e.Output...)
		_, reason, found := strings.Cut(e.Output, "LOCAL ONLY: it ")
		if found {
			r.leftOut[e.Test] = strings.TrimSpace(reason)
		}
	case e.Test == "":
		if e.Action == "fail" && len(r.failed) == 0 {
			fmt.Fprintf(out, "%s", r.said[key]) // the package did not build, or its process died
		}
	case e.Action == "pass":
		r.passed[e.Test] = true
		if !strings.Contains(e.Test, "/") {
			fmt.Fprintf(out, "ok    %s\n", e.Test)
		}
	case e.Action == "fail":
		r.failed[e.Test] = true
		fmt.Fprintf(out, "FAIL  %s\n%s", e.Test, r.said[key])
	}
}

// report says how many tests there were, why some were left out, and what the divergence table learns.
func (r *results) report(out io.Writer, known []row) {
	fmt.Fprintf(out, "\n%d passed, %d failed, %d left out, because a test\n", count(r.passed), count(r.failed),
		len(r.leftOut))
	byReason := map[string]int{}
	for _, reason := range r.leftOut {
		byReason[reason]++
	}
	for _, reason := range slices.Sorted(maps.Keys(byReason)) {
		fmt.Fprintf(out, "  %3d  %s\n", byReason[reason], reason)
	}
	confirmed, contradicted := judge(known, r)
	fmt.Fprintf(out, "\nThe table of localstage/FIDELITY.md: %d of %d rows confirmed, %d contradicted.\n",
		len(confirmed), len(known), len(contradicted))
	for _, j := range confirmed {
		fmt.Fprintf(out, "  confirmed     %s\n", j)
	}
	for _, j := range contradicted {
		fmt.Fprintf(out, "  CONTRADICTED  %s\n", j)
	}
}

// count counts tests without their subtests.
func count(tests map[string]bool) (n int) {
	for name := range tests {
		if !strings.Contains(name, "/") {
			n++
		}
	}
	return n
}
