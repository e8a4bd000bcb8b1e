package browser_test

import (
	"bufio"
	"context"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/chromedp"

	"signedsocket/localstage/stagetest"
	"signedsocket/test/tool"
)

// In development React mounts every component twice. A page that does not clean up leaves two sockets behind.
func TestStrictModeOpensOneSocket(t *testing.T) {
	t.Parallel()
	tool.Node(t)
	address := freePorts(t)
	_, port, err := net.SplitHostPort(address)
	if err != nil {
		t.Fatal(err)
	}
	origin := "http://localhost:" + port
	parameters := guests()
	parameters["AllowedOrigins"] = origin
	stage := stagetest.Start(t, stagetest.Options{Parameters: parameters})
	outputs := stage.Outputs().Template
	startDevelopment(t, port, map[string]string{
		"AUTH_MODE": "guest", "DEFAULT_ROOMS": "lobby", "GUEST_ROOMS": "lobby", "ROOMS_CLAIM": "",
		"PAGE_ORIGIN": origin,
		"SIGN_URL":    outputs["SignUrl"], "WEBSOCKET_URL": outputs["WebSocketUrl"], "OIDC_ISSUER": "",
		"OIDC_CLIENT_ID": "", "OIDC_AUDIENCE": "", "OIDC_SCOPE": "",
	})
	compilePage(t, origin)
	p := newPerson(t, startBrowser(t), recordSockets)
	p.do(chromedp.Navigate(origin))
	p.awaitStatus("open")
	p.say("once")
	p.awaitMessage("once")
	if n := eval[int](p,
		`globalThis.sockets.filter((socket) => socket.url.includes("X-Amz-Signature")).length`); n != 1 {
		t.Errorf("the page has opened %d sockets of the chat", n)
	}
	if n := stage.Invocations("ConnectFunction"); n != 1 {
		t.Errorf("connect was invoked %d times", n)
	}
}

// compilePage asks for the page, which the development server compiles then. On a busy machine that takes longer than a
// browser waits.
func compilePage(t *testing.T, origin string) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 5*patience)
	defer cancel()
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, origin, nil)
	if err != nil {
		t.Fatal(err)
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		t.Fatalf("compile the page: %v", err)
	}
	response.Body.Close()
}

// startDevelopment starts the page's development server, which writes into frontend/web/.next only.
func startDevelopment(t *testing.T, port string, environment map[string]string) {
	t.Helper()
	frontend := filepath.Join(stagetest.Root(), "frontend")
	if output, err := exec.Command("make", "-C", stagetest.Root(), "--no-print-directory",
		"frontend-packages").CombinedOutput(); err != nil {
		t.Fatalf("install and build the page's packages: %v\n%s", err, output)
	}
	ctx, stop := context.WithCancel(context.Background())
	server := exec.CommandContext(ctx, "node", filepath.Join(frontend, "node_modules", "next", "dist", "bin", "next"),
		"dev", "--port", port)
	server.Dir = filepath.Join(frontend, "web")
	server.Env = append(os.Environ(), "NEXT_TELEMETRY_DISABLED=1")
	for name, value := range environment {
		server.Env = append(server.Env, name+"="+value)
	}
	output, err := server.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	server.Stderr = t.Output()
	server.Cancel = func() error { return server.Process.Signal(os.Interrupt) }
	server.WaitDelay = 5 * time.Second
	if err := server.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { stop(); _ = server.Wait() })
	if seen := readUntil(output, "Ready in"); !strings.Contains(seen, "Ready in") {
		t.Fatalf("the development server ended: %s", seen)
	}
	go func() { // without a reader the process would block on a full pipe
		if seen := readUntil(output, "already running"); strings.Contains(seen, "already running") {
			t.Errorf("stop the other development server of this folder first: %s", seen)
		}
	}()
}

// readUntil reads until a text comes or the input ends, and returns what it has read.
func readUntil(r io.Reader, text string) string {
	var seen strings.Builder
	for lines := bufio.NewScanner(r); lines.Scan(); {
		seen.WriteString(lines.Text() + "\n")
		if strings.Contains(lines.Text(), text) {
			break
		}
	}
	return seen.String()
}
