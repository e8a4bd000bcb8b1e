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

// DefaultOutputs is the file in which a local stage writes its outputs, if it runs in the same folder.
const DefaultOutputs = ".localstage/outputs.json"

// The environment variables with which the suites play a running stage, deployed or local, instead of starting local
// ones. [TokenCommandVariable] is a third one.
const (
	// OutputsVariable names the file with the stage's outputs.
	OutputsVariable = "SIGNEDSOCKET_OUTPUTS"
	// RecordingsVariable names the folder for recordings, a file for each test. Without it nothing is recorded.
	RecordingsVariable = "SIGNEDSOCKET_RECORDINGS"
)

// Outputs are the outputs of a stage: those of its template, and more for a local stage.
type Outputs struct {
	WebSocketURL string `json:"WebSocketUrl"` // wss://…/prod, ws://… on a local stage
	CallbackURL  string `json:"CallbackUrl"`  // https://…/prod, for @connections
	SignURL      string `json:"SignUrl"`      // where POST /signurl is
	FrontendURL  string `json:"FrontendUrl"`  // the page, empty when there is none
	AuthMode     string `json:"AuthMode"`     // jwt, iam or guest
	ReaperName   string `json:"ReaperName"`   // the function that closes connections
	EraseName    string `json:"EraseName"`    // the function that removes a user from all rooms
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

// Endpoint returns the address of an AWS service of the stage, "dynamodb" or "lambda". The local stage has its own. The
// variables AWS_ENDPOINT_URL_DYNAMODB and AWS_ENDPOINT_URL_LAMBDA come next, as in the AWS SDKs. Otherwise it is AWS's
// address in the stage's Region.
func (o Outputs) Endpoint(service string) string {
	local := map[string]string{"dynamodb": o.Local.DynamoDBURL, "lambda": o.Local.LambdaURL}[service]
	return cmp.Or(local, os.Getenv("AWS_ENDPOINT_URL_"+strings.ToUpper(service)),
		"https://"+service+"."+o.Region+".amazonaws.com")
}

// LoadOutputs reads the outputs of a stage from a file. If the file is missing, the error wraps [os.ErrNotExist].
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

// ReadOutputs reads the outputs of a stage, one JSON object. An object without a WebSocket API is an error.
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
