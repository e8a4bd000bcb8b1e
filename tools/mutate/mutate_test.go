package main

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

const root = "../.."

func source(t *testing.T, name string) string {
	t.Helper()
	content, err := os.ReadFile(filepath.Join(root, name))
	if err != nil {
		t.Fatal(err)
	}
	return string(content)
}

// TestEveryMutationStillApplies: a protection that is written otherwise now needs its mutation written anew.
func TestEveryMutationStillApplies(t *testing.T) {
	t.Parallel()
	names := map[string]bool{}
	for _, m := range mutations() {
		if names[m.name] {
			t.Errorf("two mutations are named %q", m.name)
		}
		names[m.name] = true
		original := source(t, m.file)
		mutated, err := m.edit(original)
		if err != nil {
			t.Errorf("%s: %v", m.name, err)
		} else if mutated == original {
			t.Errorf("%s changes nothing", m.name)
		}
	}
}

// TestEveryMutationNamesTestsThatExist in the packages that it names.
func TestEveryMutationNamesTestsThatExist(t *testing.T) {
	t.Parallel()
	declared := map[string]string{}
	for _, m := range mutations() {
		if len(m.tests) == 0 {
			t.Errorf("%s names no test", m.name)
		}
		for _, folder := range m.packages {
			if declared[folder] == "" {
				files, err := filepath.Glob(filepath.Join(root, folder, "*_test.go"))
				if err != nil || len(files) == 0 {
					t.Fatalf("%s: %s has no tests (%v)", m.name, folder, err)
				}
				for _, file := range files {
					declared[folder] += source(t, strings.TrimPrefix(file, root+"/"))
				}
			}
		}
		for _, name := range m.tests {
			found := false
			for _, folder := range m.packages {
				found = found || strings.Contains(declared[folder], "\nfunc "+name+"(t *testing.T)")
			}
			if !found {
				t.Errorf("%s names %s, which is in none of %v", m.name, name, m.packages)
			}
		}
	}
}

// TestEveryStatementIsTakenAway: a statement that no mutation knows is one that nobody would miss.
func TestEveryStatementIsTakenAway(t *testing.T) {
	t.Parallel()
	names := map[string]bool{}
	for _, m := range mutations() {
		names[m.name] = true
	}
	all, conditional := statements(source(t, "template.yaml"))
	if len(all) < 10 || len(conditional) < 5 {
		t.Fatalf("found %d statements, %d with conditions: the template's form has changed", len(all), len(conditional))
	}
	for _, s := range all {
		if !names["policy "+s.String()+": removed"] && untested()[s.String()] == "" {
			t.Errorf("no mutation removes %s", s)
		}
	}
	for _, s := range conditional {
		if !names["policy "+s.String()+": unconditional"] {
			t.Errorf("no mutation takes the condition of %s", s)
		}
	}
}

const sampleTemplate = `Resources:
  OtherRole:
    Properties:
              - Sid: Read
                Effect: Deny
  MyRole:
    Properties:
            Statement:
              - Sid: Read
                Effect: Allow
                Condition:
                  ForAllValues:StringLike: {k: v}
                  "Null": {k: "false"}
              # of the next one
              - Sid: Write
                Effect: Allow

  MyTable:
`

func TestStatementsAreFoundAndEdited(t *testing.T) {
	t.Parallel()
	read, write := statement{"MyRole", "Read"}, statement{"MyRole", "Write"}
	tests := map[string]struct {
		edit       func(string) (string, error)
		gone, kept string
	}{
		"removed":       {read.without(), `Effect: Allow\n\s+Condition`, "- Sid: Write"},
		"last removed":  {write.without(), "Sid: Write", "MyTable:"},
		"unconditional": {read.unconditional(""), "Condition", "# of the next one"},
		"one operator":  {read.unconditional("Null"), "Null", "ForAllValues"},
		"replaced":      {read.with("Effect: Allow", "Effect: Deny"), `Allow\n\s+Condition`, "Effect: Allow"},
	}
	for name, test := range tests {
		edited, err := test.edit(sampleTemplate)
		if err != nil || regexp.MustCompile(test.gone).MatchString(edited) || !strings.Contains(edited, test.kept) || !strings.Contains(edited, "Effect: Deny") {
			t.Errorf("%s: %v\n%s", name, err, edited)
		}
	}
	for name, edit := range map[string]func(string) (string, error){
		"no statement": statement{"MyRole", "Delete"}.without(), "no role": statement{"NoRole", "Read"}.without(),
		"no condition": write.unconditional(""), "no text": write.with("x", "y"), "twice": replace("Allow", "Deny"),
	} {
		if _, err := edit(sampleTemplate); err == nil {
			t.Errorf("%s: applied", name)
		}
	}
}

func TestJudgeWantsEveryNamedTestRed(t *testing.T) {
	t.Parallel()
	m := mutation{tests: []string{"TestA", "TestB"}}
	failed := os.ErrInvalid
	for name, test := range map[string]struct {
		output  string
		failed  error
		noticed bool
		text    string
	}{
		"both red":   {"--- FAIL: TestA (0.1s)\n--- FAIL: TestB (1s)\n", failed, true, "noticed"},
		"one red":    {"--- FAIL: TestA (0.1s)\n--- PASS: TestB (1s)\n", failed, false, "SURVIVED: TestB"},
		"none red":   {"ok", nil, false, "SURVIVED: TestA, TestB"},
		"time is up": {"--- FAIL: TestA (0.1s)\npanic: test timed out after 2m0s\n\trunning tests:\n\t\tTestB (20s)\n", failed, true, "noticed"},
		"no program": {"x.go:1:2: undefined: y\nFAIL p [build failed]", failed, false, "DOES NOT BUILD: x.go:1:2"},
		"no handler": {"    a_test.go:1: build the functions: …\n--- FAIL: TestA (0s)\n--- FAIL: TestB (0s)", failed, false, "DOES NOT BUILD"},
	} {
		got := judge(m, test.output, test.failed)
		if got.noticed != test.noticed || !strings.HasPrefix(got.text, test.text) {
			t.Errorf("%s: judged %+v, want %t %s", name, got, test.noticed, test.text)
		}
	}
}
