package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"

	"signedsocket/internal/load"
	"signedsocket/internal/stageclient"
)

// loadOptions are those of the command load.
type loadOptions struct {
	Clients     int           `default:"10" placeholder:"N" help:"Clients (${default}): load-1, load-2 and so on."`
	PerUser     int           `default:"1" placeholder:"N" help:"Clients that share a user (${default}). ${perUser}"`
	ConnectRate float64       `default:"10" placeholder:"N" help:"New clients a second (${default}). ${connectRate}"`
	Rate        float64       `default:"5" placeholder:"N" help:"Messages a second, together (${default}). ${rate}"`
	Duration    time.Duration `default:"30s" placeholder:"TIME" help:"How long to send (${default})."`
	Drain       time.Duration `default:"10s" placeholder:"TIME" help:"Waits so long for the last answers (${default})."`
	Size        int           `default:"64" placeholder:"BYTES" help:"Length of a message (${default}). ${size}"`
	Seed        uint64        `default:"1" placeholder:"N" help:"Seeds the choice of messages (${default})."`
	P95         time.Duration `name:"p95" placeholder:"TIME" help:"${p95}"`
	MaxRefused  float64       `default:"0" placeholder:"SHARE" help:"${refused}"`
	Guest       bool          `help:"${guestLoad}"`
	JSON        bool          `name:"json" help:"Print the report as JSON."`
	stageOptions
}

func (o loadOptions) plan() load.Plan {
	return load.Plan{
		Clients: o.Clients, PerUser: o.PerUser, ConnectRate: o.ConnectRate, Rate: o.Rate,
		Duration: o.Duration, Drain: o.Drain, Size: o.Size, Seed: o.Seed,
	}
}

// putLoad runs the plan and prints its report. The error names the missed goals, or says why there is no report.
func putLoad(ctx context.Context, o loadOptions, outputs stageclient.Outputs, out *screen) error {
	report, err := load.Run(ctx, o.plan(),
		load.StageFunc(func(ctx context.Context, user string) (load.Member, error) {
			if o.Guest {
				user = ""
			}
			session, err := newLink(o.stageOptions, outputs, user, "").connect(ctx)
			if err != nil {
				return load.Member{}, err
			}
			return load.Member{
				Socket: session.socket, User: session.user, Rooms: session.rooms, History: session.history,
			}, nil
		}), out.note)
	if err != nil {
		return explainLoad(newLink(o.stageOptions, outputs, "load-1", ""), err)
	}
	missed := report.Missed(load.Goals{P95: o.P95, Refused: o.MaxRefused})
	if err := printReport(out, o.JSON, report, missed); err != nil {
		return fmt.Errorf("print the report: %w", err)
	}
	if len(missed) > 0 {
		return errors.New("goals not reached: " + strings.Join(missed, "; "))
	}
	return nil
}

// explainLoad says why no client could connect.
func explainLoad(l *link, err error) error {
	if stop := l.judge(err, false, refusals); stop != nil {
		return stop
	}
	return err
}

func printReport(out *screen, asJSON bool, report *load.Report, missed []string) error {
	if asJSON {
		encoder := json.NewEncoder(out.messages)
		encoder.SetIndent("", "  ")
		return encoder.Encode(struct {
			Passed bool     `json:"passed"`
			Missed []string `json:"missed"`
			*load.Report
		}{len(missed) == 0, missed, report})
	}
	verdict := "passed"
	if len(missed) > 0 {
		verdict = "FAILED"
	}
	_, err := fmt.Fprintf(out.messages, "%sverdict          %s\n", report.Text(), verdict)
	return err
}
