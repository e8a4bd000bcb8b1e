package lambda

import (
	"io"
	"log"
	"time"
)

// logLines writes lines of Lambda's own to the function's log. The caller must not hold f.mu: a terminal that stands
// still must not stop the functions.
func (f *Function) logLines(lines ...string) {
	for _, line := range lines {
		f.service.logs.line(f.config.Name, []byte(line))
	}
}

// reportStart logs the start of an invocation.
func (f *Function) reportStart(inv *invocation) {
	if f.service.options.Reports {
		f.logLines(startLine(inv.requestID))
	}
}

// takeReport returns the lines about an ended invocation, or nil. The caller holds function.mu.
func (e *environment) takeReport(ended *invocation) []string {
	if ended == nil || !e.function.service.options.Reports {
		return nil
	}
	initDuration := e.initDuration
	e.initDuration = 0
	return []string{
		endLine(ended.requestID),
		reportLine(ended.requestID, time.Since(ended.started), initDuration, e.function.config.MemoryMB),
	}
}

// failedLines returns the lines that Lambda logs when a process has ended: about its invocation, or about its init
// phase. An idle process ends silently, and so do all with the service. The caller holds function.mu.
func (e *environment) failedLines(inv *invocation, cause failure) []string {
	var line string
	switch {
	case e.function.closed:
		return nil
	case inv == nil && !e.initialized:
		return e.initFailedLines(cause)
	case inv == nil:
		return nil
	case inv.expired:
		line = timeoutLine(time.Now(), inv.requestID, cause.message)
	default:
		line = cause.text(inv.requestID) + " " + cause.errorType
	}
	return append([]string{line}, e.takeReport(inv)...)
}

func (e *environment) initFailedLines(cause failure) []string {
	duration := time.Since(e.started)
	switch {
	case cause.errorType == typeTimeout:
		return []string{initReportLine(duration, "timeout")}
	case cause.payload != nil: // the runtime has reported and logged it
		return []string{initReportLine(duration, "error\tError Type: "+cause.errorType)}
	}
	return []string{cause.message, initReportLine(duration, "error\tError Type: "+cause.errorType)}
}

func discardLogger() *log.Logger { return log.New(io.Discard, "", 0) }
