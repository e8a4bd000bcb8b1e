package logging

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"path"
	"runtime"
	"strconv"
)

// maxFrames is how much of a stack is logged.
const maxFrames = 16

// ErrPanic is the error that Recover returns for a panic.
var ErrPanic = errors.New("the function panicked")

// Recover, when deferred, turns a panic into ErrPanic and logs the type of its value and the stack. The value itself is
// not logged: it can hold anything. Without Recover, the Lambda runtime would print it.
func Recover(ctx context.Context, log *slog.Logger, err *error) {
	value := recover()
	if value == nil {
		return
	}
	*err = ErrPanic
	log.ErrorContext(ctx, "panic", slog.String("panic", fmt.Sprintf("%T", value)), slog.Any("stack", stack()))
}

// trace is a list of places in the program, the innermost first.
type trace []string

// stack returns where the panic happened that is being recovered from.
func stack() trace {
	var counters [maxFrames]uintptr
	const skip = 4 // runtime.Callers, stack, Recover and the runtime's panic
	frames := runtime.CallersFrames(counters[:runtime.Callers(skip, counters[:])])
	var places trace
	for {
		frame, more := frames.Next()
		places = append(places, frame.Function+" "+path.Base(frame.File)+":"+strconv.Itoa(frame.Line))
		if !more {
			return places
		}
	}
}
