package dynamodb

import (
	"bytes"
	"context"
	"net"
	"net/http"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"signedsocket/test/tool"
)

// An oracle is an engine by other authors: an independent opinion on the behaviour of DynamoDB. The suite and the
// random operations run against each oracle. A list holds its known mistakes, each with the reason not to believe it.

// TestMoto compares the engine with moto.
func TestMoto(t *testing.T) {
	t.Parallel()
	compareWith(t, oracle{
		name:       "moto",
		program:    ".venv/bin/moto_server",
		command:    func(program, host, port string) []string { return []string{program, "-H", host, "-p", port} },
		suite:      motoDifferences(),
		vocabulary: func(d *drawing) vocabulary { return plainVocabulary{d} },
		random:     motoRandomDifferences(),
		operations: 500,
	})
}

// TestDynalite compares the engine with dynalite, which has neither transactions nor time to live.
func TestDynalite(t *testing.T) {
	t.Parallel()
	node := tool.Node(t)
	compareWith(t, oracle{
		name:    "dynalite",
		program: "tools/node/node_modules/.bin/dynalite",
		command: func(program, host, port string) []string {
			atOnce := []string{"--createTableMs", "0", "--deleteTableMs", "0"}
			return append([]string{node, program, "--host", host, "--port", port}, atOnce...)
		},
		suite:          dynaliteDifferences(),
		vocabulary:     func(d *drawing) vocabulary { return richVocabulary{d} },
		random:         dynaliteRandomDifferences(),
		operations:     1500,
		noTransactions: true,
	})
}

type oracle struct {
	name           string
	program        string                                    // below the repository's root
	command        func(program, host, port string) []string // the command that serves it
	suite          map[string]string                         // cases of the suite that it gets wrong, with the reason
	vocabulary     func(*drawing) vocabulary                 // of the random operations
	random         []difference                              // its known wrong answers
	operations     int                                       // number of operations that a run draws
	noTransactions bool
}

func compareWith(t *testing.T, o oracle) {
	client := newClient(o.start(t))
	t.Run("suite", func(t *testing.T) {
		runSuite(t, target{client: client, serial: true, known: o.suite})
	})
	t.Run("random operations", func(t *testing.T) {
		compareRandomly(t, o, client, engineClient(t))
	})
}

// start starts the oracle and returns its address.
func (o oracle) start(t *testing.T) string {
	t.Helper()
	address := freeAddress(t)
	host, port, _ := net.SplitHostPort(address)
	command := o.command(o.find(t), host, port)
	var output bytes.Buffer
	ctx, cancel := context.WithCancel(context.Background())
	process := exec.CommandContext(ctx, command[0], command[1:]...)
	process.Stdout, process.Stderr = &output, &output
	if err := process.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		cancel()
		_ = process.Wait() // killed, so its status says nothing
	})
	for deadline := time.Now().Add(30 * time.Second); time.Now().Before(deadline); {
		response, err := http.Get("http://" + address)
		if err == nil {
			response.Body.Close()
			return "http://" + address
		}
		<-time.After(20 * time.Millisecond)
	}
	cancel()
	_ = process.Wait()
	t.Fatalf("%s does not answer:\n%s", o.name, output.String())
	return ""
}

// find returns the path of the oracle's program.
func (o oracle) find(t *testing.T) string {
	t.Helper()
	return tool.Path(t, "make test installs it; without it the DynamoDB engine is not compared with "+o.name,
		filepath.Join("..", "..", "..", filepath.FromSlash(o.program)))
}

// byCase turns lists of cases by reason, or by message, into reasons by case.
func byCase(cases map[string][]string) map[string]string {
	reasons := map[string]string{}
	for reason, names := range cases {
		for _, name := range names {
			reasons[name] = reason
		}
	}
	return reasons
}

func freeAddress(t *testing.T) string {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	return listener.Addr().String()
}
