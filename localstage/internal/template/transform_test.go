package template

import (
	"encoding/json"
	"os"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
)

// goldenFile is the output of the SAM transform for template.yaml; `make golden` refreshes it.
const goldenFile = "testdata/transform.golden.json"

func readGolden(t *testing.T) map[string]any {
	t.Helper()
	data, err := os.ReadFile(goldenFile)
	if err != nil {
		t.Fatal(err)
	}
	var golden map[string]any
	if err := json.Unmarshal(data, &golden); err != nil {
		t.Fatal(err)
	}
	return golden
}

// asSAM writes a transformed function in its SAM form again, the form that the package reads. Everything else of the
// transform is read as it is.
func asSAM(golden map[string]any) {
	for _, r := range golden["Resources"].(map[string]any) {
		resource := r.(map[string]any)
		if resource["Type"] == "AWS::Lambda::Function" {
			resource["Type"] = typeFunction
			properties := resource["Properties"].(map[string]any)
			delete(properties, "Code")
			properties["CodeUri"] = "."
		}
	}
}

func TestModelEqualsTheTransformsResult(t *testing.T) {
	t.Parallel()
	golden := readGolden(t)
	asSAM(golden)
	data, err := json.Marshal(golden)
	if err != nil {
		t.Fatal(err)
	}
	for name, parameters := range map[string]map[string]string{
		"by default": nil,
		"mode iam":   {"AuthMode": "iam", "TrustedCallerArns": "arn:aws:iam::111122223333:role/web"},
		"mode guest": {"AuthMode": "guest", "GuestRooms": "lobby"},
		"other site": {"AllowedOrigins": "https://a.example,https://b.example"},
		"watched":    {"AlarmEmail": "operators@a.example", "WebSocketLogs": "on", "DeletionProtection": "on"},
	} {
		o := testOptions()
		o.Parameters = parameters
		transformed, err := load("transform.golden.json", data, o)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(transformed, mustLoadWith(t, parameters), cmpopts.EquateEmpty()); diff != "" {
			t.Errorf("%s: the local stage understands template.yaml otherwise than the SAM transform (-transform "+
				"+stage):\n%s", name, diff)
		}
	}
}

func TestImpliedResourcesAreThoseThatOnlyTheTransformMakes(t *testing.T) {
	t.Parallel()
	s := repositoryStack(t)
	listed := make(map[string]string)
	for _, r := range s.order {
		for _, made := range impliedBy(r) {
			listed[made.logicalID] = made.typ
		}
	}
	made := make(map[string]string)
	for logicalID, r := range readGolden(t)["Resources"].(map[string]any) {
		if member(s.document.resources, logicalID) == nil {
			made[logicalID] = r.(map[string]any)["Type"].(string)
		}
	}
	if diff := cmp.Diff(made, listed); diff != "" {
		t.Errorf("resources that only the transform makes (-transform +listed):\n%s", diff)
	}
}

// repositoryStack is this project's template with its resources found, and not yet read.
func repositoryStack(t *testing.T) *stack {
	t.Helper()
	data, err := os.ReadFile(filepath.Join(root, "template.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	doc, err := parse("template.yaml", data)
	if err != nil {
		t.Fatal(err)
	}
	s := &stack{options: testOptions(), document: doc}
	if err := s.prepare(); err != nil {
		t.Fatal(err)
	}
	return s
}
