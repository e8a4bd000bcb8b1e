package repotest

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"signedsocket/internal/localstage/template"
)

func readFile(t *testing.T, path ...string) string {
	t.Helper()
	content, err := os.ReadFile(filepath.Join(append([]string{root(t)}, path...)...))
	if err != nil {
		t.Fatal(err)
	}
	return string(content)
}

// tableOf returns the rows of the table in a page whose header begins with these cells.
func tableOf(t *testing.T, page string, header ...string) [][]string {
	t.Helper()
	_, table, found := strings.Cut(page, "| "+strings.Join(header, " | ")+" |")
	if !found {
		t.Fatalf("SECURITY.md has no table of %s", strings.Join(header, ", "))
	}
	var rows [][]string
	for i, line := range strings.Split(table, "\n") {
		if i < 2 { // the rest of the header and the line below it
			continue
		}
		if !strings.HasPrefix(line, "|") {
			break
		}
		rows = append(rows, strings.Split(strings.Trim(line, "| "), " | "))
	}
	return rows
}

// TestEveryThreatAndEveryCheckNamesItsTests: a protection that no test names is a promise.
func TestEveryThreatAndEveryCheckNamesItsTests(t *testing.T) {
	t.Parallel()
	page, tests := readFile(t, "SECURITY.md"), testNames(t)
	threats := tableOf(t, page, "#", "Threat", "Answer", "Held by")
	checks := tableOf(t, page, "#", "Check", "Held by")
	rules := tableOf(t, page, "Rule", "Held by")
	for i, row := range threats {
		if row[0] != strconv.Itoa(i+1) {
			t.Errorf("threat %q is in the place of %d", row[0], i+1)
		}
	}
	for i, row := range checks {
		if row[0] != "C"+strconv.Itoa(i+1) {
			t.Errorf("check %q is in the place of C%d", row[0], i+1)
		}
	}
	if len(threats) < 24 || len(checks) < 25 || len(rules) < 14 {
		t.Errorf("found %d threats, %d checks and %d rules: rows have gone", len(threats), len(checks), len(rules))
	}
	for _, row := range slices.Concat(threats, checks, rules) {
		last := row[len(row)-1]
		named := regexp.MustCompile(`\b(?:Test|Fuzz)[A-Z]\w+`).FindAllString(last, -1)
		if len(named) == 0 && !regexp.MustCompile(`^none: \S`).MatchString(last) {
			t.Errorf("%q names no test and no reason", row[0])
		}
		for _, name := range named {
			if !tests[name] {
				t.Errorf("%q names %s, which does not exist", row[0], name)
			}
		}
	}
}

// TestSecurityPageShowsTheRolesOfTheTemplate keeps the table of who may do what true.
func TestSecurityPageShowsTheRolesOfTheTemplate(t *testing.T) {
	t.Parallel()
	var want []string
	for _, role := range loadTemplate(t).Roles {
		for _, policy := range role.Policies {
			var document struct{ Statement []roleStatement }
			if err := json.Unmarshal(policy, &document); err != nil {
				t.Fatal(err)
			}
			for _, s := range document.Statement {
				want = append(want, s.row(role.LogicalID))
			}
		}
	}
	var got []string
	for _, row := range tableOf(t, readFile(t, "SECURITY.md"), "Role", "Statement", "Allowed", "On") {
		got = append(got, "| "+strings.Join(row, " | ")+" |")
	}
	if !slices.Equal(got, want) {
		t.Errorf("SECURITY.md shows other roles than template.yaml has. Its rows should be:\n%s", strings.Join(want, "\n"))
	}
}

func loadTemplate(t *testing.T) *template.Template {
	t.Helper()
	loaded, err := template.Load(filepath.Join(root(t), "template.yaml"), template.Options{
		Defaults: map[string]string{"OidcIssuer": "http://127.0.0.1:3003"}, Region: "us-east-1", AccountID: "111122223333", StackName: "local",
	})
	if err != nil {
		t.Fatal(err)
	}
	return loaded
}

// words are a JSON string or a list of strings.
type words []string

func (w *words) UnmarshalJSON(data []byte) error {
	if data[0] == '[' {
		return json.Unmarshal(data, (*[]string)(w))
	}
	*w = make(words, 1)
	return json.Unmarshal(data, &(*w)[0])
}

type roleStatement struct {
	Sid, Effect      string
	Action, Resource words
	Condition        map[string]map[string]words
}

// row is the statement as SECURITY.md shows it.
func (s roleStatement) row(role string) string {
	actions := "`" + strings.Join(s.Action, "`, `") + "`"
	if s.Effect == "Deny" {
		actions = "**never** " + actions
	}
	return fmt.Sprintf("| %s | %s | %s | %s |", role, s.Sid, actions, s.where())
}

// where shortens the resources to what tells them apart, and puts the conditions in words.
func (s roleStatement) where() string {
	var places []string
	for _, resource := range s.Resource {
		switch _, path, _ := strings.Cut(resource, "/"); {
		case resource == "*":
			places = append(places, "everything")
		case strings.Contains(resource, ":dynamodb:"):
			places = append(places, "the table")
		case strings.Contains(resource, ":logs:"):
			places = append(places, "its log")
		default:
			places = append(places, "`"+path+"` of the socket")
		}
	}
	where := strings.Join(places, ", ")
	if keys := s.Condition["ForAllValues:StringLike"]["dynamodb:LeadingKeys"]; len(keys) > 0 {
		where += ", items `" + strings.Join(keys, "`, `") + "`"
	}
	if operations := s.Condition["ForAnyValue:StringEquals"]["dynamodb:EnclosingOperation"]; len(operations) > 0 {
		where += ", inside of `" + strings.Join(operations, "`, `") + "`"
	}
	return where
}

// TestNoEnvironmentVariableIsASecret: whoever may read a function's configuration may read its environment.
func TestNoEnvironmentVariableIsASecret(t *testing.T) {
	t.Parallel()
	name := regexp.MustCompile(`SECRET|PASSWORD|PRIVATE|CREDENTIAL|API_?KEY|ACCESS_?KEY|_TOKEN$|_KEY$`)
	value := regexp.MustCompile(`\b(?:AKIA|ASIA)[A-Z0-9]{16}\b|-----BEGIN|eyJ[A-Za-z0-9_-]{10,}\.|[A-Za-z0-9+/]{40,}={0,2}|[0-9a-f]{32,}`)
	for _, function := range loadTemplate(t).Functions {
		if len(function.Environment) == 0 {
			t.Errorf("%s has no environment: this test looks at nothing", function.LogicalID)
		}
		for variable, text := range function.Environment {
			if name.MatchString(variable) || value.MatchString(text) {
				t.Errorf("%s: %s looks like a secret: refer to it by ARN and read it at the start", function.LogicalID, variable)
			}
		}
	}
}

// TestDependenciesArePinned to a version and, where the package manager can, to a checksum.
func TestDependenciesArePinned(t *testing.T) {
	t.Parallel()
	for _, name := range trackedFiles(t, "go.mod", "*/go.mod") {
		if regexp.MustCompile(`(?m)^\s*(?:replace|exclude)\b`).MatchString(readFile(t, name)) {
			t.Errorf("%s replaces or excludes modules: what is built is not what it names", name)
		}
		readFile(t, filepath.Dir(name), "go.sum")
	}
	for _, name := range trackedFiles(t, "*package.json") {
		var lock struct {
			Packages map[string]struct{ Resolved, Integrity string }
		}
		if err := json.Unmarshal([]byte(readFile(t, filepath.Dir(name), "package-lock.json")), &lock); err != nil {
			t.Errorf("%s has no good lock file: %v", name, err)
		}
		for path, p := range lock.Packages {
			if p.Resolved != "" && !strings.HasPrefix(p.Integrity, "sha512-") {
				t.Errorf("%s: %s has no sha512 checksum", name, path)
			}
		}
	}
	for _, line := range strings.Split(readFile(t, "tools", "python", "constraints.txt"), "\n") {
		if line != "" && !strings.HasPrefix(line, "#") && !strings.Contains(line, "==") {
			t.Errorf("constraints.txt does not pin %s", line)
		}
	}
	for _, line := range regexp.MustCompile(`(?m)^.*\b(?:go install|go run|npx|npm install|npm i|pip install)\b.*$`).FindAllString(readFile(t, "Makefile"), -1) {
		if strings.Contains(line, "@latest") || strings.Contains(line, "npx") || regexp.MustCompile(`\bnpm i(nstall)?\b`).MatchString(line) {
			t.Errorf("the Makefile installs what nobody has pinned: %s", line)
		}
	}
}
