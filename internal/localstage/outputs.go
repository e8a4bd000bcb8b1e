package localstage

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
)

// Outputs is what the stage tells its users: the template's own Outputs with
// local values, and what only a local stage has.
type Outputs struct {
	Template map[string]string // by output name, for example WebSocketUrl
	Local    Local
}

// Local holds the addresses and files that a deployed stack does not have.
type Local struct {
	DevTokenURL     string `json:"DevTokenUrl"`     // GET or POST ?user=alice answers {"access_token":"…"}
	DynamoDBURL     string `json:"DynamoDBUrl"`     // endpoint of the DynamoDB API
	LambdaURL       string `json:"LambdaUrl"`       // endpoint of Lambda's Invoke API
	CredentialsFile string `json:"CredentialsFile"` // AWS shared credentials, a profile per function and "admin"
}

// MarshalJSON writes one object: the template's outputs by name, and the member Local.
func (o Outputs) MarshalJSON() ([]byte, error) {
	object := make(map[string]any, len(o.Template)+1)
	for name, value := range o.Template {
		object[name] = value
	}
	object["Local"] = o.Local
	return json.Marshal(object)
}

// writeFile writes the outputs to path, whole or not at all, for this user only.
func (o Outputs) writeFile(path string) error {
	data, err := json.MarshalIndent(o, "", "  ")
	if err != nil {
		return fmt.Errorf("encode outputs: %w", err)
	}
	file, err := os.CreateTemp(filepath.Dir(path), ".outputs-*")
	if err != nil {
		return fmt.Errorf("write outputs: %w", err)
	}
	defer os.Remove(file.Name())
	_, err = file.Write(append(data, '\n'))
	if closed := file.Close(); err == nil {
		err = closed
	}
	if err == nil {
		err = os.Rename(file.Name(), path)
	}
	if err != nil {
		return fmt.Errorf("write outputs: %w", err)
	}
	return nil
}
