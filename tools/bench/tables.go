package main

import (
	"fmt"
	"io"
	"strings"
	"text/tabwriter"
)

// table is a part of the results for people.
type table struct {
	title  string
	header []string
	rows   [][]string
}

// tables are all results, the goals last.
func (r *Results) tables() []table {
	return []table{r.postTable(), r.freezeTable(), r.broadcastTable(), r.startTable(), r.readyTable(), goalTable(r.goals())}
}

func (r *Results) postTable() table {
	t := table{
		title:  "Posts to connections, against the same server in a process of its own, which answers at once or after 10 ms",
		header: []string{"Client", "Server", "Posts a second", "µs of CPU a post", "CPU, × ours", "Lost"},
	}
	for _, p := range r.Posts {
		t.rows = append(t.rows, []string{
			p.Client, fmt.Sprintf("%d ms", p.LatencyMs), fmt.Sprintf("%.0f", p.PostsPerSecond), fmt.Sprintf("%.0f", p.CPUMicroseconds),
			fmt.Sprintf("%.1f", p.CPUMicroseconds/r.post(ours, p.LatencyMs).CPUMicroseconds), fmt.Sprint(p.Lost),
		})
	}
	return t
}

func (r *Results) freezeTable() table {
	t := table{
		title:  "Posts after freezes: the process is stopped, the server closes its idle connections, the process goes on",
		header: []string{"Client", "Posts", "Lost", "Slowest round"},
	}
	for _, f := range r.Freezes {
		t.rows = append(t.rows, []string{f.Client, fmt.Sprint(f.Posts), fmt.Sprint(f.Lost), fmt.Sprintf("%.0f ms", f.SlowestMs)})
	}
	return t
}

func (r *Results) broadcastTable() table {
	t := table{
		title:  "Broadcasts on the local stage: from the sender's frame through Lambda, DynamoDB and @connections to the last receiver",
		header: []string{"Recipients", "p50", "p95", "p50 a recipient", "Lost", "Peak memory of the function", "Memory of the stage"},
	}
	for _, b := range r.Broadcasts {
		t.rows = append(t.rows, []string{
			count(b.Recipients, "recipient"), fmt.Sprintf("%.1f ms", b.P50Ms), fmt.Sprintf("%.1f ms", b.P95Ms), fmt.Sprintf("%.0f µs", 1000*b.P50Ms/float64(b.Recipients)),
			fmt.Sprint(b.Lost), inMB(b.FunctionMB), inMB(b.StageMB),
		})
	}
	return t
}

func (r *Results) startTable() table {
	t := table{
		title:  "Starts: from exec to the first request for an event",
		header: []string{"Function", "Start", "× empty", "Binary", "Peak memory"},
	}
	for _, s := range r.Starts {
		t.rows = append(t.rows, []string{s.Function, fmt.Sprintf("%.1f ms", s.StartMs), fmt.Sprintf("%.2f", s.Times), fmt.Sprintf("%.1f MB", s.BinaryMB), inMB(s.PeakRSSMB)})
	}
	return t
}

func (r *Results) readyTable() table {
	return table{
		title:  "The local stage itself, with functions that are built and without the page",
		header: []string{"Ready in", "Memory when idle"},
		rows:   [][]string{{fmt.Sprintf("%.0f ms", r.Ready.ReadyMs), inMB(r.Ready.IdleMB)}},
	}
}

func goalTable(goals []Goal) table {
	t := table{title: "Goals", header: []string{"What", "Goal", "Measured", "Reached"}}
	for _, g := range goals {
		reached := "yes"
		if !g.Reached {
			reached = "NO"
		}
		t.rows = append(t.rows, []string{g.What, g.Want, g.Measured, reached})
	}
	return t
}

// inMB shows memory, or that it could not be read.
func inMB(megabytes float64) string {
	if megabytes == 0 {
		return "–"
	}
	return fmt.Sprintf("%.1f MB", megabytes)
}

// print writes the results for a terminal.
func (r *Results) print(w io.Writer) error { return printTables(w, r.Machine, r.tables()) }

func printTables(w io.Writer, m Machine, tables []table) error {
	fmt.Fprintf(w, "%s\n", m.text())
	for _, t := range tables {
		fmt.Fprintf(w, "\n%s\n\n", t.title)
		columns := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
		for _, row := range append([][]string{t.header}, t.rows...) {
			fmt.Fprintf(columns, "  %s\n", strings.Join(row, "\t"))
		}
		if err := columns.Flush(); err != nil {
			return err
		}
	}
	return nil
}

// text says where and when.
func (m Machine) text() string {
	text := fmt.Sprintf("%s, %s, %d processors", m.At, m.System, m.Processors)
	if m.Model != "" {
		text += " (" + m.Model + ")"
	}
	text += ", " + m.Go
	if m.Commit != "" {
		text += ", commit " + m.Commit
	}
	if m.LoadAtStart != "" {
		text += ", load " + m.LoadAtStart + " at the start"
	}
	return text + "."
}

// markdown writes the results for a page.
func (r *Results) markdown() string {
	var page strings.Builder
	fmt.Fprintf(&page, "%s\n\n%s", r.Machine.text(), r.charts())
	for _, t := range r.tables() {
		fmt.Fprintf(&page, "\n### %s\n\n", t.title)
		fmt.Fprintf(&page, "| %s |\n|---|%s\n", strings.Join(t.header, " | "), strings.Repeat("---:|", len(t.header)-1))
		for _, row := range t.rows {
			fmt.Fprintf(&page, "| %s |\n", strings.Join(row, " | "))
		}
	}
	return page.String()
}
