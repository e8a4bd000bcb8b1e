package stagetest

import (
	"context"
	"os"
	"path/filepath"
	"sync"
	"testing"

	"signedsocket/internal/localstage"
)

// artifactsOnce builds the functions at most once per test binary.
//
//nolint:gochecknoglobals // a test binary has no other place that outlives one test
var artifactsOnce = sync.OnceValues(func() (string, error) {
	// A folder for each test binary, so that packages tested side by side do not write over each other.
	into := filepath.Join(Root(), "build", "test", filepath.Base(os.Args[0]))
	return into, localstage.Build(context.Background(), Template(), into)
})

// Artifacts returns the folder with the built functions.
func Artifacts(t testing.TB) string {
	t.Helper()
	into, err := artifactsOnce()
	if err != nil {
		t.Fatalf("build the functions: %v", err)
	}
	return into
}
