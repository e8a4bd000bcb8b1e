// Package dynamotest gives the tests of a package a DynamoDB that judges its expressions: the local stage's engine, and
// moto once more. A package that uses it has two lines of its own:
//
//	func TestMain(m *testing.M) { dynamotest.Main(m) }
//	func TestMotoAgrees(t *testing.T) { dynamotest.JudgeByMoto(t) }
package dynamotest

import (
	"bufio"
	"bytes"
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"signedsocket/test/tool"
)

// endpointVariable names the environment variable with the address of the DynamoDB that judges. Without it the tests
// start the local stage's engine, over the wire: tests of shared import nothing of the stage.
const endpointVariable = "SIGNEDSOCKET_DYNAMODB_ENDPOINT"

var endpoint = os.Getenv(endpointVariable) // of the DynamoDB

// judgedByMoto is whether another process of the tests has started this one, with the address of moto.
var judgedByMoto = endpoint != ""

// Main runs the tests of a package with a DynamoDB, and ends the process.
func Main(m *testing.M) {
	code, err := run(m)
	if err != nil {
		fmt.Fprintln(os.Stderr, "DynamoDB for the tests:", err)
		code = 1
	}
	os.Exit(code)
}

func run(m *testing.M) (code int, err error) {
	if judgedByMoto {
		return m.Run(), nil
	}
	folder, err := os.MkdirTemp("", "dynamodb-")
	if err != nil {
		return 0, err
	}
	defer os.RemoveAll(folder)
	stop, err := startEngine(folder)
	if err != nil {
		return 0, err
	}
	defer stop()
	return m.Run(), nil
}

// startEngine builds the local stage into folder, starts its DynamoDB and returns how to end that.
func startEngine(folder string) (stop func(), err error) {
	program := filepath.Join(folder, "localstage")
	output, err := exec.Command("go", "build", "-o", program, "signedsocket/localstage/cmd/localstage").CombinedOutput()
	if err != nil {
		return nil, fmt.Errorf("build the local stage: %w: %s", err, output)
	}
	state := filepath.Join(folder, "state")
	process := exec.Command(program, "--dynamodb-only", "--json", "--listen", "127.0.0.1:0", "--state", state)
	process.Stderr = os.Stderr
	ready, err := process.StdoutPipe()
	if err != nil {
		return nil, err
	}
	if err := process.Start(); err != nil {
		return nil, err
	}
	stop = func() { _ = process.Process.Kill(); _ = process.Wait() }
	var outputs struct {
		DynamoDBURL string `json:"DynamoDBUrl"`
	}
	if err := json.NewDecoder(ready).Decode(&outputs); err != nil {
		stop()
		return nil, fmt.Errorf("the local stage ended before it was ready: %w", err)
	}
	endpoint = outputs.DynamoDBURL
	return stop, nil
}

// Client returns a client of the DynamoDB, over the given transport.
func Client(transport http.RoundTripper) *dynamodb.Client {
	return dynamodb.New(dynamodb.Options{
		Region: "us-east-1", BaseEndpoint: &endpoint, HTTPClient: &http.Client{Transport: fromMemory{transport}},
		Credentials: aws.CredentialsProviderFunc(func(context.Context) (aws.Credentials, error) {
			return aws.Credentials{AccessKeyID: "AKIDEXAMPLE", SecretAccessKey: "example"}, nil
		}),
	})
}

// fromMemory is a transport that sends bodies from memory. The SDK closes its own ones as soon as the answer's head is
// there; net/http may then cut the connection and lose the rest (https://github.com/aws/aws-sdk-go-v2/issues/2737).
type fromMemory struct{ next http.RoundTripper }

func (m fromMemory) RoundTrip(request *http.Request) (*http.Response, error) {
	body, err := io.ReadAll(request.Body)
	if err != nil {
		return nil, err
	}
	request = request.Clone(request.Context())
	request.Body = io.NopCloser(bytes.NewReader(body))
	return m.next.RoundTrip(request)
}

// CreateTable creates a table whose key has these string attributes, one or two, and returns its name.
func CreateTable(t testing.TB, client *dynamodb.Client, key ...string) string {
	t.Helper()
	name := "t-" + rand.Text()
	input := &dynamodb.CreateTableInput{TableName: &name, BillingMode: types.BillingModePayPerRequest}
	for i, attribute := range key {
		input.AttributeDefinitions = append(input.AttributeDefinitions, types.AttributeDefinition{
			AttributeName: &attribute, AttributeType: types.ScalarAttributeTypeS,
		})
		input.KeySchema = append(input.KeySchema, types.KeySchemaElement{
			AttributeName: &attribute, KeyType: []types.KeyType{types.KeyTypeHash, types.KeyTypeRange}[i],
		})
	}
	if _, err := client.CreateTable(t.Context(), input); err != nil {
		t.Fatal(err)
	}
	return name
}

// JudgeByMoto runs the package's tests once more, judged by moto: an independent implementation of DynamoDB that comes
// with the project's Python environment. It leaves out TestMotoAgrees and the tests without which it is told to do.
// Moto mixes up requests at the same time, and a transaction that fails takes back what others wrote meanwhile in any
// table; so the tests run one after the other.
func JudgeByMoto(t *testing.T, without ...string) {
	t.Helper()
	server := exec.CommandContext(t.Context(), motoServer(t), "-H", "127.0.0.1", "-p", "0")
	address, err := startMoto(server)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = server.Process.Kill(); _ = server.Wait() })
	tests := exec.CommandContext(t.Context(), os.Args[0], "-test.count=1", "-test.timeout=10m", "-test.parallel=1",
		"-test.skip=^"+strings.Join(append(without, "TestMotoAgrees"), "$|^")+"$")
	tests.Env = append(os.Environ(), endpointVariable+"="+address)
	if output, err := tests.CombinedOutput(); err != nil {
		t.Errorf("judged by moto: %v\n%s", err, output)
	}
}

// motoServer returns the program of moto's server.
func motoServer(t *testing.T) string {
	t.Helper()
	program := os.Getenv("SIGNEDSOCKET_MOTO_SERVER")
	if program == "" {
		program = filepath.Join("..", "..", ".venv", "bin", "moto_server")
	}
	return tool.Path(t, "make venv installs moto; without it only the stage's own engine judges the table", program)
}

// startMoto starts moto's server and returns its address.
func startMoto(server *exec.Cmd) (address string, err error) {
	output, err := server.StderrPipe()
	if err != nil {
		return "", err
	}
	if err := server.Start(); err != nil {
		return "", err
	}
	lines := bufio.NewScanner(output)
	for lines.Scan() {
		if _, address, ok := strings.Cut(lines.Text(), "Running on "); ok {
			go func() { _, _ = io.Copy(io.Discard, output) }()
			return strings.TrimSpace(address), nil
		}
	}
	return "", errors.New("moto's server ended without saying where it listens")
}
