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

	"signedsocket/localstage"
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
			if _, ok := tests[name]; !ok {
				t.Errorf("%q names %s, which does not exist", row[0], name)
			}
		}
	}
}

// TestSecurityPageShowsTheRolesOfTheTemplate compares the table of permissions with the template.
func TestSecurityPageShowsTheRolesOfTheTemplate(t *testing.T) {
	t.Parallel()
	// With both parameters the template has all of its statements.
	want := statementRows(t, "AuthMode", "iam", "HistoryDays", "0")
	otherModes, withHistory := statementRows(t, "HistoryDays", "0"), statementRows(t, "AuthMode", "iam")
	for i, row := range want {
		if !slices.Contains(otherModes, row) {
			want[i] = strings.TrimSuffix(row, " |") + ", in mode `iam` |"
		}
		if !slices.Contains(withHistory, row) {
			want[i] = strings.TrimSuffix(want[i], " |") + ", with `HistoryDays=0` |"
		}
	}
	var got []string
	for _, row := range tableOf(t, readFile(t, "SECURITY.md"), "Role", "Statement", "Allowed", "On") {
		got = append(got, "| "+strings.Join(row, " | ")+" |")
	}
	if !slices.Equal(got, want) {
		t.Errorf("SECURITY.md shows other roles than template.yaml has. Its rows should be:\n%s",
			strings.Join(want, "\n"))
	}
}

// statementRows are the statements of all roles with some parameters, as SECURITY.md shows them.
func statementRows(t *testing.T, parameters ...string) (rows []string) {
	t.Helper()
	for _, role := range loadTemplate(t, parameters...).Roles {
		for _, policy := range role.Policies {
			var document struct{ Statement []roleStatement }
			if err := json.Unmarshal(policy, &document); err != nil {
				t.Fatal(err)
			}
			for _, s := range document.Statement {
				rows = append(rows, s.row(role.LogicalID))
			}
		}
	}
	return rows
}

// loadTemplate loads the template with parameters: names, each with its value behind it.
func loadTemplate(t *testing.T, parameters ...string) *localstage.Template {
	t.Helper()
	set := map[string]string{}
	for pair := range slices.Chunk(parameters, 2) {
		set[pair[0]] = pair[1]
	}
	loaded, err := localstage.LoadTemplate(filepath.Join(root(t), "template.yaml"), set)
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
		case strings.Contains(resource, ":dynamodb:") && strings.Contains(resource, "-BansTable-"):
			places = append(places, "the table of bans")
		case strings.Contains(resource, ":dynamodb:"):
			places = append(places, "the table")
		case strings.Contains(resource, ":logs:"):
			places = append(places, "its log")
		case strings.Contains(resource, ":lambda:"), strings.Contains(resource, ":sqs:"):
			places = append(places, "`"+logicalID(resource)+"`")
		default:
			api := map[bool]string{true: "the HTTP API", false: "the socket"}[strings.HasPrefix(path, "*/POST/sign")]
			places = append(places, "`"+path+"` of "+api)
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

// logicalID is the middle of a name that CloudFormation makes up: stack, logical id and a suffix.
func logicalID(arn string) string {
	parts := strings.Split(arn[strings.LastIndex(arn, ":")+1:], "-")
	return strings.Join(parts[1:len(parts)-1], "-")
}

// TestNoEnvironmentVariableIsASecret: a principal that may read a function's configuration may read its environment.
// The one exception, in mode iam, is the key with which the page signs its own sessions.
func TestNoEnvironmentVariableIsASecret(t *testing.T) {
	t.Parallel()
	name := regexp.MustCompile(`SECRET|PASSWORD|PRIVATE|CREDENTIAL|API_?KEY|ACCESS_?KEY|_TOKEN$|_KEY$`)
	value := regexp.MustCompile(
		`\b(?:AKIA|ASIA)[A-Z0-9]{16}\b|-----BEGIN|eyJ[A-Za-z0-9_-]{10,}\.|[A-Za-z0-9+/]{40,}={0,2}|[0-9a-f]{32,}`)
	inAllModes := slices.Concat(
		loadTemplate(t).Functions, loadTemplate(t, "AuthMode", "guest").Functions,
		loadTemplate(t, "AuthMode", "iam").Functions)
	for _, function := range inAllModes {
		if len(function.Environment) == 0 {
			t.Errorf("%s has no environment: this test looks at nothing", function.LogicalID)
		}
		for variable, text := range function.Environment {
			if function.LogicalID+"."+variable == "FrontendFunction.SESSION_SECRET" &&
				strings.HasPrefix(text, "{{resolve:secretsmanager:") {
				continue
			}
			if name.MatchString(variable) || value.MatchString(text) {
				t.Errorf("%s: %s looks like a secret: refer to it by ARN and read it at the start",
					function.LogicalID, variable)
			}
		}
	}
}

// TestDependenciesArePinned to a version and, where the package manager can, to a checksum.
func TestDependenciesArePinned(t *testing.T) {
	t.Parallel()
	for _, name := range trackedFiles(t, "go.mod", "*/go.mod") {
		// A nested module may take the repository's own from the folder above.
		module := strings.Replace(readFile(t, name), "replace signedsocket => ../..\n", "", 1)
		if regexp.MustCompile(`(?m)^\s*(?:replace|exclude)\b`).MatchString(module) {
			t.Errorf("%s replaces or excludes modules: what is built is not what it names", name)
		}
		readFile(t, filepath.Dir(name), "go.sum")
	}
	for _, name := range trackedFiles(t, "*package.json") {
		var lock struct {
			Packages map[string]struct {
				Resolved, Integrity string
				Link                bool // to a folder of the same workspace
			}
		}
		folder := filepath.Dir(name)
		if strings.HasPrefix(folder, "frontend/") { // a workspace has one lock file for all its packages
			folder = "frontend"
		}
		if err := json.Unmarshal([]byte(readFile(t, folder, "package-lock.json")), &lock); err != nil {
			t.Errorf("%s has no good lock file: %v", name, err)
		}
		for path, p := range lock.Packages {
			if p.Resolved != "" && !p.Link && !strings.HasPrefix(p.Integrity, "sha512-") {
				t.Errorf("%s: %s has no sha512 checksum", name, path)
			}
		}
	}
	for _, line := range strings.Split(readFile(t, "tools", "python", "constraints.txt"), "\n") {
		if line != "" && !strings.HasPrefix(line, "#") && !strings.Contains(line, "==") {
			t.Errorf("constraints.txt does not pin %s", line)
		}
	}
	unpinned := regexp.MustCompile(`(?m)^.*(?:@latest|\bnpx\b|\bnpm i(?:nstall)?\b).*$`)
	for _, name := range trackedFiles(t, "Makefile", "tools/sh/*.sh") {
		for _, line := range unpinned.FindAllString(readFile(t, name), -1) {
			t.Errorf("%s installs a package without a pinned version: %s", name, line)
		}
	}
}
