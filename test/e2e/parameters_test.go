package e2e_test

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"go.yaml.in/yaml/v3"

	"signedsocket/internal/stageclient"
	"signedsocket/internal/stageclient/clienttest"
	"signedsocket/localstage"
	"signedsocket/localstage/stagetest"
)

// value is a value of a parameter: the template refuses it before anything is deployed, or every function starts with it.
type value struct {
	text    string
	refused bool
	with    map[string]string // other parameters, as the value needs them
	alone   bool              // the chat of TestAChatWorksWithOddParameters cannot use it
}

func takes(texts ...string) (values []value) {
	for _, text := range texts {
		values = append(values, value{text: text})
	}
	return values
}

// reads is takes for values with which tokens of the stage's own issuer open nothing.
func reads(texts ...string) (values []value) {
	for _, text := range texts {
		values = append(values, value{text: text, alone: true})
	}
	return values
}

func refuses(texts ...string) (values []value) {
	for _, text := range texts {
		values = append(values, value{text: text, refused: true})
	}
	return values
}

func with(other map[string]string, values []value) []value {
	for i := range values {
		values[i].with, values[i].alone = other, true
	}
	return values
}

// arns returns ARNs of principals of an account, as many as fit into a text of that length.
func arns(account string, length int) string {
	list := ""
	for i := 0; ; i++ {
		next := fmt.Sprintf("arn:aws:iam::%s:role/a-path/of-two-parts/a_role-with=a.long@name+%03d,", account, i)
		if len(list)+len(next) > length {
			return strings.TrimSuffix(list, ",")
		}
		list += next
	}
}

// principals are values of the two parameters that list IAM users and roles.
func principals() []value {
	const own, other = "arn:aws:iam::" + localstage.AccountID, "arn:aws:iam::444455556666"
	return slices.Concat(
		takes("", own+":user/dev", own+":role/team/ci/deploy", own+":role/a,"+own+":role/a", other+":role/web", other+":user/dev,"+own+":role/web",
			"arn:aws-cn:iam::"+localstage.AccountID+":role/china", own+":role/w+e=i.r@d_n-ame", arns(localstage.AccountID, 1500)),
		refuses(own+":role/team/", own+":role/", own+":role//a", own+":user/dev,", ","+own+":user/dev", own+":user/*", own+":root", own+":user/dev, "+own+":user/eve",
			"dev", "*", arns(localstage.AccountID, 1700)),
	)
}

// rooms are values of the two parameters that list rooms.
func rooms() []value {
	return slices.Concat(
		takes("a", "a,a", "a,b,a,b,a,b,a,b", "-,_", strings.Repeat("r", 32), strings.Repeat(strings.Repeat("r", 32)+",", 7)+"0", "0,1,2,3,4,5,6,7"),
		refuses("A", "a,", ",a", "a b", "a, b", "ä", strings.Repeat("r", 33), "0,1,2,3,4,5,6,7,8"),
	)
}

// concurrency are values of the parameters with a reserved concurrency.
func concurrency() []value {
	return slices.Concat(takes("0", "1", "1000"), refuses("00", "0.0", "01", "1.5", "1e2", "-1", "1001", ""))
}

func burst() []value {
	return slices.Concat(takes("1", "600", "5000"), refuses("0", "00", "01", "1.5", "1e2", "-1", "5001", ""))
}

// written are the values that no bound and no list of the template says.
func written() map[string][]value {
	cognito := map[string]string{"IdentityProvider": "cognito", "OidcIssuer": ""}
	return map[string][]value{
		"StageName":        slices.Concat(takes("prod", "-", "_", "0", "a-B_9", strings.Repeat("s", 64)), refuses("", "$default", "a/b", "a b", strings.Repeat("s", 65))),
		"AuthMode":         {{text: "iam", alone: true}, {text: "iam", alone: true, with: map[string]string{"DeployFrontend": "false"}}, {text: "guest", alone: true, with: map[string]string{"GuestRooms": "a,a"}}},
		"IdentityProvider": refuses("Cognito", ""),
		"CognitoSignUp":    refuses("Open", ""),
		"OidcIssuer": slices.Concat(
			reads("https://id.example.com", "https://id.example.com/", "https://id.example.com:8443/realms/a,b", "https://id.example.com:443", "https://ID.example.com/~x/%7E"),
			refuses("http://id.example.com", "https://", "https://id.example.com/?x", "https://id.example.com/#x", "https://a b", "https://a@b.example", "https://id.example.com:0", "https://"+strings.Repeat("x", 250)),
		),
		"OidcAudience": slices.Concat(reads("chat", "api://0f8fad5b", "https://api.example.com/,chat", "chat,chat", `"quoted"`, "{{x}}", strings.Repeat("a", 255)), refuses("", "a,,b", "a b", "ä", strings.Repeat("a", 256))),
		"OidcClientId": slices.Concat(reads("chat", "https://chat.example.com/", `"quoted"`, strings.Repeat("a", 255)), refuses("", "a,b", "a b", "ä")),
		"NameClaim":    slices.Concat(takes("name", "https://example.com/name", "cognito:username", strings.Repeat("n", 128)), refuses("", "a b", "a,b", "$x")),
		"RoomsClaim":   slices.Concat(takes(""), reads("rooms", "https://example.com/rooms", "cognito:groups", strings.Repeat("n", 128)), refuses("a b", "a,b")),
		"DefaultRooms": slices.Concat(rooms(), refuses("")),
		"GuestRooms":   slices.Concat(takes(""), rooms(), with(map[string]string{"AuthMode": "guest"}, rooms())),
		"TrustedCallerArns": slices.Concat(principals(), with(map[string]string{"AuthMode": "iam"}, principals()),
			with(map[string]string{"AuthMode": "iam", "DeployFrontend": "false"}, principals())),
		"ExtraSignerArns": principals(),
		"AllowedOrigins": slices.Concat(
			takes("", "https://a.example", "https://a.example:8443", "https://a.example:80", "https://a.example:44", "https://a.example:4430", "https://a.example:1443",
				"http://localhost", "http://localhost:3000", "http://127.0.0.1:443", "http://localhost:8000", "https://a.example,https://a.example", "https://-.", "https://203.0.113.7:99"),
			refuses("https://a.example:443", "http://localhost:80", "https://a.example:0443", "https://a.example:0", "https://a.example/", "https://A.example", "http://a.example",
				"*", "https://*.example", "null", "https://a.example, https://b.example", "https://a.example,", "https://a.example:443,https://b.example", "https://b.example,https://a.example:443",
				"https://"+strings.Repeat("a", 1000)),
			with(map[string]string{"ExtraSignerArns": arns(localstage.AccountID, 1500), "TrustedCallerArns": arns(localstage.AccountID, 1500), "AuthMode": "iam"},
				takes(strings.Repeat("https://a.example,", 54)+"https://b.example")),
		),
		"ProofOfPossession":      refuses("Required", ""),
		"UrlLifetimeSeconds":     reads("1.5"),
		"SignUrlBurst":           burst(),
		"ConnectBurst":           burst(),
		"SignUrlConcurrency":     concurrency(),
		"ConnectConcurrency":     concurrency(),
		"DisconnectConcurrency":  concurrency(),
		"SendMessageConcurrency": concurrency(),
		"FanoutConcurrency":      concurrency(),
		"ReaperConcurrency":      concurrency(),
		"FrontendConcurrency":    concurrency(),
		"AdapterLayerVersion":    slices.Concat(takes("27", "28", "30", "99999"), refuses("26", "29", "030", "1e2", "100000", "")),
		"AlarmEmail":             slices.Concat(takes("", "ops@example.com", "x+y_z.1@a-b.example.co.uk"), refuses("ops", "ops@example", "a b@example.com", "a@b@example.com", "ops@example.com,x@example.com")),
		"AlarmTopicArn":          slices.Concat(takes("", "arn:aws:sns:us-east-1:111122223333:alarms"), refuses("alarms", "arn:aws:sqs:us-east-1:111122223333:alarms", "arn:aws:sns:us-east-1:111122223333:alarms.fifo")),
		"PermissionsBoundaryArn": slices.Concat(takes("", "arn:aws:iam::111122223333:policy/chat-Boundary-1", "arn:aws:iam::aws:policy/PowerUserAccess", "arn:aws:iam::111122223333:policy/a/b/c"),
			refuses("arn:aws:iam::111122223333:policy/", "arn:aws:iam::111122223333:role/x", "Boundary")),
		"WebSocketLogs":      refuses("true", "On"),
		"DeletionProtection": refuses("true", "On"),
		"DeployFrontend":     with(cognito, refuses("false")),
	}
}

// declared is a parameter of the template.
type declared struct {
	Type          string   `yaml:"Type"`
	Default       string   `yaml:"Default"`
	Pattern       string   `yaml:"AllowedPattern"`
	AllowedValues []string `yaml:"AllowedValues"`
	MinValue      *float64 `yaml:"MinValue"`
	MaxValue      *float64 `yaml:"MaxValue"`
}

// implied are the values that the declaration itself gives: the default, what is allowed, and the bounds from both sides.
func (d declared) implied() []value {
	values := slices.Concat(reads(d.Default), reads(d.AllowedValues...))
	if d.Type != "Number" || d.MinValue == nil || d.MaxValue == nil {
		return values
	}
	number := func(n float64) string { return strconv.FormatFloat(n, 'f', -1, 64) }
	low, high := number(*d.MinValue), number(*d.MaxValue)
	return slices.Concat(values, reads(low, low+".0", "0"+low, "+"+low), takes(high, high+".0", number(*d.MaxValue)+"e0", strings.Repeat("0", 3)+high),
		refuses(number(*d.MinValue-1), number(*d.MaxValue+1), "", "many", "NaN", "Inf", "0x10", "1,5", " "))
}

func declaredParameters(t *testing.T) map[string]declared {
	t.Helper()
	text, err := os.ReadFile(stagetest.Template())
	if err != nil {
		t.Fatal(err)
	}
	var template struct {
		Parameters map[string]declared `yaml:"Parameters"`
	}
	if err := yaml.Unmarshal(text, &template); err != nil {
		t.Fatal(err)
	}
	return template.Parameters
}

// valuesOf returns all values of a parameter. A parameter whose form the template does not describe by bounds or a list needs
// values in written, some that are taken and some that are refused.
func valuesOf(t *testing.T, name string, d declared) []value {
	t.Helper()
	values := slices.Concat(written()[name], d.implied())
	refused := slices.ContainsFunc(values, func(v value) bool { return v.refused })
	taken := slices.ContainsFunc(values, func(v value) bool { return !v.refused && v.text != d.Default })
	if !taken || !refused && len(d.AllowedValues) == 0 {
		t.Errorf("%s has no row: give it values in written, that the template takes and that it refuses", name)
	}
	return values
}

// TestEveryFunctionStartsWithWhatTheTemplateTakes: for each value of each parameter, the template refuses it before anything
// is deployed, or each function starts with the environment that the template makes of it, and answers.
func TestEveryFunctionStartsWithWhatTheTemplateTakes(t *testing.T) {
	t.Parallel()
	localOnly(t, "starts functions by itself")
	artifacts, parameters := stagetest.Artifacts(t), declaredParameters(t)
	for name := range written() {
		if _, found := parameters[name]; !found {
			t.Errorf("the template has no parameter %s", name)
		}
	}
	started := map[string]bool{} // function and environment
	for _, name := range slices.Sorted(maps.Keys(parameters)) {
		for _, v := range valuesOf(t, name, parameters[name]) {
			set := map[string]string{name: v.text}
			maps.Copy(set, v.with)
			loaded, err := localstage.LoadTemplate(stagetest.Template(), set)
			switch {
			case err != nil && strings.Contains(err.Error(), "is not supported by the local stage"): // a user pool
			case v.refused && err == nil:
				t.Errorf("the template takes %s=%q", name, v.text)
			case !v.refused && err != nil && !ruled(err):
				t.Errorf("the template refuses %s=%q: %v", name, v.text, err)
			case err == nil:
				startAll(t, artifacts, loaded, started, fmt.Sprintf("%s=%q", name, v.text))
			}
		}
	}
	if len(started) < 100 {
		t.Errorf("%d functions were started: the table has lost its values", len(started))
	}
}

// ruled tells whether a rule of the template refuses parameters that do not fit together.
func ruled(err error) bool { return strings.Contains(err.Error(), ": Rules.") }

// startAll starts the Go functions of a template, each with an environment that none has been started with.
func startAll(t *testing.T, artifacts string, loaded *localstage.Template, started map[string]bool, what string) {
	t.Helper()
	for _, f := range loaded.Functions {
		key := f.LogicalID + fmt.Sprint(f.Environment)
		if f.LogicalID == stagetest.FrontendFunction || started[key] {
			continue
		}
		started[key] = true
		program := filepath.Join(artifacts, f.LogicalID, f.Handler)
		if err := answersOnce(t.Context(), program, f.Environment); err != nil {
			t.Errorf("%s: %s: %v", what, f.LogicalID, err)
		}
	}
}

// answersOnce starts a function before a Runtime API that has one event for it, and returns why it did not answer.
func answersOnce(ctx context.Context, program string, environment map[string]string) error {
	ctx, cancel := context.WithTimeout(ctx, 20*time.Second)
	defer cancel()
	api := &runtimeAPI{event: make(chan struct{}, 1), answered: make(chan error, 2)}
	api.event <- struct{}{}
	server := httptest.NewServer(api)
	defer server.Close()
	defer cancel() // before the server waits for its requests
	command := exec.CommandContext(ctx, program)
	command.Env = []string{
		"AWS_LAMBDA_RUNTIME_API=" + strings.TrimPrefix(server.URL, "http://"), "AWS_REGION=" + localstage.Region,
		"AWS_ACCESS_KEY_ID=ASIAEXAMPLE", "AWS_SECRET_ACCESS_KEY=example", "AWS_SESSION_TOKEN=example",
		"AWS_ENDPOINT_URL=http://127.0.0.1:9", // nothing answers there
	}
	for name, text := range environment {
		command.Env = append(command.Env, name+"="+text)
	}
	var output bytes.Buffer
	command.Stdout, command.Stderr = &output, &output
	if err := command.Start(); err != nil {
		return err
	}
	exited := make(chan error, 1)
	go func() { exited <- command.Wait() }()
	select {
	case err := <-api.answered:
		cancel()
		<-exited
		return err
	case err := <-exited:
		return fmt.Errorf("it ended: %w: %s", err, output.Bytes())
	case <-ctx.Done():
		<-exited
		return fmt.Errorf("it did not answer: %s", output.Bytes())
	}
}

// runtimeAPI is the part of Lambda's Runtime API that a function needs to answer one event.
type runtimeAPI struct {
	event    chan struct{}
	answered chan error
}

// ServeHTTP implements http.Handler.
func (a *runtimeAPI) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	switch {
	case strings.HasSuffix(r.URL.Path, "/invocation/next"):
		select {
		case <-a.event:
		case <-r.Context().Done():
			return
		}
		w.Header().Set("Lambda-Runtime-Aws-Request-Id", "1")
		w.Header().Set("Lambda-Runtime-Deadline-Ms", strconv.FormatInt(time.Now().Add(2*time.Second).UnixMilli(), 10))
		_, _ = io.WriteString(w, `{"version":"2.0","requestContext":{}}`)
	case strings.HasSuffix(r.URL.Path, "/init/error"):
		body, _ := io.ReadAll(r.Body)
		a.answered <- fmt.Errorf("it could not start: %s", body)
	default: // a response, or an error for an event that is none of the function's
		w.WriteHeader(http.StatusAccepted)
		a.answered <- nil
	}
}

// TestAChatWorksWithOddParameters puts one odd value of each parameter after the other into a stage, as many at a time as
// there are parameters, and two users talk there.
func TestAChatWorksWithOddParameters(t *testing.T) {
	t.Parallel()
	localOnly(t, "sets parameters")
	var odd []map[string]string
	for name, d := range declaredParameters(t) {
		round := 0
		for _, v := range valuesOf(t, name, d) {
			if v.refused || v.alone {
				continue
			}
			if round == len(odd) {
				odd = append(odd, map[string]string{})
			}
			odd[round][name] = v.text
			round++
		}
	}
	if len(odd) < 5 {
		t.Fatalf("%d rounds: the table has lost its values", len(odd))
	}
	for round, parameters := range odd {
		if parameters["AlarmEmail"] != "" && parameters["AlarmTopicArn"] != "" {
			delete(parameters, "AlarmTopicArn") // one of them only
		}
		t.Run(strconv.Itoa(round), func(t *testing.T) {
			t.Parallel()
			text, _ := json.Marshal(parameters)
			t.Logf("parameters: %s", text)
			_, client := startStage(t, stagetest.Options{Parameters: parameters})
			alice, bob := connect(t, client, "alice"), connect(t, client, "bob")
			room, _, _ := strings.Cut(cmp.Or(parameters["DefaultRooms"], "lobby"), ",")
			if err := alice.Send(within(t), stageclient.Outgoing{Room: room, Text: "hello", ID: "1"}); err != nil {
				t.Fatal(err)
			}
			if heard := clienttest.Await[stageclient.Message](t, bob); heard.Text != "hello" {
				t.Errorf("bob heard %+v", heard)
			}
		})
	}
}

// TestThePageServesWithWhatTheTemplateTakes does the same for the page, whose server shows what is wrong with its variables
// instead of ending.
func TestThePageServesWithWhatTheTemplateTakes(t *testing.T) {
	t.Parallel()
	localOnly(t, "sets parameters")
	tool(t, "npm")
	var rounds []map[string]string
	for _, mode := range []string{"jwt", "guest", "iam"} {
		for i, parameters := range pageParameters(t) {
			if mode == "jwt" || i < 2 {
				parameters["AuthMode"] = mode
				rounds = append(rounds, parameters)
			}
		}
	}
	problem := regexp.MustCompile(`[A-Z]+_[A-Z_]+ (is not set|must )[^<"]*`)
	for round, parameters := range rounds { // one at a time: each is a server of its own
		t.Run(strconv.Itoa(round), func(t *testing.T) {
			text, _ := json.Marshal(parameters)
			t.Logf("parameters: %s", text)
			_, client := startPage(t, parameters)
			response, document := fetch(t, browser(t), http.MethodGet, client.Outputs.FrontendURL, "", nil)
			if wrong := problem.FindString(document); response.StatusCode != http.StatusOK || wrong != "" {
				t.Errorf("the page answers %d and says %q", response.StatusCode, wrong)
			}
		})
	}
}

// pageParameters returns sets of parameters that the page reads, with the first odd values of each, the second ones, and so on.
func pageParameters(t *testing.T) (sets []map[string]string) {
	t.Helper()
	declared := declaredParameters(t)
	for _, name := range []string{"DefaultRooms", "GuestRooms", "RoomsClaim", "OidcIssuer", "OidcAudience", "OidcClientId", "StageName"} {
		set := 0
		for _, v := range valuesOf(t, name, declared[name]) {
			if v.refused || v.with != nil || v.text == "" || v.text == declared[name].Default {
				continue
			}
			if set == len(sets) {
				sets = append(sets, map[string]string{})
			}
			sets[set][name] = v.text
			set++
		}
	}
	return sets
}
