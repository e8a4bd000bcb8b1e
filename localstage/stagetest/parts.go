package stagetest

import (
	"net/http/httptest"
	"path/filepath"
	"testing"

	"signedsocket/localstage/internal/dynamodb"
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
