package main

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

const events = `
{"Action":"run","Package":"test/e2e","Test":"TestAlpha"}
{"Action":"output","Package":"test/e2e","Test":"TestAlpha","Output":"=== RUN   TestAlpha\n"}
{"Action":"pass","Package":"test/e2e","Test":"TestAlpha"}
{"Action":"pass","Package":"test/e2e","Test":"TestBeta/one_case"}
{"Action":"output","Package":"test/e2e","Test":"TestBeta/other_case","Output":"    b_test.go:7: got 403, not 426\n"}
{"Action":"fail","Package":"test/e2e","Test":"TestBeta/other_case"}
{"Action":"fail","Package":"test/e2e","Test":"TestBeta"}
{"Action":"output","Package":"test/e2e","Test":"TestGamma","Output":"    c_test.go:3: LOCAL ONLY: it injects faults\n"}
{"Action":"skip","Package":"test/e2e","Test":"TestGamma"}
{"Action":"fail","Package":"test/e2e"}
`

const table = `
### Handshake

| Behaviour | AWS | Here | Source | Conf. | Test |
|---|---|---|---|---|---|
| Plain GET | 426 | 426 | observed | O | TestBeta/other_case |
| Unsigned | 403 | 403 | observed | O | TestAlpha, TestSomewhereElse |
| Both | x | x | observed | I | TestAlpha, TestBeta |
| Not asked | x | x | assumed | I | TestSomewhereElse |
| Nothing of ours | x | x | assumed | I | none: no client uses it |
`

func TestASuiteReportsOnTheDivergenceTable(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "page.md")
	if err := os.WriteFile(path, []byte(table), 0o600); err != nil {
		t.Fatal(err)
	}
	known, err := readRows(path)
	if err != nil {
		t.Fatal(err)
	}
	var out strings.Builder
	found, err := collect(strings.NewReader(events), &out)
	if err != nil {
		t.Fatal(err)
	}
	confirmed, contradicted := judge(known, found)
	if want := []string{"Handshake: Unsigned (O) by TestAlpha"}; !slices.Equal(confirmed, want) {
		t.Errorf("confirmed: %q, want %q", confirmed, want)
	}
	if want := []string{
		"Handshake: Plain GET (O) by TestBeta/other_case",
		"Handshake: Both (I) by TestBeta",
	}; !slices.Equal(contradicted, want) {
		t.Errorf("contradicted: %q, want %q", contradicted, want)
	}
	found.report(&out, known)
	for _, said := range []string{
		"FAIL  TestBeta/other_case\n    b_test.go:7: got 403, not 426", "1 passed, 1 failed, 1 left out",
		"  1  injects faults", "1 of 5 rows confirmed, 2 contradicted",
	} {
		if !strings.Contains(out.String(), said) {
			t.Errorf("%q is not in the report:\n%s", said, out.String())
		}
	}
}

func TestAPageWithoutTheTableIsAnError(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "page.md")
	if err := os.WriteFile(path, []byte("| a | b |\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := readRows(path); err == nil {
		t.Error("a page without the table has rows")
	}
}

func TestAPackageThatDoesNotBuildIsShown(t *testing.T) {
	t.Parallel()
	var out strings.Builder
	_, err := collect(strings.NewReader(`{"Action":"output","Package":"p","Output":"undefined: x\n"}
{"Action":"fail","Package":"p"}`), &out)
	if err != nil || !strings.Contains(out.String(), "undefined: x") {
		t.Errorf("said %q, %v", out.String(), err)
	}
}
