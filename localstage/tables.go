package localstage

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	v4 "github.com/aws/aws-sdk-go-v2/aws/signer/v4"

	"signedsocket/localstage/internal/iamauth"
	"signedsocket/localstage/internal/template"
)

// createTables makes the template's tables through the DynamoDB API, with any engine. It keeps a table of an earlier
// run as it is.
func createTables(ctx context.Context, endpoint string, admin *iamauth.Principal, tables []template.Table) error {
	for _, t := range tables {
		err := callDynamoDB(ctx, endpoint, admin, "CreateTable", t.CreateTable)
		if err != nil && !strings.Contains(err.Error(), "ResourceInUseException") {
			return fmt.Errorf("create table %s: %w", t.LogicalID, err)
		}
		if err != nil || t.TTLAttribute == "" {
			continue
		}
		ttl, err := json.Marshal(map[string]any{
			"TableName":               t.Name,
			"TimeToLiveSpecification": map[string]any{"AttributeName": t.TTLAttribute, "Enabled": true},
		})
		if err != nil {
			return fmt.Errorf("encode the TTL of table %s: %w", t.LogicalID, err)
		}
		if err := callDynamoDB(ctx, endpoint, admin, "UpdateTimeToLive", ttl); err != nil {
			return fmt.Errorf("set the TTL of table %s: %w", t.LogicalID, err)
		}
	}
	return nil
}

// refusalOf returns an answer of DynamoDB as an error, in one line for any answer.
func refusalOf(status int, answer []byte) error {
	var refusal struct {
		Type    string `json:"__type"`
		Message string // "message" for most errors, "Message" for some
	}
	if err := json.Unmarshal(answer, &refusal); err != nil || refusal.Type == "" {
		return fmt.Errorf("DynamoDB answered %d: %.200q", status, answer)
	}
	_, code, _ := strings.Cut(refusal.Type, "#")
	return fmt.Errorf("%s: %s", code, refusal.Message)
}

// callDynamoDB sends one signed request. It returns an error unless the answer is 200.
func callDynamoDB(
	ctx context.Context, endpoint string, caller *iamauth.Principal, operation string, body []byte,
) error {
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, endpoint+"/", bytes.NewReader(body))
	if err != nil {
		return fmt.Errorf("make the request: %w", err)
	}
	r.Header.Set("Content-Type", "application/x-amz-json-1.0")
	r.Header.Set("X-Amz-Target", "DynamoDB_20120810."+operation)
	hash := sha256.Sum256(body)
	keys := caller.Credentials()
	credentials := aws.Credentials{
		AccessKeyID: keys.AccessKeyID, SecretAccessKey: keys.SecretAccessKey, SessionToken: keys.SessionToken,
	}
	if err := v4.NewSigner().SignHTTP(ctx, credentials, r, hex.EncodeToString(hash[:]), "dynamodb", Region,
		time.Now()); err != nil {
		return fmt.Errorf("sign the request: %w", err)
	}
	response, err := http.DefaultClient.Do(r)
	if err != nil {
		return fmt.Errorf("call DynamoDB: %w", err)
	}
	defer response.Body.Close()
	answer, err := io.ReadAll(io.LimitReader(response.Body, 1<<20))
	if err != nil {
		return fmt.Errorf("read DynamoDB's answer: %w", err)
	}
	if response.StatusCode != http.StatusOK {
		return refusalOf(response.StatusCode, answer)
	}
	return nil
}
