package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"sync"
	"sync/atomic"
	"syscall"
	"time"
)

// poster is the command that posts with one of the clients, in a process of its own that can be stopped as Lambda
// freezes a function. It does what the lines of its standard input say and answers each with a line.
type poster struct {
	Client   string `help:"Name of the client."`
	Endpoint string `help:"Address of the endpoint with the stage."`
}

// order is what a poster is to do.
type order struct {
	For   time.Duration // post for so long
	Posts int           // or so many times
	First int           // number of the first post
}

// outcome is what it took.
type outcome struct {
	Posts  int
	Failed int
	Took   time.Duration
	CPU    time.Duration // of this process
}

// Run works until standard input ends.
func (p *poster) Run() error {
	all := clients()
	i := slices.IndexFunc(all, func(c client) bool { return c.Name == p.Client })
	if i < 0 {
		return fmt.Errorf("there is no client %q", p.Client)
	}
	post, err := all[i].open(p.Endpoint)
	if err != nil {
		return err
	}
	input, output := json.NewDecoder(os.Stdin), json.NewEncoder(os.Stdout)
	for {
		var o order
		if err := input.Decode(&o); errors.Is(err, io.EOF) {
			return nil
		} else if err != nil {
			return fmt.Errorf("read order: %w", err)
		}
		if err := output.Encode(o.carryOut(post, all[i].parallel)); err != nil {
			return fmt.Errorf("write outcome: %w", err)
		}
	}
}

// carryOut posts, so many posts at a time, and returns when all of them have ended.
func (o order) carryOut(post post, parallel int) outcome {
	frame := []byte(`{"type":"message","id":"4ZDUDGJTZKAPE2ZSXKQ4TUQMQY","room":"lobby","from":{"sub":"alice","name":"Alice"},"message":"hello","sentAt":1795327200123}`)
	var next, failed atomic.Int64
	var working sync.WaitGroup
	started, cpu := time.Now(), processorTime()
	more := func(done int64) bool {
		if o.For > 0 {
			return time.Since(started) < o.For
		}
		return done < int64(o.Posts)
	}
	for range parallel {
		working.Go(func() {
			for n := next.Add(1) - 1; more(n); n = next.Add(1) - 1 {
				if err := post(context.Background(), connectionID(o.First+int(n)), frame); err != nil {
					failed.Add(1)
				}
			}
		})
	}
	working.Wait()
	// Each worker took one number that it did not use.
	return outcome{int(next.Load()) - parallel, int(failed.Load()), time.Since(started), processorTime() - cpu}
}

// processorTime is what this process has used so far.
func processorTime() time.Duration {
	var usage syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &usage); err != nil {
		return 0
	}
	return time.Duration(usage.Utime.Nano() + usage.Stime.Nano())
}
