package e2e_test

import (
	"context"
	"slices"
	"strings"
	"testing"
	"time"

	"signedsocket/internal/load"
	"signedsocket/internal/stageclient"
	"signedsocket/localstage"
	"signedsocket/localstage/stagetest"
)

// putLoad runs a plan against a stage over the wire.
func putLoad(t *testing.T, client *stageclient.Client, plan load.Plan) *load.Report {
	t.Helper()
	report, err := load.Run(t.Context(), plan,
		load.StageFunc(func(ctx context.Context, user string) (load.Member, error) {
			conn, signed, err := client.ConnectWithHistory(ctx, user)
			if err != nil {
				return load.Member{}, err
			}
			return load.Member{
				Socket: conn, User: signed.User, Rooms: signed.Rooms(),
				History: conn.Subprotocol() == stageclient.ProtocolWithHistory,
			}, nil
		}), func(note string) { t.Log(note) })
	if err != nil {
		t.Fatal(err)
	}
	return report
}

func TestLoadLosesNothing(t *testing.T) {
	t.Parallel()
	_, client := startStage(t, stagetest.Options{})
	report := putLoad(t, client, load.Plan{Clients: 12, PerUser: 4, ConnectRate: 100, Rate: 20,
		Duration: 2 * time.Second, Drain: 20 * time.Second, Size: 200, Seed: 1})
	if missed := report.Missed(load.Goals{}); len(missed) != 0 {
		t.Errorf("missed %q\n%s", missed, report.Text())
	}
	if d := report.Deliveries; d.Arrived != 40*12 || d.Repeated != 0 {
		t.Errorf("%+v, want 40 messages for each of 12 clients, once", d)
	}
}

// The stage refuses a message over the limit of a connection, and the report counts it as refused, not as lost. Each
// client sends three messages and may send one in ten seconds. So one is refused even when a new window begins in
// between, and no client is closed for too many.
func TestLoadBeyondTheLimitIsReportedAsRefused(t *testing.T) {
	t.Parallel()
	_, client := startStage(t, stagetest.Options{Parameters: map[string]string{"MessagesPerWindow": "1"}})
	report := putLoad(t, client, load.Plan{
		Clients: 4, ConnectRate: 100, Rate: 40, Duration: 300 * time.Millisecond, Drain: 20 * time.Second, Seed: 1,
	})
	if report.Messages.Refused["rate_limited"] == 0 || report.Deliveries.Lost != 0 || report.Messages.Unanswered != 0 {
		t.Errorf("messages %+v, deliveries %+v; want some rate_limited and none lost", report.Messages,
			report.Deliveries)
	}
	if !strings.Contains(report.Text(), "MessagesPerWindow") {
		t.Errorf("the report does not name the parameter:\n%s", report.Text())
	}
}

// A cut connection is no loss, and the other connections get every message.
func TestLoadOnAStageThatCutsConnections(t *testing.T) {
	t.Parallel()
	_, client := startStage(t, stagetest.Options{Faults: localstage.Faults{DropTCP: 0.1, Seed: 3}})
	report := putLoad(t, client,
		load.Plan{Clients: 8, ConnectRate: 100, Rate: 20, Duration: 2 * time.Second, Drain: 20 * time.Second, Seed: 1})
	missed := report.Missed(load.Goals{})
	if len(report.Clients.Ended) == 0 || report.Deliveries.Lost != 0 ||
		!slices.ContainsFunc(missed, func(m string) bool { return strings.HasPrefix(m, "connections ended") }) {
		t.Errorf("missed %q\n%s", missed, report.Text())
	}
}
