package stageclient

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
)

// DefaultOutputs is where a local stage that was started in the same folder writes
// its outputs.
const DefaultOutputs = ".localstage/outputs.json"

// The environment variables with which the suites play a stage that is running already, deployed or local, instead of
// starting local ones. [TokenCommandVariable] belongs to them.
const (
	OutputsVariable = "SIGNEDSOCKET_OUTPUTS" // file with the stage's outputs
	// folder for what was sent and answered, a file for each test; empty keeps nothing
	RecordingsVariable = "SIGNEDSOCKET_RECORDINGS"
)

// Outputs are the outputs of a stage: those of its template, and what only a local
// stage has.
type Outputs struct {
	WebSocketURL string `json:"WebSocketUrl"` // wss://…/prod, ws://… on a local stage
	CallbackURL  string `json:"CallbackUrl"`  // https://…/prod, for @connections
	SignURL      string `json:"SignUrl"`      // where POST /signurl is
	FrontendURL  string `json:"FrontendUrl"`  // the page, empty when there is none
	AuthMode     string `json:"AuthMode"`     // jwt, iam or guest
	ReaperName   string `json:"ReaperName"`   // the function that closes connections
	TableName    string `json:"TableName"`
	BansTable    string `json:"BansTableName"`
	Region       string `json:"Region"`
	Local        Local  `json:"Local"` // zero for a deployed stage
}

// Local is what only a local stage has.
type Local struct {
	DevTokenURL     string `json:"DevTokenUrl"`     // ?user=alice answers with a token
	DynamoDBURL     string `json:"DynamoDBUrl"`     // endpoint of the table
	LambdaURL       string `json:"LambdaUrl"`       // endpoint of the Lambda API, for aws lambda invoke
	CredentialsFile string `json:"CredentialsFile"` // AWS shared credentials, a profile per function and "admin"
}

// Endpoint is where an AWS service of the stage answers, "dynamodb" or "lambda": the local stage's own address, or the
// one in the variable AWS_ENDPOINT_URL_DYNAMODB or AWS_ENDPOINT_URL_LAMBDA, as the AWS SDKs have it, or AWS's in the
// stage's Region.
func (o Outputs) Endpoint(service string) string {
	local := map[string]string{"dynamodb": o.Local.DynamoDBURL, "lambda": o.Local.LambdaURL}[service]
	return cmp.Or(local, os.Getenv("AWS_ENDPOINT_URL_"+strings.ToUpper(service)),
		"https://"+service+"."+o.Region+".amazonaws.com")
}

// LoadOutputs reads the outputs of a stage from a file. When there is no such file,
// the error wraps [os.ErrNotExist].
func LoadOutputs(path string) (Outputs, error) {
	file, err := os.Open(path) //nolint:gosec // a developer names the file
	if err != nil {
		return Outputs{}, fmt.Errorf("read the stage's outputs: %w", err)
	}
	defer file.Close()
	o, err := ReadOutputs(file)
	if err != nil {
		return Outputs{}, fmt.Errorf("%s: %w", path, err)
	}
	return o, nil
}

// ReadOutputs reads the outputs of a stage, one JSON object. It errors when the
// object does not name a WebSocket API.
func ReadOutputs(r io.Reader) (Outputs, error) {
	var o Outputs
	if err := json.NewDecoder(r).Decode(&o); err != nil {
		return Outputs{}, fmt.Errorf("read the stage's outputs: %w", err)
	}
	if o.WebSocketURL == "" {
		return Outputs{}, errors.New("read the stage's outputs: there is no WebSocketUrl in them")
	}
	return o, nil
}
