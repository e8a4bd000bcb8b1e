package stagetest

import (
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"

	"signedsocket/localstage"
	"signedsocket/localstage/internal/dynamodb"
	"signedsocket/localstage/internal/sigv4"
)

// DynamoDB starts the stage's DynamoDB engine alone, without tables, and returns its address. The engine checks no
// signature. It ends with the test.
func DynamoDB(t testing.TB) string {
	t.Helper()
	engine, err := dynamodb.Open(dynamodb.Options{Path: filepath.Join(t.TempDir(), "dynamodb.db")})
	if err != nil {
		t.Fatal(err)
	}
	server := httptest.NewServer(engine)
	t.Cleanup(func() { server.Close(); _ = engine.Close() })
	return server.URL
}

// VerifyPost verifies the signature of a request to @connections, as the stage does, against the only key that may sign
// it.
func VerifyPost(request *http.Request, body []byte, key aws.Credentials) error {
	only := keyring{sigv4.NewKey(sigv4.Credentials{
		AccessKeyID: key.AccessKeyID, SecretAccessKey: key.SecretAccessKey, SessionToken: key.SessionToken,
	})}
	verifier := sigv4.NewVerifier(sigv4.Config{Region: localstage.Region, Keys: only})
	input := sigv4.Input{Request: request, Body: body, Service: sigv4.ServiceExecuteAPI, Now: time.Now()}
	_, err := verifier.Verify(input)
	return err
}

// keyring holds one key.
type keyring struct{ key *sigv4.Key }

// FindKey returns the key if it has this id.
func (k keyring) FindKey(id string) (*sigv4.Key, bool) { return k.key, id == k.key.ID() }
