package webadapter_test

import (
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"net"
	"net/http"
	"os"
	"os/signal"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"signedsocket/localstage/internal/lambda"
	"signedsocket/localstage/internal/webadapter"
)

// webServer is the argument that makes the test binary the server of a web function.
const webServer = "web-server"

// TestMain makes the test binary one of three programs: the tests, the adapter, or the server behind it. The handler
// that starts the server is a script, like run.sh.
func TestMain(m *testing.M) {
	switch {
	case len(os.Args) > 1 && os.Args[1] == webadapter.Command:
		os.Exit(webadapter.Main(os.Environ(), os.Stderr))
	case len(os.Args) > 1 && os.Args[1] == webServer:
		serveWeb()
	default:
		os.Exit(m.Run())
	}
}

// serveWeb is the server: it answers with the request that it got, and injects faults on demand.
func serveWeb() {
	switch os.Getenv("SERVER") {
	case "ends":
		os.Exit(3)
	case "is never ready":
		select {}
	}
	unready := 3 // answers of /healthz before the server is ready
	mux := http.NewServeMux()
	mux.HandleFunc("/healthz", func(w http.ResponseWriter, _ *http.Request) {
		if unready--; unready >= 0 {
			w.WriteHeader(http.StatusInternalServerError)
			return
		}
		w.WriteHeader(http.StatusNotFound) // below 500, so the server is ready
	})
	mux.HandleFunc("/echo/", echo)
	var busy sync.Mutex
	mux.HandleFunc("/alone", func(w http.ResponseWriter, r *http.Request) {
		if !busy.TryLock() {
			w.WriteHeader(http.StatusConflict)
			return
		}
		defer busy.Unlock()
		echo(w, r)
	})
	mux.HandleFunc("/binary", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "font/woff2")
		_, _ = w.Write([]byte{0, 0xff, 0xfe, '<'})
	})
	mux.HandleFunc("/cookies", func(w http.ResponseWriter, _ *http.Request) {
		w.Header()["Set-Cookie"] = []string{"a=1; Path=/; HttpOnly", "b=2"}
		w.Header()["Vary"] = []string{"rsc", "accept-encoding"}
		w.Header().Set("Location", "/elsewhere")
		w.WriteHeader(http.StatusSeeOther)
	})
	mux.HandleFunc("/large", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/plain")
		_, _ = io.WriteString(w, strings.Repeat("x", 6<<20))
	})
	mux.HandleFunc("/end", func(http.ResponseWriter, *http.Request) { os.Exit(4) })
	mux.HandleFunc("/hang", func(http.ResponseWriter, *http.Request) { select {} })
	logSIGTERM()
	// The configured port is 3000 in every environment. The adapter sets the real one.
	fmt.Fprintln(os.Stderr, http.ListenAndServe(net.JoinHostPort("127.0.0.1", os.Getenv("PORT")), mux))
	os.Exit(1)
}

// logSIGTERM logs that the server got a SIGTERM, before the server ends.
func logSIGTERM() {
	asked := make(chan os.Signal, 1)
	signal.Notify(asked, syscall.SIGTERM)
	go func() {
		<-asked
		fmt.Fprintln(os.Stderr, "the server says goodbye")
		os.Exit(0)
	}()
}

// echoed is the request that the server got.
type echoed struct {
	Method, Path, Query, Host, Body string
	Header                          http.Header
	Environment                     map[string]string
	PID                             int
}

func echo(w http.ResponseWriter, r *http.Request) {
	body, _ := io.ReadAll(r.Body)
	e := echoed{
		Method: r.Method, Path: r.URL.EscapedPath(), Query: r.URL.RawQuery, Host: r.Host, Body: string(body),
		Header: r.Header, Environment: map[string]string{}, PID: os.Getpid(),
	}
	for _, variable := range os.Environ() {
		name, value, _ := strings.Cut(variable, "=")
		e.Environment[name] = value
	}
	w.Header().Set("Content-Type", "application/json")
	_ = json.NewEncoder(w).Encode(e)
}

// logBuffer collects the log of a service.
type logBuffer struct {
	mu   sync.Mutex
	text strings.Builder
}

func (b *logBuffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.text.Write(p)
}

func (b *logBuffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.text.String()
}

// webFunction is a web function of a service that ends with the test.
type webFunction struct {
	*lambda.Function
	service *lambda.Service
	log     *logBuffer
}

// start adds a web function whose server is this test binary.
func start(t *testing.T, timeout time.Duration, variables map[string]string) webFunction {
	t.Helper()
	program, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	artifact := t.TempDir()
	// A shell that waits for the server would die of the SIGTERM before the server has logged anything.
	script := fmt.Sprintf("#!/bin/sh\nexec \"%s\" %s\n", program, webServer)
	if err := os.WriteFile(filepath.Join(artifact, "run.sh"), []byte(script), 0o755); err != nil {
		t.Fatal(err)
	}
	environment := map[string]string{"PORT": "3000", "AWS_LWA_READINESS_CHECK_PATH": "/healthz", "GREETING": "hello"}
	maps.Copy(environment, variables)
	log := &logBuffer{}
	service := lambda.New(lambda.Options{Logs: log})
	t.Cleanup(service.Close)
	function, err := service.Add(lambda.Config{
		Name: "Web", ARN: "arn:aws:lambda:us-east-1:111122223333:function:Web", Timeout: timeout, MemoryMB: 1024,
		Bootstrap: program, Arguments: []string{webadapter.Command}, Runtime: "nodejs24.x",
		Handler: "run.sh", Dir: artifact,
		Environment: environment, Credentials: lambda.Credentials{AccessKeyID: "key"},
	})
	if err != nil {
		t.Fatal(err)
	}
	return webFunction{function, service, log}
}
