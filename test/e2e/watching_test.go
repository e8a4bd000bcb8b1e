package e2e_test

import (
	"encoding/json"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"signedsocket/internal/stageclient"
	"signedsocket/localstage/stagetest"
)

// filter is an AWS::Logs::MetricFilter of the template: its pattern and its log group.
type filter struct{ name, function, pattern string }

// filters lists the metric filters of the template's SAM transform.
func filters(t *testing.T) []filter {
	t.Helper()
	const golden = "localstage/internal/template/testdata/transform.golden.json"
	data, err := os.ReadFile(filepath.Join(stagetest.Root(), golden))
	if err != nil {
		t.Fatal(err)
	}
	var transformed struct {
		Resources map[string]struct {
			Type       string
			Properties struct {
				FilterPattern string
				LogGroupName  json.RawMessage
				LoggingConfig struct{ LogGroup struct{ Ref string } }
			}
		}
	}
	if err := json.Unmarshal(data, &transformed); err != nil {
		t.Fatal(err)
	}
	functions := map[string]string{} // by log group
	for name, r := range transformed.Resources {
		if r.Type == "AWS::Lambda::Function" {
			functions[r.Properties.LoggingConfig.LogGroup.Ref] = name
		}
	}
	var found []filter
	for name, r := range transformed.Resources {
		var group struct{ Ref string }
		if r.Type == "AWS::Logs::MetricFilter" {
			if err := json.Unmarshal(r.Properties.LogGroupName, &group); err != nil {
				t.Fatal(err)
			}
			// Those of the access log are for TestFiltersOfTheAccessLogNameItsMembers, and these stages have no page.
			if function := functions[group.Ref]; function == "" || function == stagetest.FrontendFunction {
				continue
			}
			found = append(found, filter{name, functions[group.Ref], r.Properties.FilterPattern})
		}
	}
	if len(found) < 8 {
		t.Fatalf("found %d metric filters: the form of the template has changed", len(found))
	}
	return found
}

// matches tells whether a pattern selects a line. It knows equality of members, joined by ||.
//
// Source: CloudWatch Logs user guide, "Filter pattern syntax".
func (f filter) matches(t *testing.T, line string) bool {
	t.Helper()
	inner := regexp.MustCompile(`^\{ (.*) \}$`).FindStringSubmatch(f.pattern)
	if inner == nil {
		t.Fatalf("%s: this test does not know the pattern %s", f.name, f.pattern)
	}
	var members map[string]any
	if json.Unmarshal([]byte(line), &members) != nil {
		return false // a filter for members selects no line that is not JSON
	}
	for term := range strings.SplitSeq(inner[1], " || ") {
		equality := regexp.MustCompile(`^\$\.(\w+) = "(.*)"$`).FindStringSubmatch(term)
		if equality == nil {
			t.Fatalf("%s: this test does not know the term %s", f.name, term)
		}
		if members[equality[1]] == equality[2] {
			return true
		}
	}
	return false
}

// TestEveryMetricFilterSelectsARealLine makes functions refuse users and fail. The template's patterns have to select
// the lines that the functions log about it.
func TestEveryMetricFilterSelectsARealLine(t *testing.T) {
	t.Parallel()
	refusing, client := startStage(t, stagetest.Options{})
	causeRefusals(t, client)
	failing, client := startStage(t, stagetest.Options{Edit: func(template string) string {
		for _, sid := range []string{"ReadUser", "RecordConnection", "ListAndFinishDue", "FindMessages"} {
			template = withoutStatement(sid)(template)
		}
		return template
	}})
	causeFailures(t, client)
	scheduled, _ := startStage(t, stagetest.Options{Configure: hurried, Edit: withoutStatement("ListWatched")})
	later, client := startStage(t, stagetest.Options{Edit: func(template string) string {
		for _, sid := range []string{"ReadAndCountSender", "CountRequests", "ReadConnection"} {
			template = withoutStatement(sid)(template)
		}
		return template
	}})
	conn := connect(t, client, "alice")
	send(t, conn, "hello", "1")
	await[stageclient.GatewayError](t, conn)
	if err := conn.History(within(t), "", stageclient.WantLast("lobby", 1)); err != nil {
		t.Fatal(err)
	}
	await[stageclient.GatewayError](t, conn)
	_ = conn.Close()
	split, client := startStage(t,
		stagetest.Options{Parameters: map[string]string{"FanoutThreshold": "1"}, Edit: func(template string) string {
			before, role, _ := strings.Cut(template, "\n  FanoutRole:\n")
			return before + "\n  FanoutRole:\n" + withoutStatement("PostToConnections")(role)
		}})
	alice := connect(t, client, "alice")
	connect(t, client, "bob")
	connect(t, client, "carol")
	send(t, alice, "hello", "1") // one of the two is left to fanout, which may not post

	missing := map[string]filter{}
	for _, f := range filters(t) {
		missing[f.name] = f
	}
	for ctx := within(t); len(missing) > 0; <-time.After(10 * time.Millisecond) {
		for name, f := range missing {
			for _, stage := range []*stagetest.Stage{refusing, failing, scheduled, later, split} {
				if slices.ContainsFunc(stage.Lines(f.function), func(line string) bool { return f.matches(t, line) }) {
					delete(missing, name)
				}
			}
		}
		if ctx.Err() != nil {
			for _, name := range slices.Sorted(maps.Keys(missing)) {
				t.Errorf("no line of %s matches the filter %s: %s", missing[name].function, name, missing[name].pattern)
			}
			return
		}
	}
}

// causeRefusals makes functions refuse a URL, a handshake, a signer, a message and a request for history.
func causeRefusals(t *testing.T, client *stageclient.Client) {
	t.Helper()
	conn := connect(t, client, "alice")
	sendBroken(t, conn, `{"action":"shout"}`)
	await[stageclient.Error](t, conn)
	sendBroken(t, conn, `{"action":"history"}`)
	await[stageclient.Error](t, conn)
	signed, _ := sign(t, client, "alice")
	if _, err := dialURL(t, client, signed.URL, ""); err == nil {
		t.Error("a URL opened a connection without its proof")
	}
	grant := stageclient.NewGrant(stageclient.User{Sub: "alice", Name: "Alice"}, []string{"lobby"}, "", time.Now())
	if _, err := dialGrant(t, client, "admin", grant); err == nil {
		t.Error("a URL of a foreign signer opened a connection")
	}
	token, err := client.Token(within(t), "alice")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := client.SignURL(within(t), token, []string{"vault"}, stageclient.NewProof().Challenge); err == nil {
		t.Error("a URL was signed for a room that is not the user's")
	}
}

// causeFailures makes signurl, connect, erase and the reaper fail, whose roles lack rights.
func causeFailures(t *testing.T, client *stageclient.Client) {
	t.Helper()
	token, err := client.Token(within(t), "alice")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := client.SignURL(within(t), token, nil, stageclient.NewProof().Challenge); err == nil {
		t.Error("signurl works without its table")
	}
	grant := stageclient.NewGrant(stageclient.User{Sub: "alice", Name: "Alice"}, []string{"lobby"}, "", time.Now())
	if _, err := dialGrant(t, client, "SignUrlFunction", grant); err == nil {
		t.Error("connect works without its table")
	}
	if _, err := invokeReaper(within(t), client, scheduledEvent); err == nil {
		t.Error("the reaper works without its table")
	}
	_, err = invokeAsOperator(within(t), client, client.Outputs.EraseName, `{"erase":{"user":"alice"}}`)
	if err == nil {
		t.Error("erase works without the logs")
	}
}

// TestFiltersOfTheAccessLogNameItsMembers: the stage writes no access log, so the test compares the filters with its
// format.
func TestFiltersOfTheAccessLogNameItsMembers(t *testing.T) {
	t.Parallel()
	text, err := os.ReadFile(stagetest.Template())
	if err != nil {
		t.Fatal(err)
	}
	template := string(text)
	_, stage, _ := strings.Cut(template, "\n  HttpStage:\n")
	_, format, found := strings.Cut(stage, "Format: >-")
	if !found {
		t.Fatal("HttpStage has no format of an access log")
	}
	format = format[:strings.Index(format, "}")]
	pattern := regexp.MustCompile(`LogGroupName: !Ref HttpAccessLogs\n\s+FilterPattern: '(.*)'`)
	filters := pattern.FindAllStringSubmatch(template, -1)
	if len(filters) == 0 {
		t.Fatal("the access log of the HTTP API has no metric filter")
	}
	for _, filter := range filters {
		for _, member := range regexp.MustCompile(`\$\.(\w+)`).FindAllStringSubmatch(filter[1], -1) {
			if !strings.Contains(format, `"`+member[1]+`":`) {
				t.Errorf("the filter %s selects by %s, which the access log does not have", filter[1], member[1])
			}
		}
	}
}
