package lambda

import (
	"fmt"
	"io"
	"net"
	"regexp"
	"strings"
	"sync"
	"testing"

	"signedsocket/internal/stageclient/clienttest"
)

// sendRaw writes a request, ends the writing side, and returns the answer.
func sendRaw(t *testing.T, address, request string) string {
	t.Helper()
	connection, err := net.Dial("tcp", address)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = connection.Close() }()
	if _, err := io.WriteString(connection, request); err != nil {
		t.Fatal(err)
	}
	if err := connection.(*net.TCPConn).CloseWrite(); err != nil {
		t.Fatal(err)
	}
	answer, _ := io.ReadAll(connection)
	return string(answer)
}

func TestLinesCarryTheFunctionsName(t *testing.T) {
	t.Parallel()
	long := strings.Repeat("x", maxLogLine)
	tests := map[string]struct {
		writes []string
		want   string
	}{
		"whole lines":       {[]string{"a\nb\n"}, "F | a\nF | b\n"},
		"an empty line":     {[]string{"\n"}, "F | \n"},
		"in pieces":         {[]string{"a", "b", "\nc", "\n"}, "F | ab\nF | c\n"},
		"an open last line": {[]string{"a\nb"}, "F | a\nF | b\n"},
		"nothing":           {nil, ""},
		"at the limit":      {[]string{long, "\n"}, "F | " + long + "\n"},
		"over the limit":    {[]string{long + "y\nz\n"}, "F | " + long + "\nF | y\nF | z\n"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var logs logBuffer
			w := &lineWriter{sink: &logSink{out: &logs}, function: "F"}
			for _, text := range test.writes {
				if n, err := w.Write([]byte(text)); n != len(text) || err != nil {
					t.Errorf("Write = %d, %v", n, err)
				}
			}
			w.flush()
			if got := logs.String(); got != test.want {
				t.Errorf("log of %d bytes, want %d:\n%.200q", len(got), len(test.want), got)
			}
		})
	}
}

func FuzzLinesKeepEveryByte(f *testing.F) {
	f.Add([]byte("a\nb"), 1)
	f.Add([]byte("\n\n"), 2)
	f.Add([]byte("long line\n"), 3)
	f.Fuzz(func(t *testing.T, text []byte, size int) {
		var logs logBuffer
		w := &lineWriter{sink: &logSink{out: &logs}, function: "F"}
		for rest := text; len(rest) > 0; {
			n := min(max(size, 1), len(rest))
			_, _ = w.Write(rest[:n])
			rest = rest[n:]
		}
		w.flush()
		var want strings.Builder
		for line := range strings.Lines(string(text)) {
			fmt.Fprintf(&want, "F | %s\n", strings.TrimSuffix(line, "\n"))
		}
		if logs.String() != want.String() {
			t.Errorf("log = %q, want %q", logs.String(), want.String())
		}
	})
}

func TestLogsOfParallelFunctionsDoNotMix(t *testing.T) {
	t.Parallel()
	var logs logBuffer
	s := startService(t, Options{Logs: &logs})
	var wait sync.WaitGroup
	for _, name := range []string{"One", "Two"} {
		f := addFunction(t, s, func(c *Config) { c.Name = name })
		for range 2 {
			wait.Go(func() {
				invoke[any](t, f, `{"do":"log","text":"`+strings.Repeat("a line of some length\\n", 200)+`end"}`)
			})
		}
	}
	wait.Wait()
	s.Close() // which flushes the last lines
	line := regexp.MustCompile(`^(One|Two) \| (a line of some length|end)$`)
	lines := strings.Split(strings.TrimSuffix(logs.String(), "\n"), "\n")
	if len(lines) < 800 {
		t.Errorf("%d lines, want at least 800", len(lines))
	}
	for _, text := range lines {
		if !line.MatchString(text) && !strings.Contains(text, "enda line") { // two events in one process
			t.Fatalf("line %q", text)
		}
	}
}

func TestReports(t *testing.T) {
	t.Parallel()
	var logs logBuffer
	s := startService(t, Options{Logs: &logs, Reports: true})
	f := addFunction(t, s)
	invoke[int](t, f, `{"do":"pid"}`)
	clienttest.Eventually(t, "the first end is reported", func() bool {
		return strings.Contains(logs.String(), "REPORT ")
	})
	invokeFailing(t, f, `{"do":"exit"}`)
	clienttest.Eventually(t, "the end is reported", func() bool { return strings.Count(logs.String(), "REPORT ") == 2 })
	const id = `[0-9a-f-]{36}`
	pattern := "^" + strings.Join([]string{
		`Test \| START RequestId: ` + id + ` Version: \$LATEST`,
		`Test \| END RequestId: ` + id,
		`Test \| REPORT RequestId: ` + id +
			`\tDuration: \d+\.\d\d ms\tBilled Duration: \d+ ms\tMemory Size: 128 MB\tInit Duration: \d+\.\d\d ms`,
		`Test \| START RequestId: ` + id + ` Version: \$LATEST`,
		`Test \| RequestId: ` + id + ` Error: Runtime exited without providing a reason Runtime.ExitError`,
		`Test \| END RequestId: ` + id,
		`Test \| REPORT RequestId: ` + id + `\tDuration: \d+\.\d\d ms\tBilled Duration: \d+ ms\tMemory Size: 128 MB`,
	}, "\n") + "\n$"
	if !regexp.MustCompile(pattern).MatchString(logs.String()) {
		t.Errorf("log:\n%s", logs.String())
	}
}
