package repotest

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// construct is something that an older tool lacks, with a line that uses it.
type construct struct{ since, pattern, example string }

func (c construct) find(text string) string {
	return strings.TrimSpace(regexp.MustCompile(c.pattern).FindString(text))
}

// newerMake are the constructs that make 3.81 of macOS lacks. It ignores most of them without a word.
// Source: GNU make, NEWS.
func newerMake() []construct {
	return []construct{
		{"3.82, .SHELLFLAGS", `\.SHELLFLAGS`, ".SHELLFLAGS = -ec"},
		{"3.82, .ONESHELL", `\.ONESHELL`, ".ONESHELL:"},
		{"3.82, .RECIPEPREFIX", `\.RECIPEPREFIX`, ".RECIPEPREFIX = >"},
		{"3.82, define with an operator", `(?m)^\s*define\s+\S+\s*[:+?!]?=`, "define name ="},
		{"3.82, undefine and private", `(?m)^(undefine|.*:\s*private)\s`, "undefine NAME"},
		{"4.0, != and ::=", `(?m)^[\w.-]+\s*(!=|:::?=)`, "NAME != date"},
		{"4.0, $(file …)", `\$[({]file\s`, "$(file >name,text)"},
		{"4.0, $(guile …)", `\$[({]guile\s`, "$(guile (+ 1 2))"},
		{"4.0, load and --output-sync", `(?m)^-?load\s|--output-sync|--trace`, "load name.so"},
		{"4.3, grouped targets", `(?m)^[^\t#]*\s&:`, "one two &: three"},
		{"4.4, $(let …) and $(intcmp …)", `\$[({](let|intcmp)\s`, "$(let a,b,c)"},
		{"4.3 and 4.4, special targets", `\.(EXTRA_PREREQS|NOTINTERMEDIATE|WAIT)\b`, "all: one .WAIT two"},
	}
}

// newerBash are the constructs that bash 3.2 of macOS lacks.
// Source: bash, CHANGES.
func newerBash() []construct {
	return []construct{
		{"4.0, associative arrays", `\b(declare|local|typeset)\s+-\w*A`, "declare -A names"},
		{"4.0, mapfile", `\b(mapfile|readarray)\b`, "mapfile -t lines"},
		{"4.0, ${x,,} and ${x^^}", `\$\{[\w@*\[\]]+(,,?|\^\^?)[^}]*\}`, "echo ${name,,}"},
		{"4.0, |& and &>>", `\|&|&>>`, "make |& cat"},
		{"4.0, ;& and ;;&", `;&|;;&`, "a) b ;;&"},
		{"4.0, coproc", `\bcoproc\b`, "coproc cat"},
		{"4.0, globstar and others", `shopt -s (globstar|lastpipe|inherit_errexit|autocd)`, "shopt -s globstar"},
		{"4.0, $BASHPID and others", `\$\{?(BASHPID|EPOCHSECONDS|EPOCHREALTIME|SRANDOM)\b`, "echo $BASHPID"},
		{"4.1, exec {name}>", `\{\w+\}[<>]`, "exec {lock}> file"},
		{"4.2, test -v", `(\[\[?|\btest)\s(! )?-v\s`, "[[ -v NAME ]]"},
		{"4.2, declare -g", `\b(declare|typeset)\s+-\w*g`, "declare -g name"},
		{"4.2, printf %(…)T", `printf\s.*%\(`, "printf '%(%F)T'"},
		{"4.3, ${x[-1]}", `\$\{\w+\[-`, "echo ${names[-1]}"},
		{"4.3, name references", `\b(declare|local|typeset)\s+-\w*n`, "local -n name=$1"},
		{"4.3, wait -n", `\bwait\s+-\w*n`, "wait -n"},
		{"4.4, ${x@Q}", `\$\{[\w\[\]@*]+@[A-Za-z]\}`, "echo ${name@Q}"},
		{"GNU, sed -i and grep -P", `\bsed\s+(-\w+\s+)*-i|\bgrep\s+-\w*P`, "sed -i s/a/b/ file"},
		{"GNU, readlink -f, realpath and date -d", `\breadlink\s+-f|\brealpath\b|\bdate\s+-d`, "readlink -f ."},
		{
			"GNU, sort -V, stat -c, xargs -r and timeout",
			`\bsort\s+-\w*V|\bstat\s+-c|\bxargs\s+-r|(?m)^\s*timeout\s`,
			"xargs -r rm",
		},
	}
}

// commands returns the text of a script or a Makefile without the lines that are comments.
func commands(text string) string {
	return regexp.MustCompile(`(?m)^\s*#.*$`).ReplaceAllString(text, "")
}

// TestEveryConstructIsFound: a rule that matches nothing holds nothing.
func TestEveryConstructIsFound(t *testing.T) {
	t.Parallel()
	for _, c := range append(newerMake(), newerBash()...) {
		if c.find(commands(c.example+"\n")) == "" {
			t.Errorf("the pattern for %s does not match %q", c.since, c.example)
		}
	}
}

// TestMakefileAndScriptsRunOnMacOS: make 3.81 and bash 3.2 came with macOS, and newer ones will not.
func TestMakefileAndScriptsRunOnMacOS(t *testing.T) {
	t.Parallel()
	files := map[string][]construct{"Makefile": newerMake()}
	for _, name := range trackedFiles(t, "tools/sh/*.sh", ".ci/run") {
		if name != "tools/sh/setup-ci.sh" { // for Debian only
			files[name] = newerBash()
		}
	}
	for name, constructs := range files {
		text := commands(readFile(t, name))
		for _, c := range constructs {
			if found := c.find(text); found != "" {
				t.Errorf("%s: %q needs %s", name, found, c.since)
			}
		}
	}
}

// TestRecipesFail: make 3.81 gives the shell no flags, so a line of a recipe fails as its last command does.
func TestRecipesFail(t *testing.T) {
	t.Parallel()
	quotedOrVariable := regexp.MustCompile(`"[^"]*"|'[^']*'|\$\([^()]*\)`)
	recipe := regexp.MustCompile(`(?m)^\t((?:.*\\\n)*.*)$`)
	found := 0
	for _, m := range recipe.FindAllStringSubmatch(readFile(t, "Makefile"), -1) {
		found++
		bare := quotedOrVariable.ReplaceAllString(m[1], "")
		// { …; exit 1; } reports a failure and fails.
		bare = regexp.MustCompile(`\{ [^{}]*; exit 1; \}`).ReplaceAllString(bare, "")
		bare = strings.ReplaceAll(bare, "||", "")
		if strings.ContainsAny(bare, ";|") {
			t.Errorf("a recipe goes on after a failure: %s: use &&, or a script in tools/sh", m[1])
		}
	}
	if found < 50 {
		t.Errorf("found %d lines of recipes: the form of the Makefile has changed", found)
	}
	for _, name := range trackedFiles(t, "tools/sh/*.sh", ".ci/run") {
		if !strings.Contains(readFile(t, name), "\nset -euo pipefail\n") {
			t.Errorf("%s does not set -euo pipefail", name)
		}
	}
}

// TestAPageThatDoesNotBuildIsNotDeployed: neither now nor by the next build, which finds what this one has left.
func TestAPageThatDoesNotBuildIsNotDeployed(t *testing.T) {
	t.Parallel()
	folder := t.TempDir()
	write := func(name, text string) {
		path := filepath.Join(folder, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o750); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o700); err != nil {
			t.Fatal(err)
		}
	}
	write("tools/sh/build-frontend.sh", readFile(t, "tools", "sh", "build-frontend.sh"))
	write("frontend/page.js", "page")
	build := func() (artifacts []string, failed bool) {
		target := t.TempDir()
		cmd := exec.CommandContext(t.Context(), "/bin/bash", "tools/sh/build-frontend.sh")
		cmd.Dir = folder
		cmd.Env = []string{"PATH=" + filepath.Join(folder, "bin") + ":" + os.Getenv("PATH"), "ARTIFACTS_DIR=" + target}
		err := cmd.Run()
		entries, readErr := os.ReadDir(target)
		if readErr != nil {
			t.Fatal(readErr)
		}
		for _, entry := range entries {
			artifacts = append(artifacts, entry.Name())
		}
		return artifacts, err != nil
	}
	half := "#!/bin/sh\nfor to in \"$@\"; do :; done\necho half > \"$to/run.sh\"\n"
	for range 2 {
		write("bin/npm", half+"exit 1\n")
		if artifacts, failed := build(); !failed || len(artifacts) > 0 {
			t.Errorf("a page that does not build leaves %v, failed is %v", artifacts, failed)
		}
	}
	write("bin/npm", half)
	if artifacts, failed := build(); failed || !slices.Equal(artifacts, []string{"run.sh"}) {
		t.Errorf("a page that builds leaves %v, failed is %v", artifacts, failed)
	}
	write("bin/npm", "#!/bin/sh\nexit 1\n")
	if artifacts, failed := build(); failed || len(artifacts) != 1 {
		t.Errorf("a page that was built is built again: %v, failed is %v", artifacts, failed)
	}
}

// TestPagesNameToolsWhereTheyAre: make venv puts the AWS CLI into .venv/bin, which is on no PATH, and no jq anywhere.
func TestPagesNameToolsWhereTheyAre(t *testing.T) {
	t.Parallel()
	bare := regexp.MustCompile("(?m)(^|[`|(] ?)(aws [a-z-]+ [a-z-]+.*|jq .*)")
	for _, name := range trackedFiles(t, "*.md", "docs/*.md", "localstage/*.md", "frontend/client/*.md") {
		for _, m := range bare.FindAllStringSubmatch(readFile(t, name), -1) {
			t.Errorf("%s: %q is on no PATH: write .venv/bin/aws, or make outputs OUTPUT=name for one value", name, m[2])
		}
	}
	if !bare.MatchString("`aws sts get-caller-identity`") || !bare.MatchString(`"$(make outputs | jq -r .Name)"`) {
		t.Error("the pattern finds nothing")
	}
}
