package localstage

import (
	"encoding/json"
	"fmt"
)

// Outputs are the template's own Outputs with local values, and values that only a local stage has.
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
	if err := writeWhole(path, append(data, '\n')); err != nil {
		return fmt.Errorf("write outputs: %w", err)
	}
	return nil
}
