// Package protocol holds the contract between server and clients, asyncapi.yaml and signurl.schema.json, and checks
// frames and bodies against it. Only tests import it: the server and each client have decoders of their own, and tests
// hold every one of them to these files.
package protocol

import (
	"bytes"
	_ "embed" // the contract
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"sync"
	"testing"

	"github.com/go-json-experiment/json/jsontext"
	"github.com/santhosh-tekuri/jsonschema/v6"
	"go.yaml.in/yaml/v3"
)

// Document is asyncapi.yaml.
//
//go:embed asyncapi.yaml
var Document []byte

//go:embed signurl.schema.json
var signURL []byte

// The addresses of the schemas, for references between them. No program requests them.
const (
	frames = "https://signedsocket.invalid/asyncapi.yaml"
	bodies = "https://signedsocket.invalid/signurl.schema.json"
)

// Contract is what tests read in both files, beside the schemas.
type Contract struct {
	CloseCodes struct{ Bye, Socket []Code } `yaml:"x-close-codes"`
	ErrorCodes []Code                       `yaml:"x-error-codes"`
	Components struct {
		Messages map[string]struct {
			MaxBytes int `yaml:"x-max-bytes"` // of a frame; 0 for no limit
			Examples []struct{ Payload any }
		}
	}
	Definitions map[string]struct{ Examples []any } // of signurl.schema.json
}

// Code is a code of an error or bye frame, or of a close of the socket.
type Code struct {
	Code   string
	Strike bool // the server counts the refusal
}

// Read returns the contract.
func Read(t testing.TB) Contract {
	t.Helper()
	contract, err := read()
	if err != nil {
		t.Fatal(err)
	}
	return contract
}

var read = sync.OnceValues(func() (c Contract, err error) {
	return c, errors.Join(yaml.Unmarshal(Document, &c), json.Unmarshal(signURL, &c))
})

// Examples returns the examples of a frame, such as "ack", or of a body, such as "request".
func Examples(t testing.TB, name string) (texts []string) {
	t.Helper()
	contract := Read(t)
	values := contract.Definitions[name].Examples
	for _, example := range contract.Components.Messages[name].Examples {
		values = append(values, example.Payload)
	}
	for _, value := range values {
		text, err := json.Marshal(value)
		if err != nil {
			t.Fatal(err)
		}
		texts = append(texts, string(text))
	}
	if len(texts) == 0 {
		t.Fatalf("the contract has no example of %s", name)
	}
	return texts
}

// FromClient returns why a client may not send a frame, or nil.
func FromClient(frame []byte) error {
	contract, err := read()
	if err != nil {
		return err
	}
	if limit := contract.Components.Messages["sendmessage"].MaxBytes; len(frame) > limit {
		return fmt.Errorf("%d bytes, and at most %d are allowed", len(frame), limit)
	}
	return check(frames+"#/components/schemas/fromClient", frame)
}

// FromServer returns why the server may not send a frame, or nil.
func FromServer(frame []byte) error { return check(frames+"#/components/schemas/fromServer", frame) }

// SignURLRequest returns why a client may not send a body to POST /signurl, or nil.
func SignURLRequest(body []byte) error { return check(bodies+"#/definitions/request", body) }

// SignURLAnswer returns why POST /signurl may not answer with a status and a body, or nil.
func SignURLAnswer(status int, body []byte) error {
	if status == http.StatusOK {
		return check(bodies+"#/definitions/answer", body)
	}
	return check(bodies+"#/definitions/refused", body)
}

// check validates a JSON text. RFC 7493 forbids repeated names and bytes that are not UTF-8, which no schema sees.
func check(address string, text []byte) error {
	if !jsontext.Value(text).IsValid() {
		return fmt.Errorf("no JSON as in RFC 7493: %.200q", text)
	}
	value, err := jsonschema.UnmarshalJSON(bytes.NewReader(text))
	if err != nil {
		return err
	}
	compiled, err := schemas()
	if err != nil {
		return err
	}
	return compiled[address].Validate(value)
}

// schemas returns the compiled schemas by their addresses.
var schemas = sync.OnceValues(func() (map[string]*jsonschema.Schema, error) {
	compiler := jsonschema.NewCompiler()
	compiler.DefaultDraft(jsonschema.Draft7)
	var err error
	for name, text := range map[string][]byte{frames: Document, bodies: signURL} {
		var value any
		err = errors.Join(err, yaml.Unmarshal(text, &value), compiler.AddResource(name, value)) // JSON is YAML, too
	}
	compiled := make(map[string]*jsonschema.Schema)
	for _, address := range []string{
		frames + "#/components/schemas/fromClient", frames + "#/components/schemas/fromServer",
		bodies + "#/definitions/request", bodies + "#/definitions/answer", bodies + "#/definitions/refused",
	} {
		schema, failure := compiler.Compile(address)
		compiled[address], err = schema, errors.Join(err, failure)
	}
	return compiled, err
})
