package repotest

import (
	"encoding/json"
	"slices"
	"testing"
)

// TestFunctionsAreUpdatedBeforeTheirCallers: while a stack is updated, no function understands less than its caller
// sends. A signurl that signs longer names comes after the connect that takes them, and the page after both.
func TestFunctionsAreUpdatedBeforeTheirCallers(t *testing.T) {
	t.Parallel()
	var transformed struct {
		Resources map[string]struct{ DependsOn any }
	}
	golden := readFile(t, "localstage", "internal", "template", "testdata", "transform.golden.json")
	if err := json.Unmarshal([]byte(golden), &transformed); err != nil {
		t.Fatal(err)
	}
	for caller, functions := range map[string][]any{
		"SignUrlFunction":  {"ConnectFunction"},
		"FrontendFunction": {"ConnectFunction", "SignUrlFunction"},
	} {
		before, _ := transformed.Resources[caller].DependsOn.([]any)
		for _, function := range functions {
			if !slices.Contains(before, function) {
				t.Errorf("%s is updated before %s", caller, function)
			}
		}
	}
}
