package main

import (
	"encoding/json"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"go.yaml.in/yaml/v3"
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

func all(t *testing.T) []mutation {
	t.Helper()
	found, err := mutations(root)
	if err != nil || len(found) < 100 {
		t.Fatalf("%d mutations: %v", len(found), err)
	}
	return found
}

// names returns the names of all mutations: the markers in Go code, and the edits of the template.
func names(t *testing.T) (markers, edits []string) {
	t.Helper()
	for _, m := range all(t) {
		if ofTemplate(m.name) {
			edits = append(edits, m.name)
		} else {
			markers = append(markers, m.name)
		}
	}
	return markers, edits
}

func TestEveryMutationChangesItsFile(t *testing.T) {
	t.Parallel()
	for _, m := range all(t) {
		if _, original, mutated, err := m.edit(root); err != nil {
			t.Errorf("%s: %v", m.name, err)
		} else if mutated == original {
			t.Errorf("%s changes nothing", m.name)
		}
	}
}

func TestEveryMarkerStandsOnceAndNamesTests(t *testing.T) {
	t.Parallel()
	files, err := markers(root)
	if err != nil {
		t.Fatal(err)
	}
	listed, _ := names(t)
	for name, in := range files {
		if len(in) != 1 || !slices.Contains(listed, name) {
			t.Errorf("mutate:%s is in %v: it must stand once, and in %s", name, in, protections)
		}
	}
	for i, name := range listed {
		if len(files[name]) == 0 || i > 0 && listed[i-1] == name {
			t.Errorf("%s lists %s, which has no marker or is listed twice", protections, name)
		}
	}
}

// TestTurnedCodeCompiles makes the mutations of all Go files at once and has go list compile, but not link, the result.
func TestTurnedCodeCompiles(t *testing.T) {
	t.Parallel()
	files, err := markers(root)
	if err != nil {
		t.Fatal(err)
	}
	turned := map[string]string{}
	for name, in := range files {
		path, err := filepath.Abs(filepath.Join(root, in[0]))
		if err != nil {
			t.Fatal(err)
		}
		if turned[path] == "" {
			turned[path] = source(t, in[0])
		}
		if turned[path], err = turnAround(turned[path], name); err != nil {
			t.Fatalf("%s: %v", path, err)
		}
	}
	folder, overlay := t.TempDir(), map[string]string{}
	for path, code := range turned {
		overlay[path] = filepath.Join(folder, strings.ReplaceAll(path, string(filepath.Separator), "_"))
		if err := os.WriteFile(overlay[path], []byte(code), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	data, err := json.Marshal(map[string]any{"Replace": overlay})
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(folder, "overlay.json")
	if err := os.WriteFile(path, data, 0o600); err != nil {
		t.Fatal(err)
	}
	args := []string{"list", "-export", "-overlay", path, "./functions/...", "./shared/...", "./localstage/..."}
	cmd := exec.CommandContext(t.Context(), "go", args...)
	cmd.Dir = root
	if output, err := cmd.CombinedOutput(); err != nil {
		t.Errorf("%v\n%s", err, output)
	}
}

// TestEveryMutationNamesTestsThatExist in the package that it names.
func TestEveryMutationNamesTestsThatExist(t *testing.T) {
	t.Parallel()
	declared := map[string]string{}
	for _, m := range all(t) {
		if declared[m.where] == "" {
			files, err := filepath.Glob(filepath.Join(root, m.where, "*_test.go"))
			if err != nil || len(files) == 0 {
				t.Fatalf("%s: %s has no tests (%v)", m.name, m.where, err)
			}
			for _, file := range files {
				declared[m.where] += source(t, strings.TrimPrefix(file, root+"/"))
			}
		}
		if len(m.tests) == 0 {
			t.Errorf("%s names no test", m.name)
		}
		for _, name := range m.tests {
			if !strings.Contains(declared[m.where], "\nfunc "+name+"(t *testing.T)") {
				t.Errorf("%s names %s, which is not in %s", m.name, name, m.where)
			}
		}
	}
}

// TestEveryStatementIsTakenAway: the tests could not miss a statement or a condition that no mutation removes.
func TestEveryStatementIsTakenAway(t *testing.T) {
	t.Parallel()
	var template yaml.Node
	if err := yaml.Unmarshal([]byte(source(t, "template.yaml")), &template); err != nil {
		t.Fatal(err)
	}
	_, edits := names(t)
	statements, conditions := 0, 0
	_, resources := child(template.Content[0], "Resources")
	for i := 0; i < len(resources.Content); i += 2 {
		for sid, statement := range withSid(resources.Content[i+1]) {
			name := resources.Content[i].Value + "." + sid
			statements++
			// The local stage has no CloudWatch Logs. FrontendRole.AskForUrls is alone in its policy.
			if sid != "WriteLogs" && !slices.Contains(edits, name) && !slices.Contains(edits, name+".Effect = Deny") {
				t.Errorf("no mutation removes %s", name)
			}
			if _, condition := child(statement, "Condition"); condition != nil {
				conditions++
				if !slices.Contains(edits, name+".Condition") {
					t.Errorf("no mutation takes the condition of %s", name)
				}
			}
		}
	}
	if statements < 10 || conditions < 5 {
		t.Fatalf("found %d statements, %d with conditions: the template's form has changed", statements, conditions)
	}
}

// withSid returns the policy statements below a node by their Sid.
func withSid(n *yaml.Node) map[string]*yaml.Node {
	found := map[string]*yaml.Node{}
	if _, sid := child(n, "Sid"); sid != nil {
		found[sid.Value] = n
	}
	for _, below := range n.Content {
		maps.Copy(found, withSid(below))
	}
	return found
}

func inFunction(lines string) string { return "package p\n\nfunc f() error {\n" + lines + "\n}\n" }

func TestAMarkerTurnsItsLineAround(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct{ code, want string }{
		"if": {"if a != b { // mutate:x\n}", "if false && (a != b) { // mutate:x\n}"},
		"if with start": {
			"if err := g(); err != nil { // mutate:x\n}",
			"if err := g(); false && (err != nil) { // mutate:x\n}",
		},
		"else if": {"if a {\n} else if b { // mutate:x\n}", "if a {\n} else if false && (b) { // mutate:x\n}"},
		"case": {
			"switch {\ncase a, b > c: // mutate:x\n}",
			"switch {\ncase false && (a), false && (b > c): // mutate:x\n}",
		},
		"case after a start": {
			"switch err := g(); {\ncase a: // mutate:x\n}", "switch err := g(); {\ncase false && (a): // mutate:x\n}",
		},
		"return":          {"return a, g(b) // mutate:x", "return a, nil // mutate:x"},
		"line above":      {"// mutate:x\nreturn g(b) // why", "// mutate:x\nreturn nil // why"},
		"call for err":    {"err := g(func() { // mutate:x\n\th()\n})", "err := error(nil)"},
		"assigned to err": {"err = g(a) // mutate:x", "err = error(nil) // mutate:x"},
		"call":            {"g(a) // mutate:x", "if false { g(a) } // mutate:x"},
		"and":             {"return a &&\n\tg(b) // mutate:x", "return a &&\n\t(true || (g(b))) // mutate:x"},
		"or": {
			"return a ||\n\tb == c || // mutate:x\n\td",
			"return a ||\n\t(false && (b == c)) || // mutate:x\n\td",
		},
		"true":      {"a := g(true) // mutate:x", "a := g(false) // mutate:x"},
		"false":     {"a := g(false) // mutate:x", "a := g(true) // mutate:x"},
		"condition": {"a := g(\"n < :max\") // mutate:x", "a := g(\"(n < :max OR NOT n < :max)\") // mutate:x"},
		"function of DynamoDB": {
			"a := \" AND attribute_not_exists(pk)\" // mutate:x",
			"a := \" AND (attribute_not_exists(pk) OR NOT attribute_not_exists(pk))\" // mutate:x",
		},
		"condition in parentheses": {
			"a := \"(a(n) OR n < :m) AND \" + // mutate:x\n\tb",
			"a := \"((a(n) OR n < :m) OR NOT (a(n) OR n < :m)) AND \" + // mutate:x\n\tb",
		},
		"code that is written": {"return a // mutate:x => return a || b", "return a || b// mutate:x => return a || b"},
		"code on the line above": {
			"// mutate:x => a := 2; g(a)\n\ta := 1", "// mutate:x => a := 2; g(a)\na := 2; g(a)",
		},
	} {
		got, err := turnAround(inFunction(test.code), "x")
		if err != nil || got != inFunction(test.want) {
			t.Errorf("%s: %v\n%s", name, err, got)
		}
	}
}

func TestALineThatCannotBeTurnedAroundIsRefused(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct{ code, want string }{
		"no marker":         {"return a", "no line ends in // mutate:x"},
		"another marker":    {"return a // mutate:xy", "no line ends in // mutate:x"},
		"text behind it":    {"return a // mutate:x because", "no line ends in // mutate:x"},
		"nothing on it":     {"var a int // mutate:x", "line 4, mutate:x: 0 things"},
		"nothing below it":  {"// mutate:x\n\nreturn a", "line 5, mutate:x: 0 things"},
		"two on it":         {"a := g(true, false) // mutate:x", "line 4, mutate:x: 2 things"},
		"switch with a tag": {"switch a {\ncase b: // mutate:x\n}", "line 5, mutate:x: 0 things"},
		"default":           {"switch {\ndefault: // mutate:x\n}", "line 5, mutate:x: 0 things"},
		"type switch":       {"switch a.(type) {\ncase int: // mutate:x\n}", "line 5, mutate:x: 0 things"},
		"bare return":       {"return // mutate:x", "line 4, mutate:x: 0 things"},
		"ordinary text":     {"a := \"hello\" // mutate:x", "line 4, mutate:x: 0 things"},
		"two conditions":    {"a := \"n < :m AND sx > :now\" // mutate:x", "line 4, mutate:x: 0 things"},
		"no Go":             {"return } // mutate:x", "expected"},
	} {
		if got, err := turnAround(inFunction(test.code), "x"); err == nil || !strings.Contains(err.Error(), test.want) {
			t.Errorf("%s: %v, want an error with %q\n%s", name, err, test.want, got)
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
      Flow: {Inner: true}
      Policies:
        - !If
          - Wanted
          - Statement:
              - Sid: Read
                Effect: Allow
                Condition:
                  ForAllValues:StringLike: {k: v}
                  "Null": {k: "false"}
              # of the next one
              - Sid: Write
                Effect: Allow

        - Statement:
            - Sid: Alone
              Condition:
                One: {k: v}
      Routes:
        POST /signurl:
          Rate: 20
          Burst:
            Of: 40
`

func TestPlacesInTheTemplateAreEdited(t *testing.T) {
	t.Parallel()
	for edits, change := range map[string][]string{
		"MyRole.Read": {`              - Sid: Read
                Effect: Allow
                Condition:
                  ForAllValues:StringLike: {k: v}
                  "Null": {k: "false"}
`, ""},
		"MyRole.Write": {"              - Sid: Write\n                Effect: Allow\n", ""},
		"MyRole.Read.Condition": {`                Condition:
                  ForAllValues:StringLike: {k: v}
                  "Null": {k: "false"}
`, ""},
		"MyRole.Read.Condition.Null":       {"                  \"Null\": {k: \"false\"}\n", ""},
		"OtherRole.Read.Effect = Allow":    {"Effect: Deny", `"Effect": Allow`},
		"MyRole.Routes.POST /signurl.Rate": {"          Rate: 20\n", ""},
		"MyRole.Routes.POST /signurl = {A: 1}": {`POST /signurl:
          Rate: 20
          Burst:
            Of: 40
`, "\"POST /signurl\": {A: 1}\n"},
		"MyRole.Flow; MyRole.Write.Effect = Deny": {`      Flow: {Inner: true}
`, ""},
	} {
		want := strings.Replace(sampleTemplate, change[0], change[1], 1)
		if strings.Contains(edits, ";") {
			head, tail, _ := strings.Cut(want, "Sid: Write\n")
			want = head + "Sid: Write\n" + strings.Replace(tail, "Effect: Allow", `"Effect": Deny`, 1)
		}
		if got, err := editTemplate(sampleTemplate, edits); err != nil || got != want {
			t.Errorf("%s: %v\n%s", edits, err, got)
		}
	}
}

func TestPlacesThatCannotBeEditedAreRefused(t *testing.T) {
	t.Parallel()
	for edit, want := range map[string]string{
		"MyRole.Delete":              `no "Delete" there`,
		"NoRole.Read":                `no "NoRole" there`,
		"MyRole.Write.Condition":     `no "Condition" there`,
		"MyRole":                     "a place is RESOURCE.SID",
		"MyRole.Alone":               "nothing would be left",
		"MyRole.Alone.Condition.One": "nothing would be left",
		"MyRole.Read = x":            "want a property, or a statement to remove",
		"MyRole.Flow.Inner = x":      "want a property, or a statement to remove",
		"MyRole.Flow = {":            "yaml",
	} {
		if got, err := editTemplate(sampleTemplate, edit); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want an error with %q\n%s", edit, err, want, got)
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
		problem string
	}{
		"both red": {"--- FAIL: TestA (0.1s)\n--- FAIL: TestB (1s)\n", failed, ""},
		"one red":  {"--- FAIL: TestA (0.1s)\n--- PASS: TestB (1s)\n", failed, "SURVIVED: TestB"},
		"none red": {"ok", nil, "SURVIVED: TestA, TestB"},
		"time is up": {
			"--- FAIL: TestA (0.1s)\npanic: test timed out after 2m0s\n\trunning tests:\n\t\tTestB (20s)\n",
			failed,
			"",
		},
		"no program": {"x.go:1:2: undefined: y\nFAIL p [build failed]", failed, "DOES NOT BUILD: x.go:1:2"},
		"no handler": {
			"    a_test.go:1: build the functions: …\n--- FAIL: TestA (0s)\n--- FAIL: TestB (0s)",
			failed,
			"DOES NOT BUILD",
		},
	} {
		got := judge(m, "\n"+test.output, test.failed)
		if !strings.HasPrefix(got, test.problem) || (got == "") != (test.problem == "") {
			t.Errorf("%s: judged %q, want %q", name, got, test.problem)
		}
	}
}
