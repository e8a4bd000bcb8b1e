package template

import (
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

func readText(t *testing.T, path ...string) string {
	t.Helper()
	data, err := os.ReadFile(filepath.Join(append([]string{root}, path...)...))
	if err != nil {
		t.Fatal(err)
	}
	return string(data)
}

// foldersOfTargets gives the folder that each target build-<LogicalId> of the Makefile builds.
func foldersOfTargets(t *testing.T) map[string]string {
	t.Helper()
	target := regexp.MustCompile(`(?m)^build-(\w+):\n\t\$\(call build-function,(\w+)\)$`)
	folders := make(map[string]string)
	for _, m := range target.FindAllStringSubmatch(readText(t, "Makefile"), -1) {
		folders[m[1]] = m[2]
	}
	return folders
}

func TestEveryFunctionHasATargetAndAFolder(t *testing.T) {
	t.Parallel()
	var functions []string
	for _, f := range loadRepository(t).Functions {
		functions = append(functions, f.LogicalID)
		if err := f.CheckSources(root); err != nil {
			t.Error(err)
		}
	}
	folders := foldersOfTargets(t)
	if built := slices.Sorted(maps.Keys(folders)); !slices.Equal(built, functions) {
		t.Errorf("the Makefile builds %v, the template deploys %v", built, functions)
	}
	entries, err := os.ReadDir(filepath.Join(root, "functions"))
	if err != nil {
		t.Fatal(err)
	}
	var present []string
	for _, entry := range entries {
		if entry.IsDir() {
			present = append(present, entry.Name())
		}
	}
	if built := slices.Sorted(maps.Values(folders)); !slices.Equal(built, present) {
		t.Errorf("the Makefile builds the folders %v, functions/ has %v", built, present)
	}
}

// Each function is given just what it reads: a variable that is missing would show on AWS only, and one too many tells a
// function what it need not know.
func TestEnvironmentIsWhatTheFunctionReads(t *testing.T) {
	t.Parallel()
	folders := foldersOfTargets(t)
	tag := regexp.MustCompile("`env:\"([A-Z][A-Z0-9_]*)")
	for _, f := range loadRepository(t).Functions {
		var read []string
		sources, err := filepath.Glob(filepath.Join(root, "functions", folders[f.LogicalID], "*.go"))
		if err != nil {
			t.Fatal(err)
		}
		for _, source := range sources {
			data, err := os.ReadFile(source)
			if err != nil {
				t.Fatal(err)
			}
			for _, m := range tag.FindAllStringSubmatch(string(data), -1) {
				if !strings.HasPrefix(m[1], "AWS_") {
					read = append(read, m[1])
				}
			}
		}
		slices.Sort(read)
		if given := slices.Sorted(maps.Keys(f.Environment)); !slices.Equal(given, read) {
			t.Errorf("%s is given %v and reads %v", f.LogicalID, given, read)
		}
	}
}

func TestEnvironmentHoldsNoSecrets(t *testing.T) {
	t.Parallel()
	secret := regexp.MustCompile(`SECRET|PASSWORD|TOKEN|PRIVATE|CREDENTIAL|API_KEY`)
	for _, f := range loadRepository(t).Functions {
		for name := range f.Environment {
			if secret.MatchString(name) {
				t.Errorf("%s: %s looks like a secret, which an environment shows to everybody who may read the function", f.LogicalID, name)
			}
		}
	}
}

// The cache of `sam build` ships the old binary after a change in a shared package.
func TestSamconfigBuildsWithoutCache(t *testing.T) {
	t.Parallel()
	text := readText(t, "samconfig.toml")
	if regexp.MustCompile(`(?m)^\s*cached\b`).MatchString(text) {
		t.Error("samconfig.toml sets cached")
	}
	builds := strings.Count(text, ".build.parameters]")
	if sources := strings.Count(text, "\nbuild_in_source = true\n"); builds == 0 || sources != builds {
		t.Errorf("%d of %d build sections of samconfig.toml build in source", sources, builds)
	}
}
