package repotest

import (
	"encoding/json"
	"log/slog"
	"maps"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"signedsocket/shared/logging"
)

// deployedResource is a resource of the SAM transform of template.yaml.
type deployedResource struct {
	Type, Condition string
	Properties      struct {
		AlarmDescription      string
		Namespace, MetricName any
		Metrics               []struct{ MetricStat *struct{ Metric metricName } }
		DashboardBody         json.RawMessage
		LogGroupName          any
		FilterPattern         string
		MetricTransformations []struct{ MetricNamespace, MetricName any }
		AlarmActions          any
		LoggingConfig         struct{ LogGroup struct{ Ref string } }
		QueryString           string // of a saved query
	}
}

type metricName struct{ Namespace, MetricName any }

func deployedResources(t *testing.T) map[string]deployedResource {
	t.Helper()
	return transformed[deployedResource](t)
}

// transformed returns the resources of the SAM transform of template.yaml, with the members that R has.
func transformed[R any](t *testing.T) map[string]R {
	t.Helper()
	var read struct{ Resources map[string]R }
	golden := readFile(t, "localstage", "internal", "template", "testdata", "transform.golden.json")
	if err := json.Unmarshal([]byte(golden), &read); err != nil {
		t.Fatal(err)
	}
	return read.Resources
}

// TestEveryAlarmHasItsPartInTheOperationsPage: an operator who is woken up finds what to do, and the page has no alarm
// that is gone.
func TestEveryAlarmHasItsPartInTheOperationsPage(t *testing.T) {
	t.Parallel()
	_, part, _ := strings.Cut(readFile(t, "docs", "operations.md"), "\n## Alarms\n")
	part, _, _ = strings.Cut(part, "\n## ")
	described := map[string]string{}
	for _, section := range strings.Split(part, "\n### ")[1:] {
		name, text, _ := strings.Cut(section, "\n")
		described[name] = text
	}
	alarms := 0
	for name, r := range deployedResources(t) {
		if r.Type != "AWS::CloudWatch::Alarm" {
			continue
		}
		alarms++
		text, found := described[name]
		delete(described, name)
		if !found {
			t.Errorf("the alarm %s has no heading ### %s in docs/operations.md", name, name)
		}
		for _, point := range []string{"**Means**: ", "**Look**: ", "**Do**: "} {
			if found && !strings.Contains(text, point) {
				t.Errorf("docs/operations.md, %s: says nothing under %s", name, point)
			}
		}
		if !strings.HasSuffix(r.Properties.AlarmDescription, "See docs/operations.md, "+name+".") {
			t.Errorf("the alarm %s does not say where it is described: %q", name, r.Properties.AlarmDescription)
		}
		if r.Properties.AlarmActions == nil {
			t.Errorf("the alarm %s sends no message", name)
		}
	}
	for name := range described {
		t.Errorf("docs/operations.md describes the alarm %s, which the template does not have", name)
	}
	if alarms < 16 {
		t.Errorf("found %d alarms: the form of the template has changed", alarms)
	}
}

// publishedByAWS are the metrics of AWS that the dashboard and the alarms read.
func publishedByAWS() map[string][]string {
	return map[string][]string{
		// API Gateway developer guide, "Monitor WebSocket API execution with CloudWatch metrics" and "Monitor HTTP API
		// metrics with CloudWatch".
		"AWS/ApiGateway": {
			"ConnectCount", "MessageCount", "ClientError", "ExecutionError", "Count", "4xx", "5xx", "Latency",
		},
		// Lambda developer guide, "Types of metrics for Lambda functions".
		"AWS/Lambda": {"Invocations", "Errors", "Throttles", "Duration", "ConcurrentExecutions"},
		// DynamoDB developer guide, "DynamoDB metrics and dimensions".
		"AWS/DynamoDB": {
			"ReadThrottleEvents", "WriteThrottleEvents", "TransactionConflict",
			"ConsumedReadCapacityUnits", "ConsumedWriteCapacityUnits",
		},
		// SQS developer guide, "Available CloudWatch metrics for Amazon SQS".
		"AWS/SQS": {"ApproximateNumberOfMessagesVisible"},
	}
}

// ownMetrics are the metrics that the functions' lines about broadcasts and requests make.
func ownMetrics(t *testing.T) (names []string) {
	t.Helper()
	for _, numbers := range []slog.Attr{
		logging.Broadcast{}.Attr("stack", time.Now()), logging.History{}.Attr("stack", time.Now()),
	} {
		var line strings.Builder
		slog.New(slog.NewJSONHandler(&line, nil)).Info("x", numbers)
		var read struct {
			Directive struct {
				CloudWatchMetrics []struct{ Metrics []struct{ Name string } }
			} `json:"_aws"`
		}
		if err := json.Unmarshal([]byte(line.String()), &read); err != nil {
			t.Fatal(err)
		}
		for _, m := range read.Directive.CloudWatchMetrics[0].Metrics {
			names = append(names, m.Name)
		}
	}
	return names
}

// text writes a literal, or the argument of Fn::Sub.
func text(value any) string {
	if call, ok := value.(map[string]any); ok {
		value = call["Fn::Sub"]
	}
	if s, ok := value.(string); ok {
		return s
	}
	return ""
}

// TestEveryMetricThatIsReadIsWritten: a misspelt metric is a flat line and an alarm that never goes off.
func TestEveryMetricThatIsReadIsWritten(t *testing.T) {
	t.Parallel()
	written := publishedByAWS()
	written[logging.Namespace] = ownMetrics(t)
	counted := map[string]bool{} // by metric filters
	read := map[string]string{}  // the reader of "namespace name"
	for name, r := range deployedResources(t) {
		for _, m := range r.Properties.MetricTransformations {
			namespace := text(m.MetricNamespace)
			written[namespace] = append(written[namespace], text(m.MetricName))
			counted[namespace+" "+text(m.MetricName)] = true
		}
		for _, m := range metricsOf(t, r) {
			read[m] = name
		}
	}
	for metric, reader := range read {
		namespace, name, _ := strings.Cut(metric, " ")
		if !slices.Contains(written[namespace], name) {
			t.Errorf("%s reads the metric %s of %s, which no function writes", reader, name, namespace)
		}
		delete(counted, metric)
	}
	for metric := range counted {
		t.Errorf("the metric %s is counted, and neither the dashboard nor an alarm reads it", metric)
	}
	if len(read) < 20 {
		t.Errorf("found %d metrics that are read: the form of the template has changed", len(read))
	}
}

// TestSavedQueriesShowMembersThatFunctionsLog logs each member that a saved query shows: the log keeps those that
// functions may write.
func TestSavedQueriesShowMembersThatFunctionsLog(t *testing.T) {
	t.Parallel()
	shown := 0
	for name, r := range deployedResources(t) {
		line, found := strings.CutPrefix(r.Properties.QueryString, "fields ")
		if !found { // it counts lines
			continue
		}
		line, _, _ = strings.Cut(line, "\n")
		for member := range strings.SplitSeq(line, ", ") {
			shown++
			var log strings.Builder
			logging.New(&log).Info("a line", slog.String(member, "kept"))
			written := member == "level" || member == "message" || strings.HasPrefix(member, "@")
			if !written && !strings.Contains(log.String(), "kept") {
				t.Errorf("%s shows %s, which no function logs", name, member)
			}
		}
	}
	if shown < 10 {
		t.Errorf("found %d members in saved queries: the form of the template has changed", shown)
	}
}

// TestNoAlarmReadsTooManyMetrics: CloudWatch refuses an alarm with more, and so the deployment fails.
func TestNoAlarmReadsTooManyMetrics(t *testing.T) {
	t.Parallel()
	const most = 10 // in an expression
	for name, r := range deployedResources(t) {
		if n := len(metricsOf(t, r)); r.Type == "AWS::CloudWatch::Alarm" && n > most {
			t.Errorf("the alarm %s reads %d metrics, and CloudWatch takes %d", name, n, most)
		}
	}
}

// metricsOf lists what an alarm or a dashboard reads, as "namespace name".
func metricsOf(t *testing.T, r deployedResource) []string {
	t.Helper()
	var read []string
	switch r.Type {
	case "AWS::CloudWatch::Alarm":
		if name := text(r.Properties.MetricName); name != "" {
			read = append(read, text(r.Properties.Namespace)+" "+name)
		}
		for _, m := range r.Properties.Metrics {
			if m.MetricStat != nil {
				read = append(read, text(m.MetricStat.Metric.Namespace)+" "+text(m.MetricStat.Metric.MetricName))
			}
		}
	case "AWS::CloudWatch::Dashboard":
		for _, line := range dashboardLines(t, r.Properties.DashboardBody) {
			if len(line) > 1 {
				namespace, _ := line[0].(string)
				name, _ := line[1].(string)
				read = append(read, namespace+" "+name)
				continue
			}
			expression, _ := line[0].(map[string]any)["expression"].(string)
			found := regexp.MustCompile(`^SEARCH\('\{"([^"]+)",\w+\} MetricName="(\w+)"', 'Sum'\)$`).
				FindStringSubmatch(expression)
			if found == nil {
				t.Errorf("the dashboard has an expression that no test checks: %s", expression)
				continue
			}
			read = append(read, found[1]+" "+found[2])
		}
	}
	return read
}

// dashboardLines are the metrics of all widgets, in the form of the dashboard's body.
func dashboardLines(t *testing.T, body json.RawMessage) [][]any {
	t.Helper()
	var call struct {
		Sub []json.RawMessage `json:"Fn::Sub"`
	}
	var written string
	if err := json.Unmarshal(body, &call); err != nil || len(call.Sub) != 2 ||
		json.Unmarshal(call.Sub[0], &written) != nil {
		t.Fatalf("the dashboard's body is no Fn::Sub with variables: %v", err)
	}
	var dashboard struct {
		Widgets []struct {
			Properties struct {
				Title   string
				Metrics [][]any
			}
		}
	}
	if err := json.Unmarshal([]byte(written), &dashboard); err != nil {
		t.Fatalf("the dashboard's body is no JSON: %v", err)
	}
	var lines [][]any
	for _, w := range dashboard.Widgets {
		if len(w.Properties.Metrics) == 0 || w.Properties.Title == "" {
			t.Errorf("the widget %q of the dashboard shows nothing", w.Properties.Title)
		}
		lines = append(lines, w.Properties.Metrics...)
	}
	return lines
}

// TestEveryFunctionIsWatched: one that was added later is in the alarms, on the dashboard and in the queries, too.
func TestEveryFunctionIsWatched(t *testing.T) {
	t.Parallel()
	resources := deployedResources(t)
	golden := map[string]string{}
	raw := transformed[json.RawMessage](t)
	for _, name := range []string{"FunctionErrors", "FunctionThrottles", "Dashboard"} {
		golden[name] = string(raw[name])
	}
	for name, r := range resources {
		if r.Type != "AWS::Lambda::Function" {
			continue
		}
		for _, watcher := range slices.Sorted(maps.Keys(golden)) {
			if !strings.Contains(golden[watcher], name) {
				t.Errorf("%s does not watch %s", watcher, name)
			}
		}
		faults := false
		for _, filter := range resources {
			group, _ := filter.Properties.LogGroupName.(map[string]any)
			faults = faults || filter.Properties.FilterPattern == `{ $.level = "ERROR" }` &&
				group["Ref"] == r.Properties.LoggingConfig.LogGroup.Ref
		}
		if !faults {
			t.Errorf("no metric filter counts the faults in the log of %s", name)
		}
	}
}

// TestThePageLogsWithTheKeysOfTheFunctions: the saved queries and the metric filters read level and message.
func TestThePageLogsWithTheKeysOfTheFunctions(t *testing.T) {
	t.Parallel()
	found := 0
	for _, name := range trackedFiles(t, "frontend/web/src/server/*.ts") {
		for _, line := range regexp.MustCompile(`console\.\w+\(.*`).FindAllString(readFile(t, name), -1) {
			found++
			hasMessage := regexp.MustCompile(`\bmessage\b`).MatchString(line)
			if !hasMessage || !strings.Contains(line, "JSON.stringify({ level: ") {
				t.Errorf("%s logs without level or message: %s", name, line)
			}
		}
	}
	if found < 2 {
		t.Errorf("found %d lines of logs: the form of the page has changed", found)
	}
}

// TestTheSocketsLogHasVariablesOfWebSocketAPIs: API Gateway writes a "-" for a variable that it does not know.
func TestTheSocketsLogHasVariablesOfWebSocketAPIs(t *testing.T) {
	t.Parallel()
	// Source: API Gateway developer guide, "Configure logging for WebSocket APIs".
	known := []string{
		"requestId", "connectionId", "routeKey", "eventType", "status", "error.responseType", "integration.error",
		"integrationLatency", "connectedAt",
	}
	_, section, _ := strings.Cut(readFile(t, "template.yaml"), "\n  ChatApi:\n")
	section, _, _ = strings.Cut(section, "\n  HttpApi:\n")
	used := regexp.MustCompile(`\$context\.([\w.]+)`).FindAllStringSubmatch(section, -1)
	for _, m := range used {
		if !slices.Contains(known, m[1]) {
			t.Errorf("the socket's access log has $context.%s", m[1])
		}
	}
	if len(used) < 5 {
		t.Errorf("found %d variables: the form of the template has changed", len(used))
	}
}

// TestNamesAndAddressesOfTheAPIs: both APIs take IPv6, and the sign-in pages have an address that Cognito takes.
func TestNamesAndAddressesOfTheAPIs(t *testing.T) {
	t.Parallel()
	type resource struct {
		Type       string
		Properties struct {
			IPAddressType string `json:"IpAddressType"`
			Domain        json.RawMessage
		}
	}
	apis, domains := 0, 0
	for name, r := range transformed[resource](t) {
		switch r.Type {
		case "AWS::ApiGatewayV2::Api":
			apis++
			if r.Properties.IPAddressType != "dualstack" {
				t.Errorf("%s is reached by %q, want IPv4 and IPv6", name, r.Properties.IPAddressType)
			}
		case "AWS::Cognito::UserPoolDomain":
			domains++
			// The id of an API is made of any letters, and can have one of the words that Cognito refuses in a domain.
			made := string(r.Properties.Domain)
			if strings.Contains(made, "Api") || !strings.Contains(made, "AWS::StackId") {
				t.Errorf("%s is made of %s, want the hexadecimal digits of the stack's ARN", name, made)
			}
		}
	}
	if apis != 2 || domains != 1 {
		t.Errorf("found %d APIs and %d domains", apis, domains)
	}
}
