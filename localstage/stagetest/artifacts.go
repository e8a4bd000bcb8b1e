package stagetest

import (
	"context"
	"crypto/rand"
	"crypto/rsa"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"testing"

	"signedsocket/localstage"
)

// FrontendFunction is the logical id of the function that serves the page. Stages of tests leave it out by default: it
// takes Node.js, and a minute to build.
const FrontendFunction = "FrontendFunction"

// These are made at most once per test binary.
//
// Variables, because a test binary has no other place that outlives one test.
var (
	artifactsOnce = sync.OnceValues(func() (string, error) {
		return artifacts("functions"),
			localstage.Build(context.Background(), Template(), artifacts("functions"), FrontendFunction)
	})
	withPageOnce = sync.OnceValues(func() (string, error) {
		return artifacts("with-page"), localstage.Build(context.Background(), Template(), artifacts("with-page"))
	})
	issuerKeyOnce = sync.OnceValues(func() (*rsa.PrivateKey, error) { return rsa.GenerateKey(rand.Reader, 2048) })
	adapterOnce   = sync.OnceValues(func() (string, error) {
		program := artifacts("localstage")
		//nolint:gosec // go builds into a folder of the test
		command := exec.Command("go", "build", "-o", program, "./localstage/cmd/localstage")
		command.Dir = Root()
		if output, err := command.CombinedOutput(); err != nil {
			return "", fmt.Errorf("%w: %s", err, output)
		}
		return program, nil
	})
)

// artifacts returns a path in a folder for each test binary, so that packages tested side by side do not overwrite each
// other's files.
func artifacts(name string) string {
	return filepath.Join(Root(), "build", "test", filepath.Base(os.Args[0]), name)
}

// Artifacts returns the folder with the built functions, without the page's.
func Artifacts(t testing.TB) string { t.Helper(); return built(t, "the functions", artifactsOnce) }

// withPage returns the folder with all built functions.
func withPage(t testing.TB) string {
	t.Helper()
	return built(t, "the functions and the page", withPageOnce)
}

// adapter returns the program that stands before the page's server.
func adapter(t testing.TB) string { t.Helper(); return built(t, "the web adapter", adapterOnce) }

// issuerKey returns the key of the issuers of all stages: to make one takes as long as to start a stage.
func issuerKey(t testing.TB) *rsa.PrivateKey {
	t.Helper()
	return built(t, "the issuer's key", issuerKeyOnce)
}

func built[T any](t testing.TB, what string, once func() (T, error)) T {
	t.Helper()
	made, err := once()
	if err != nil {
		t.Fatalf("build %s: %v", what, err)
	}
	return made
}
