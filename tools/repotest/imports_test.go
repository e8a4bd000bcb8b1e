package repotest

import (
	"encoding/json"
	"errors"
	"io"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

const module = "signedsocket"

// rule forbids the packages below from to import any of the packages below to.
type rule struct {
	from, to    []string
	except      []string // packages below from that the rule leaves out
	allowed     []string // packages below to that they may import
	testsExempt bool     // their tests may import what their code may not
	because     string
}

// importRules is the dependency direction of the project. One more rule needs no row: the compiler lets no package
// outside localstage import one below localstage/internal.
func importRules() []rule {
	return []rule{
		{
			from:    []string{"shared"},
			to:      []string{"functions", "internal", "localstage", "cmd", "test", "tools"},
			because: "shared is what the functions stand on",
		},
		{
			from:    []string{"functions"},
			to:      []string{"internal", "localstage", "cmd", "test", "tools"},
			because: "what ships to Lambda holds nothing of the laptop",
		},
		{
			from:    []string{"localstage"},
			to:      []string{"shared", "functions", "internal", "cmd", "test", "tools"},
			allowed: []string{"internal/stageclient"},
			because: "the stage judges the functions: a bug must not agree with itself",
		},
		{
			from:        []string{"localstage"},
			to:          []string{"internal"},
			except:      []string{"localstage/stagetest"},
			testsExempt: true,
			because:     "the stage knows no client: only stagetest and the stage's tests play one",
		},
		{
			from:    []string{"internal/stageclient", "internal/load", "cmd/chat"},
			to:      []string{"shared", "functions", "localstage"},
			because: "a client knows the wire only",
		},
		{
			from:    []string{"test"},
			to:      []string{"shared", "functions"},
			because: "the suite knows the wire only",
		},
		{
			from:    []string{"internal", "cmd", "test"},
			to:      []string{"tools"},
			because: "only maintainers and operators run the tools: the rest stands without them",
		},
		{
			from:    []string{"tools"},
			to:      []string{"functions", "cmd", "test"},
			because: "a tool builds and starts programs; it does not import them",
		},
	}
}

type goPackage struct {
	ImportPath                         string
	Imports, TestImports, XTestImports []string
}

func TestPackagesImportOnlyWhatTheyMay(t *testing.T) {
	t.Parallel()
	for _, p := range goPackages(t) {
		for _, r := range importRules() {
			if !below(p.ImportPath, r.from) || below(p.ImportPath, r.except) {
				continue
			}
			imports := p.Imports
			if !r.testsExempt {
				imports = slices.Concat(p.Imports, p.TestImports, p.XTestImports)
			}
			for _, imported := range imports {
				if below(imported, r.to) && !below(imported, r.allowed) {
					t.Errorf("%s imports %s: %s", p.ImportPath, imported, r.because)
				}
			}
		}
	}
}

func TestOneFunctionDoesNotImportAnother(t *testing.T) {
	t.Parallel()
	for _, p := range goPackages(t) {
		if !below(p.ImportPath, []string{"functions"}) {
			continue
		}
		for _, imported := range p.Imports {
			if below(imported, []string{"functions"}) {
				t.Errorf("%s imports %s: a function stands alone", p.ImportPath, imported)
			}
		}
	}
}

func below(path string, folders []string) bool {
	return slices.ContainsFunc(folders, func(folder string) bool {
		full := module + "/" + folder
		return path == full || strings.HasPrefix(path, full+"/")
	})
}

func goPackages(t *testing.T) []goPackage {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), "go", "list", "-json=ImportPath,Imports,TestImports,XTestImports", "./...")
	cmd.Dir = root(t)
	output, err := cmd.Output()
	if err != nil {
		t.Fatalf("go list: %v", err)
	}
	var packages []goPackage
	decoder := json.NewDecoder(strings.NewReader(string(output)))
	for {
		var p goPackage
		err := decoder.Decode(&p)
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			t.Fatalf("decode go list: %v", err)
		}
		packages = append(packages, p)
	}
	if len(packages) < 5 {
		t.Fatalf("go list found %d packages: the rules would hold for nothing", len(packages))
	}
	return packages
}

func root(t *testing.T) string {
	t.Helper()
	path, err := filepath.Abs("../..")
	if err != nil {
		t.Fatal(err)
	}
	return path
}
