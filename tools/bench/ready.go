package main

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"
)

// ReadyResult is what the stage itself takes.
type ReadyResult struct {
	ReadyMs float64 `json:"readyMs"` // from the start of its process until it is ready, with functions that are built; the median
	IdleMB  float64 `json:"idleMB"`  // its own memory when nothing happens, without the functions' processes; 0 where it cannot be read
}

// idle is how long a stage is left alone before its memory is read.
const idle = time.Second

// measureReady starts the stage a number of times.
func measureReady(ctx context.Context, w workshop, rounds int) (ReadyResult, error) {
	var took []time.Duration
	var result ReadyResult
	for range rounds {
		s, err := startStage(ctx, w, "ready")
		if err != nil {
			return result, fmt.Errorf("start the stage: %w", err)
		}
		time.Sleep(idle)
		took = append(took, s.readyIn)
		result.IdleMB = max(result.IdleMB, residentMemory(s.process.Process.Pid))
		if err := s.close(); err != nil {
			return result, errors.Join(errors.New("close the stage"), err)
		}
	}
	slices.Sort(took)
	result.ReadyMs = milliseconds(took[rounds/2])
	return result, nil
}
