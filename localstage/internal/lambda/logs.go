package lambda

import (
	"bytes"
	"fmt"
	"io"
	"math"
	"sync"
	"time"
)

// maxLogLine is the length in bytes of the longest log line: the size of one event of CloudWatch Logs. Longer lines are
// split.
const maxLogLine = 256 * 1024

// logSink serialises the lines of all functions into one writer.
type logSink struct {
	mu  sync.Mutex
	out io.Writer
}

// line writes one line in a single Write, so that lines never mix. It ignores the writer's errors: a full disk must not
// stop the functions.
func (s *logSink) line(function string, text []byte) {
	line := make([]byte, 0, len(function)+len(text)+4)
	line = append(line, function...)
	line = append(line, " | "...)
	line = append(line, text...)
	line = append(line, '\n')
	s.mu.Lock()
	defer s.mu.Unlock()
	_, _ = s.out.Write(line)
}

// lineWriter cuts the output of one environment into lines.
type lineWriter struct {
	sink     *logSink
	function string
	partial  []byte
}

// Write passes on complete lines and keeps the rest. It never fails.
func (w *lineWriter) Write(p []byte) (int, error) {
	written := len(p)
	for {
		end := bytes.IndexByte(p, '\n')
		if end < 0 {
			break
		}
		w.add(p[:end])
		w.emit()
		p = p[end+1:]
	}
	w.add(p)
	return written, nil
}

// add appends to the partial line, and passes on the text above the limit.
func (w *lineWriter) add(p []byte) {
	for len(w.partial)+len(p) > maxLogLine {
		room := maxLogLine - len(w.partial)
		w.partial = append(w.partial, p[:room]...)
		w.emit()
		p = p[room:]
	}
	w.partial = append(w.partial, p...)
}

func (w *lineWriter) emit() {
	w.sink.line(w.function, w.partial)
	w.partial = w.partial[:0]
}

// flush passes on the last line of a process that did not end it.
func (w *lineWriter) flush() {
	if len(w.partial) > 0 {
		w.emit()
	}
	w.partial = nil
}

// startLine, timeoutLine, reportLines and initReportLine are Lambda's own lines
// in a function's log.
// Source: AWS Lambda developer guide, "Working with Lambda function logs".

func startLine(requestID string) string {
	return "START RequestId: " + requestID + " Version: $LATEST"
}

// timeoutLine takes the message of a timeoutFailure.
func timeoutLine(now time.Time, requestID, message string) string {
	return fmt.Sprintf("%s %s %s", now.UTC().Format("2006-01-02T15:04:05.000Z"), requestID, message)
}

func endLine(requestID string) string { return "END RequestId: " + requestID }

// reportLine leaves out the used memory, because the processes are not measured.
func reportLine(requestID string, duration, initDuration time.Duration, memoryMB int) string {
	line := fmt.Sprintf("REPORT RequestId: %s\tDuration: %.2f ms\tBilled Duration: %.0f ms\tMemory Size: %d MB",
		requestID, milliseconds(duration), math.Ceil(milliseconds(duration)), memoryMB)
	if initDuration > 0 {
		line += fmt.Sprintf("\tInit Duration: %.2f ms", milliseconds(initDuration))
	}
	return line
}

// initReportLine gives the result of a failed init phase: "timeout", or "error" with the type.
func initReportLine(duration time.Duration, status string) string {
	return fmt.Sprintf("INIT_REPORT Init Duration: %.2f ms\tPhase: init\tStatus: %s", milliseconds(duration), status)
}

func milliseconds(d time.Duration) float64 { return float64(d) / float64(time.Millisecond) }
