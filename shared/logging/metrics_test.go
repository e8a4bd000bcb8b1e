package logging_test

import (
	"bytes"
	"encoding/json"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"signedsocket/shared/logging"
)

// line is a line in the embedded metric format, as far as every line has it.
type line struct {
	AWS struct {
		Timestamp         int64
		CloudWatchMetrics []struct {
			Namespace  string
			Dimensions [][]string
			Metrics    []struct{ Name, Unit string }
		}
	} `json:"_aws"`
}

// The functions' own logger writes the line, which must leave it as CloudWatch reads it.
func TestALineOfTheLoggerIsInTheEmbeddedMetricFormat(t *testing.T) {
	t.Parallel()
	var out bytes.Buffer
	at := time.UnixMilli(1795327200123)
	logging.New(&out).Info("broadcast", logging.Broadcast{
		Messages: 1, Recipients: 9, Delivered: 5, Gone: 2, Throttled: 2, Retried: 7,
		FanoutTime: 1500 * time.Microsecond,
	}.Attr("chat-prod", at))

	var directive line
	var members map[string]any
	if err := json.Unmarshal(out.Bytes(), &directive); err != nil {
		t.Fatalf("%s: %v", &out, err)
	}
	if err := json.Unmarshal(out.Bytes(), &members); err != nil {
		t.Fatal(err)
	}
	if len(directive.AWS.CloudWatchMetrics) != 1 || directive.AWS.Timestamp != at.UnixMilli() {
		t.Fatalf("directive of %s", &out)
	}
	found := directive.AWS.CloudWatchMetrics[0]
	if found.Namespace != "signedsocket" || !cmp.Equal(found.Dimensions, [][]string{{"Stack"}}) ||
		members["Stack"] != "chat-prod" {
		t.Errorf("namespace or dimension of %s", &out)
	}
	values := make(map[string]any)
	for _, metric := range found.Metrics {
		if wantUnit := map[bool]string{true: "Milliseconds",
			false: "Count"}[metric.Name == "FanoutTime"]; metric.Unit != wantUnit {
			t.Errorf("%s is in %s", metric.Name, metric.Unit)
		}
		values[metric.Name] = members[metric.Name]
	}
	want := map[string]any{
		"Messages": 1.0, "Recipients": 9.0, "Delivered": 5.0, "Gone": 2.0, "Throttled": 2.0, "Retried": 7.0,
		"FanoutTime": 1.0,
	}
	if diff := cmp.Diff(want, values); diff != "" {
		t.Errorf("metrics of the line (-want +got):\n%s", diff)
	}
}

func TestRequestsForThePastAreCounted(t *testing.T) {
	t.Parallel()
	var out bytes.Buffer
	logging.New(&out).Info("history", logging.History{Requests: 1}.Attr("chat-prod", time.UnixMilli(1795327200123)))
	var got struct {
		line
		Stack           string
		HistoryRequests int
	}
	if err := json.Unmarshal(out.Bytes(), &got); err != nil || len(got.AWS.CloudWatchMetrics) != 1 {
		t.Fatalf("%s: %v", &out, err)
	}
	metrics := got.AWS.CloudWatchMetrics[0].Metrics
	if got.Stack != "chat-prod" || got.HistoryRequests != 1 || len(metrics) != 1 ||
		metrics[0].Name != "HistoryRequests" || metrics[0].Unit != "Count" {
		t.Errorf("%s counts no request", &out)
	}
}
