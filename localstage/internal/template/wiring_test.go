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

// foldersOfTargets returns the folder that each target build-<LogicalId> of the Makefile builds, as make expands it.
func foldersOfTargets(t *testing.T) map[string]string {
	t.Helper()
	list := regexp.MustCompile(`(?m)^GO_FUNCTIONS = ((?:.*\\\n)*.*)$`).FindStringSubmatch(readText(t, "Makefile"))
	if list == nil {
		t.Fatal("the Makefile has no GO_FUNCTIONS")
	}
	folders := make(map[string]string)
	for _, id := range strings.Fields(strings.ReplaceAll(list[1], "\\\n", " ")) {
		folders[id] = strings.ToLower(strings.TrimSuffix(id, "Function"))
	}
	return folders
}

// pageFunction is the one function that is no Go program: its target builds frontend/.
const pageFunction = "FrontendFunction"

func TestEveryFunctionHasATargetAndAFolder(t *testing.T) {
	t.Parallel()
	var functions []string
	for _, f := range loadRepository(t).Functions {
		if err := f.CheckSources(root); err != nil {
			t.Error(err)
		}
		if f.LogicalID != pageFunction {
			functions = append(functions, f.LogicalID)
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

func TestEnvironmentHoldsTheVariablesThatTheFunctionReads(t *testing.T) {
	t.Parallel()
	matchVariables(t, loadRepository(t), t.Errorf)
}

// matchVariables reports a function whose variables are not exactly those that it reads. A missing variable would show
// on AWS only, and a superfluous one tells a function more than it needs.
func matchVariables(t *testing.T, loaded *Template, fail report) {
	t.Helper()
	folders := foldersOfTargets(t)
	tag := regexp.MustCompile("`env:\"([A-Z][A-Z0-9_]*)")
	for _, f := range loaded.Functions {
		if f.LogicalID == pageFunction {
			continue
		}
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
			fail("%s is given %v and reads %v", f.LogicalID, given, read)
		}
	}
}

// The page's variables have the same rule. Variables that an operator may set by hand stand in no template.
func TestThePageReadsEveryVariableThatItGets(t *testing.T) {
	t.Parallel()
	byHand := []string{"OIDC_CLIENT_SECRET", "AWS_REGION"} // Lambda itself sets the last one
	name := regexp.MustCompile(`["'.]([A-Z][A-Z0-9]*(?:_[A-Z0-9]+)+)\b`)
	read := make(map[string]bool)
	err := filepath.WalkDir(filepath.Join(root, "frontend", "web", "src"),
		func(path string, entry os.DirEntry, err error) error {
			if err != nil || entry.IsDir() ||
				!strings.Contains(path, "/src/server/") && !strings.HasSuffix(path, "session.ts") {
				return err
			}
			data, err := os.ReadFile(path)
			for _, m := range name.FindAllStringSubmatch(string(data), -1) {
				read[m[1]] = !slices.Contains(byHand, m[1])
			}
			return err
		})
	if err != nil {
		t.Fatal(err)
	}
	maps.DeleteFunc(read, func(_ string, fromTemplate bool) bool { return !fromTemplate })
	loaded := mustLoadWith(t, map[string]string{"AuthMode": "iam"})
	given := maps.Clone(loaded.Functions[functionIndex(t, loaded, pageFunction)].Environment)
	for _, adapters := range []string{"AWS_LAMBDA_EXEC_WRAPPER", "AWS_LWA_READINESS_CHECK_PATH", "PORT", "HOSTNAME"} {
		delete(given, adapters)
	}
	if got, want := slices.Sorted(maps.Keys(read)), slices.Sorted(maps.Keys(given)); !slices.Equal(got, want) {
		t.Errorf("the page is given %v and reads %v", want, got)
	}
}

// Where the page's server keeps sessions, it signs them with a key that does not stand in the template.
func TestEnvironmentHoldsNoSecrets(t *testing.T) {
	t.Parallel()
	secret := regexp.MustCompile(`SECRET|PASSWORD|TOKEN|PRIVATE|CREDENTIAL|API_KEY`)
	for mode, want := range map[string][]string{"jwt": nil, "guest": nil, "iam": {"FrontendFunction.SESSION_SECRET"}} {
		loaded := mustLoadWith(t, map[string]string{"AuthMode": mode})
		var found []string
		for _, f := range loaded.Functions {
			for name, value := range f.Environment {
				if !secret.MatchString(name) {
					continue
				}
				found = append(found, f.LogicalID+"."+name)
				if len(loaded.Secrets) != 1 || value != loaded.Secrets[0].SecretReference() {
					t.Errorf("mode %s: %s.%s is %q, want a reference to a secret", mode, f.LogicalID, name, value)
				}
			}
		}
		if !slices.Equal(found, want) {
			t.Errorf("mode %s: %v look like secrets, which an environment shows to every reader of the "+
				"function; want %v", mode, found, want)
		}
	}
}

// `sam build` takes the name of an output for a reference (samcli, intrinsic_property_resolver.py, resolve_attribute),
// and breaks when it finds a list.
func TestNoOutputIsNamedLikeAListParameter(t *testing.T) {
	t.Parallel()
	s := repositoryStack(t)
	for name := range members(s.document.outputs) {
		if parameter := member(s.document.parameters, name.Value); parameter != nil &&
			member(parameter, "Type").Value != "String" && member(parameter, "Type").Value != "Number" {
			t.Errorf("the output %s is named like a parameter of type %s, and sam build fails", name.Value,
				member(parameter, "Type").Value)
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
