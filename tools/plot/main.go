// Command plot draws the results of a benchmark run as an SVG file: what a post costs, and how long a message takes to its
// last receiver.
package main

import (
	"bytes"
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"image/color"
	"math"
	"os"
	"strings"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/font"
	"gonum.org/v1/plot/plotter"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
	"gonum.org/v1/plot/vg/vgsvg"
)

// results are the parts of the benchmark's file that are drawn.
type results struct {
	Posts []struct {
		Client          string  `json:"client"`
		LatencyMs       int64   `json:"latencyMs"`
		CPUMicroseconds float64 `json:"cpuMicrosecondsPerPost"`
	} `json:"posts"`
	Broadcasts []struct {
		Recipients float64 `json:"recipients"`
		P50Ms      float64 `json:"p50Ms"`
		P95Ms      float64 `json:"p95Ms"`
	} `json:"broadcasts"`
}

func main() {
	if len(os.Args) != 3 {
		fmt.Fprintln(os.Stderr, "usage: plot results.json plot.svg")
		os.Exit(2)
	}
	if err := run(os.Args[1], os.Args[2]); err != nil {
		fmt.Fprintln(os.Stderr, "plot:", err)
		os.Exit(1)
	}
}

func run(from, to string) error {
	data, err := os.ReadFile(from)
	if err != nil {
		return err
	}
	picture, err := picture(data)
	if err != nil {
		return err
	}
	return os.WriteFile(to, picture, 0o644)
}

// picture draws both plots side by side, and notes at the end what they were made from.
func picture(data []byte) ([]byte, error) {
	var r results
	if err := json.Unmarshal(data, &r); err != nil {
		return nil, fmt.Errorf("read results: %w", err)
	}
	plot.DefaultFont = font.Font{Typeface: "Liberation", Variant: "Sans"}
	posts, err := r.posts()
	if err != nil {
		return nil, err
	}
	broadcasts, err := r.broadcasts()
	if err != nil {
		return nil, err
	}
	canvas := vgsvg.New(11*vg.Inch, 4.2*vg.Inch)
	page := draw.New(canvas)
	page.SetColor(color.White)
	page.Fill(page.Rectangle.Path())
	tiles := draw.Tiles{Rows: 1, Cols: 2, PadX: vg.Points(24), PadTop: vg.Points(8), PadBottom: vg.Points(8), PadLeft: vg.Points(8), PadRight: vg.Points(12)}
	posts.Draw(tiles.At(page, 0, 0))
	broadcasts.Draw(tiles.At(page, 1, 0))
	var out bytes.Buffer
	if _, err := canvas.WriteTo(&out); err != nil {
		return nil, fmt.Errorf("write SVG: %w", err)
	}
	// The text was measured in Liberation Sans; these are as wide.
	svg := bytes.ReplaceAll(out.Bytes(), []byte("font-family:Liberation Sans;"), []byte("font-family:'Liberation Sans',Arimo,Arial,Helvetica,sans-serif;"))
	return fmt.Appendf(svg, "<!-- made from results with the SHA-256 %x -->\n", sha256.Sum256(data)), nil
}

var (
	blue   = color.RGBA{R: 0x1f, G: 0x77, B: 0xb4, A: 0xff}
	orange = color.RGBA{R: 0xff, G: 0x7f, B: 0x0e, A: 0xff}
	grey   = color.RGBA{R: 0x40, G: 0x40, B: 0x40, A: 0xff}
)

// posts draws what a post takes of a processor, for each client at both latencies.
func (r results) posts() (*plot.Plot, error) {
	p := plot.New()
	p.Title.Text = "CPU time of a post"
	p.X.Label.Text, p.X.Tick.Marker = "µs", whole{}
	p.X.Min = 0
	p.Legend.Padding, p.Legend.Left, p.Legend.XOffs = vg.Points(3), true, vg.Points(95)
	var names []string
	values := map[int64]plotter.Values{}
	for _, post := range r.Posts {
		if values[post.LatencyMs] = append(values[post.LatencyMs], post.CPUMicroseconds); post.LatencyMs == 0 {
			names = append(names, post.Client+strings.Repeat("\u00a0", 4)) // room for a viewer's wider font
		}
	}
	for _, series := range []struct {
		latency int64
		name    string
		offset  vg.Length
		color   color.Color
	}{{0, "answered at once", 5, blue}, {10, "after 10 ms", -5, orange}} {
		bars, err := plotter.NewBarChart(reversed(values[series.latency]), vg.Points(10))
		if err != nil {
			return nil, fmt.Errorf("draw posts: %w", err)
		}
		bars.Horizontal, bars.Color, bars.Offset, bars.LineStyle.Width = true, series.color, vg.Points(float64(series.offset)), 0
		p.Add(bars)
		p.Legend.Add(series.name, bars)
	}
	p.NominalY(reversed(names)...)
	p.Add(grid(true, false))
	return p, nil
}

// reversed puts the first row on top.
func reversed[S ~[]E, E any](from S) S {
	to := make(S, len(from))
	for i, value := range from {
		to[len(from)-1-i] = value
	}
	return to
}

// broadcasts draws how long a message takes to its last receiver.
func (r results) broadcasts() (*plot.Plot, error) {
	p := plot.New()
	p.Title.Text = "Last receiver on the local stage"
	p.X.Label.Text, p.Y.Label.Text = "recipients", "ms"
	p.X.Scale, p.Y.Scale = plot.LogScale{}, plot.LogScale{}
	p.X.Tick.Marker, p.Y.Tick.Marker = decades{}, decades{}
	p.Legend.Top, p.Legend.Left, p.Legend.Padding = true, true, vg.Points(3)
	p50, p95 := make(plotter.XYs, len(r.Broadcasts)), make(plotter.XYs, len(r.Broadcasts))
	for i, b := range r.Broadcasts {
		p50[i], p95[i] = plotter.XY{X: b.Recipients, Y: b.P50Ms}, plotter.XY{X: b.Recipients, Y: b.P95Ms}
	}
	p.Add(grid(true, true))
	for _, series := range []struct {
		name   string
		points plotter.XYs
		color  color.Color
	}{{"p50", p50, blue}, {"p95", p95, orange}} {
		line, points, err := plotter.NewLinePoints(series.points)
		if err != nil {
			return nil, fmt.Errorf("draw broadcasts: %w", err)
		}
		line.Color, points.Color, points.Shape = series.color, series.color, draw.CircleGlyph{}
		line.Width = vg.Points(1.5)
		p.Add(line, points)
		p.Legend.Add(series.name, line, points)
	}
	goals, err := plotter.NewScatter(plotter.XYs{{X: 1, Y: 3}, {X: 100, Y: 10}, {X: 1000, Y: 80}})
	if err != nil {
		return nil, fmt.Errorf("draw goals: %w", err)
	}
	goals.Color, goals.Shape, goals.Radius = grey, draw.CrossGlyph{}, vg.Points(5)
	p.Add(goals)
	p.Legend.Add("goal for the p50", goals)
	p.Y.Min, p.Y.Max = 1, math.Pow(10, math.Ceil(math.Log10(p.Y.Max)))
	return p, nil
}

func grid(vertical, horizontal bool) *plotter.Grid {
	g := plotter.NewGrid()
	faint := color.Gray{Y: 0xe0}
	g.Vertical.Color, g.Horizontal.Color = faint, faint
	if !vertical {
		g.Vertical.Color = nil
	}
	if !horizontal {
		g.Horizontal.Color = nil
	}
	return g
}

// whole marks round numbers.
type whole struct{}

// Ticks implements plot.Ticker.
func (whole) Ticks(from, to float64) []plot.Tick {
	ticks := plot.DefaultTicks{}.Ticks(from, to)
	for i := range ticks {
		if ticks[i].Label != "" {
			ticks[i].Label = fmt.Sprintf("%g", ticks[i].Value)
		}
	}
	return ticks
}

// decades marks 1, 10, 100 and so on.
type decades struct{}

// Ticks implements plot.Ticker.
func (decades) Ticks(from, to float64) []plot.Tick {
	var ticks []plot.Tick
	for value := math.Pow(10, math.Floor(math.Log10(from))); value <= to*1.001; value *= 10 {
		ticks = append(ticks, plot.Tick{Value: value, Label: fmt.Sprintf("%g", value)})
	}
	return ticks
}
