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
	"signedsocket/test/tool"
)

// declared is a parameter of the template.
type declared struct {
	Type          string   `yaml:"Type"`
	Default       string   `yaml:"Default"`
	Pattern       string   `yaml:"AllowedPattern"`
	AllowedValues []string `yaml:"AllowedValues"`
	MinValue      *float64 `yaml:"MinValue"`
	MaxValue      *float64 `yaml:"MaxValue"`
}

// implied are the values that follow from the declaration: the default, the allowed values, and values on both sides of
// each bound.
func (d declared) implied() []value {
	values := slices.Concat(reads(d.Default), reads(d.AllowedValues...))
	if d.Type != "Number" || d.MinValue == nil || d.MaxValue == nil {
		return values
	}
	number := func(n float64) string { return strconv.FormatFloat(n, 'f', -1, 64) }
	low, high := number(*d.MinValue), number(*d.MaxValue)
	return slices.Concat(
		values,
		reads(low, low+".0", "0"+low, "+"+low),
		takes(high, high+".0", number(*d.MaxValue)+"e0", strings.Repeat("0", 3)+high),
		refuses(number(*d.MinValue-1), number(*d.MaxValue+1), "", "many", "NaN", "Inf", "0x10", "1,5", " "),
	)
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

// valuesOf returns all values of a parameter. If the template has no bounds and no list for it, written has to have
// values that are taken and values that are refused.
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

// TestEveryFunctionStartsWithAllowedParameters: for each value of each parameter there are two cases. The template
// refuses it before anything is deployed. Or each function starts with the environment that results from it, and
// answers.
func TestEveryFunctionStartsWithAllowedParameters(t *testing.T) {
	t.Parallel()
	localOnly(t, "starts functions by itself")
	artifacts, parameters := stagetest.Artifacts(t), declaredParameters(t)
	for name := range written() {
		if _, found := parameters[name]; !found {
			t.Errorf("the template has no parameter %s", name)
		}
	}
	resolve, err := localstage.ReadTemplate(stagetest.Template())
	if err != nil {
		t.Fatal(err)
	}
	started := map[string]bool{} // function and environment
	for _, name := range slices.Sorted(maps.Keys(parameters)) {
		for _, v := range valuesOf(t, name, parameters[name]) {
			set := map[string]string{name: v.text}
			maps.Copy(set, v.with)
			loaded, err := resolve(set)
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

// ruled tells whether a rule of the template refuses the combination of parameters.
func ruled(err error) bool { return strings.Contains(err.Error(), ": Rules.") }

// startAll starts the Go functions of a template. It skips environments that a function has been started with before.
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

// answersOnce starts a function with a Runtime API that has one event, and returns why it did not answer.
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
	default: // a response, or an error for an event that the function does not take
		w.WriteHeader(http.StatusAccepted)
		a.answered <- nil
	}
}

// TestAChatWorksWithOddParameters starts stages with odd values of many parameters at once, one value of each. Two
// users chat on each stage.
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
				t.Errorf("bob received %+v", heard)
			}
		})
	}
}

// TestThePageServesWithAllowedParameters does the same for the page. With bad variables its server shows what is wrong
// instead of ending.
func TestThePageServesWithAllowedParameters(t *testing.T) {
	t.Parallel()
	localOnly(t, "sets parameters")
	tool.Node(t)
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
	for round, parameters := range rounds { // one at a time: each starts a server
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

// pageParameters returns sets of parameters of the page: the first odd value of each, then the second ones, and so on.
func pageParameters(t *testing.T) (sets []map[string]string) {
	t.Helper()
	declared := declaredParameters(t)
	names := []string{
		"DefaultRooms", "GuestRooms", "RoomsClaim", "ModeratorClaim", "OidcIssuer", "OidcAudience", "OidcClientId",
		"OidcScope", "StageName",
	}
	for _, name := range names {
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
