package e2e_test

import (
	"net/url"
	"os/exec"
	"strings"
	"testing"
)

// processesBelow lists the processes with folder in their command line, except those of the stage itself.
func processesBelow(t *testing.T, folder string) []string {
	t.Helper()
	output, err := exec.CommandContext(t.Context(), "ps", "-Ao", "pid=,args=").Output()
	if err != nil {
		t.Fatalf("ps: %v", err)
	}
	var found []string
	for line := range strings.Lines(string(output)) {
		if strings.Contains(line, folder+"/functions/") {
			found = append(found, strings.TrimSpace(line))
		}
	}
	return found
}

// ticketOf returns the jti of a signed URL.
func ticketOf(t *testing.T, signedURL string) string {
	t.Helper()
	parsed, err := url.Parse(signedURL)
	if err != nil {
		t.Fatal("the signed URL does not parse")
	}
	ticket := parsed.Query().Get("jti")
	if ticket == "" {
		t.Fatal("the signed URL has no jti")
	}
	return ticket
}
