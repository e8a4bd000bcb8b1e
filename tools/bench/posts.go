package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"time"
)

// PostResult is what a client's posts took, against an endpoint that takes its time for each.
type PostResult struct {
	Client          string  `json:"client"`
	LatencyMs       int64   `json:"latencyMs"`
	PostsPerSecond  float64 `json:"postsPerSecond"`
	CPUMicroseconds float64 `json:"cpuMicrosecondsPerPost"`
	Lost            int     `json:"lost"`
}

// FreezeResult is what became of posts after freezes in which the endpoint closed the idle connections.
type FreezeResult struct {
	Client    string  `json:"client"`
	Posts     int     `json:"posts"`
	Lost      int     `json:"lost"`
	SlowestMs float64 `json:"slowestRoundMs"`
}

// postPlan says how thoroughly posts are measured.
type postPlan struct {
	warmUp, measured time.Duration
	rounds           int // of which the median counts
	freezes          int
	frozenPosts      int // after each freeze
}

// measurePosts compares the clients. They take turns, so that whatever else the machine does meets all of them.
func measurePosts(ctx context.Context, plan postPlan, latency time.Duration) ([]PostResult, error) {
	server, err := startEndpoint(ctx, latency)
	if err != nil {
		return nil, err
	}
	defer server.close()
	all := clients()
	samples := make([][]PostResult, len(all))
	for range plan.rounds {
		for i, c := range all {
			result, err := server.measure(ctx, c.Name, plan)
			if err != nil {
				return nil, fmt.Errorf("%s: %w", c.Name, err)
			}
			result.LatencyMs = latency.Milliseconds()
			samples[i] = append(samples[i], result)
		}
	}
	results := make([]PostResult, len(all))
	for i, of := range samples {
		results[i] = median(of)
	}
	return results, nil
}

// median is the sample with the middle of the processor times; what any of them lost is lost.
func median(samples []PostResult) PostResult {
	lost := 0
	for _, s := range samples {
		lost += s.Lost
	}
	slices.SortFunc(samples, func(a, b PostResult) int { return int(1000 * (a.CPUMicroseconds - b.CPUMicroseconds)) })
	middle := samples[len(samples)/2]
	middle.Lost = lost
	return middle
}

// runningEndpoint is an endpoint in a process of its own.
type runningEndpoint struct {
	*child
	url string
}

func startEndpoint(ctx context.Context, latency time.Duration) (*runningEndpoint, error) {
	c, err := startChild(ctx, "endpoint", "--latency", latency.String())
	if err != nil {
		return nil, err
	}
	url, err := c.line()
	return &runningEndpoint{c, url}, err
}

// arrived is how many different posts have come since it was asked last.
func (e *runningEndpoint) arrived(ctx context.Context) (n int, err error) {
	return n, e.call(ctx, http.MethodGet, "/arrived", &n)
}

func (e *runningEndpoint) call(ctx context.Context, method, path string, answer any) error {
	request, err := http.NewRequestWithContext(ctx, method, e.url+path, nil)
	if err != nil {
		return err
	}
	request.Close = true // so that it is none of the idle ones
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return err
	}
	defer response.Body.Close()
	if answer == nil {
		return nil
	}
	return json.NewDecoder(response.Body).Decode(answer)
}

// measure has a client post for a while.
func (e *runningEndpoint) measure(ctx context.Context, name string, plan postPlan) (result PostResult, err error) {
	p, err := startChild(ctx, "poster", "--client", name, "--endpoint", e.url+"/prod")
	if err != nil {
		return result, err
	}
	defer func() { err = errors.Join(err, p.close()) }()
	var warm, done outcome
	if err := p.ask(order{For: plan.warmUp}, &warm); err != nil {
		return result, err
	}
	if _, err := e.arrived(ctx); err != nil {
		return result, err
	}
	if err := p.ask(order{For: plan.measured, First: warm.Posts}, &done); err != nil {
		return result, err
	}
	arrived, err := e.arrived(ctx)
	if done.Posts == 0 {
		return result, errors.Join(err, errors.New("no post was made"))
	}
	return PostResult{
		Client: name, Lost: done.Posts - arrived,
		PostsPerSecond:  float64(done.Posts) / done.Took.Seconds(),
		CPUMicroseconds: done.CPU.Seconds() * 1e6 / float64(done.Posts),
	}, err
}

// measureFreezes has each client post, freezes it while the endpoint closes its idle connections, and has it post again.
func measureFreezes(ctx context.Context, plan postPlan) ([]FreezeResult, error) {
	server, err := startEndpoint(ctx, 0)
	if err != nil {
		return nil, err
	}
	defer server.close()
	var results []FreezeResult
	for _, c := range clients() {
		result, err := server.freezes(ctx, c.Name, plan)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", c.Name, err)
		}
		results = append(results, result)
	}
	return results, nil
}

func (e *runningEndpoint) freezes(ctx context.Context, name string, plan postPlan) (result FreezeResult, err error) {
	p, err := startChild(ctx, "poster", "--client", name, "--endpoint", e.url+"/prod")
	if err != nil {
		return result, err
	}
	defer func() { err = errors.Join(err, p.close()) }()
	var done outcome
	if err := p.ask(order{Posts: plan.frozenPosts}, &done); err != nil { // opens the connections
		return result, err
	}
	if _, err := e.arrived(ctx); err != nil {
		return result, err
	}
	result.Client = name
	for round := 1; round <= plan.freezes; round++ {
		if err := errors.Join(p.freeze(), e.call(ctx, http.MethodPost, "/close", nil), p.thaw()); err != nil {
			return result, err
		}
		if err := p.ask(order{Posts: plan.frozenPosts, First: round * plan.frozenPosts}, &done); err != nil {
			return result, err
		}
		result.Posts += done.Posts
		result.SlowestMs = max(result.SlowestMs, done.Took.Seconds()*1000)
	}
	arrived, err := e.arrived(ctx)
	result.Lost = result.Posts - arrived
	return result, err
}
