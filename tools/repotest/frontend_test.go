package repotest

import (
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"go.yaml.in/yaml/v3"
)

// namesIn returns the first group of every match in the text, sorted, each once.
func namesIn(text, pattern string) []string {
	var names []string
	for _, match := range regexp.MustCompile(pattern).FindAllStringSubmatch(text, -1) {
		names = append(names, match[1])
	}
	slices.Sort(names)
	return slices.Compact(names)
}

// TestMakeDevGivesThePageTheVariablesOfTheTemplate: localstage/internal/template compares the template with the
// variables that the page reads.
func TestMakeDevGivesThePageTheVariablesOfTheTemplate(t *testing.T) {
	t.Parallel()
	var declared struct {
		Resources map[string]deployedFunction `yaml:"Resources"`
	}
	if err := yaml.Unmarshal([]byte(readFile(t, "template.yaml")), &declared); err != nil {
		t.Fatal(err)
	}
	want := slices.Sorted(maps.Keys(declared.Resources["FrontendFunction"].Properties.Environment.Variables))
	want = slices.DeleteFunc(want, func(name string) bool { // for the web adapter, and for Next.js itself
		return strings.HasPrefix(name, "AWS_") || name == "PORT" || name == "HOSTNAME"
	})
	_, settings, _ := strings.Cut(readFile(t, "frontend", "dev.mjs"), "const settings = {")
	settings, _, _ = strings.Cut(settings, "};")
	got := slices.DeleteFunc(namesIn(settings, `(?m)^\s*([A-Z][A-Z0-9_]+):`), func(name string) bool {
		return name == "AWS_REGION" || name == "NEXT_TELEMETRY_DISABLED"
	})
	if len(want) < 10 || !slices.Equal(got, want) {
		t.Errorf("make dev gives the page\n%q, and the template\n%q", got, want)
	}
}

// minimumNode is the oldest version of Node.js that frontend/package.json allows, such as 20.9.0.
func minimumNode(t *testing.T) string {
	t.Helper()
	found := namesIn(readFile(t, "frontend", "package.json"), `"node": ">=(\d+\.\d+\.\d+)"`)
	if len(found) != 1 {
		t.Fatalf("frontend/package.json asks for %q, want one version as >=1.2.3", found)
	}
	return found[0]
}

// TestEveryTextNamesTheOldestNode holds pages, messages and scripts to frontend/package.json.
func TestEveryTextNamesTheOldestNode(t *testing.T) {
	t.Parallel()
	want, found := strings.TrimSuffix(minimumNode(t), ".0"), 0
	for _, name := range trackedFiles(t, "*.md", "*.sh", "*.go", "Makefile") {
		for _, version := range namesIn(readFile(t, name), `Node(?:\.js)? (\d[\d.]*\d|\d+) or newer`) {
			found++
			if version != want {
				t.Errorf("%s says Node.js %s or newer, and the page needs %s", name, version, want)
			}
		}
	}
	if found < 5 {
		t.Errorf("%d texts name the oldest Node.js: their form has changed", found)
	}
}

// TestAnOlderNodeIsRefusedBeforeAnythingIsBuilt runs check-node.sh with programs that say other versions.
func TestAnOlderNodeIsRefusedBeforeAnythingIsBuilt(t *testing.T) {
	t.Parallel()
	minimum := minimumNode(t)
	for version, good := range map[string]bool{
		"18.20.8": false, "20.8.1": false, minimum: true, "20.10.0": true, "22.0.0": true, "26.0.0-nightly1": true,
		"8.999.999": false,
	} {
		bin := t.TempDir()
		script := "#!/bin/sh\necho v" + version + "\n"
		if err := os.WriteFile(filepath.Join(bin, "node"), []byte(script), 0o700); err != nil {
			t.Fatal(err)
		}
		cmd := exec.CommandContext(t.Context(), "/bin/bash", "tools/sh/check-node.sh")
		cmd.Dir, cmd.Env = root(t), []string{"PATH=" + bin + ":" + os.Getenv("PATH")}
		output, err := cmd.CombinedOutput()
		says := strings.Contains(string(output), "Node.js v"+version+" is too old: the page needs Node.js "+minimum)
		if (err == nil) != good || says == good {
			t.Errorf("Node.js %s: %v %s", version, err, output)
		}
	}
	text := readFile(t, "Makefile") + readFile(t, "tools", "sh", "npm-ci.sh")
	if strings.Count(text, "tools/sh/check-node.sh") != 2 {
		t.Error("installing the packages and building the page do not check Node.js first")
	}
}
