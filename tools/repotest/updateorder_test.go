package repotest

import (
	"encoding/json"
	"regexp"
	"slices"
	"testing"
)

// orderedResources returns, for each resource of the SAM transform, those that CloudFormation makes or updates before
// it: they stand in its DependsOn, or in a Ref, GetAtt or Sub of its properties.
func orderedResources(t *testing.T) map[string][]string {
	t.Helper()
	reference := regexp.MustCompile(`"(?:Ref|Fn::GetAtt)":\s*(?:\[\s*)?"(\w+)|\$\{(\w+)[.}]`)
	before := map[string][]string{}
	for name, r := range transformed[struct {
		DependsOn  words
		Properties json.RawMessage
	}](t) {
		before[name] = r.DependsOn
		for _, found := range reference.FindAllSubmatch(r.Properties, -1) {
			before[name] = append(before[name], string(found[1])+string(found[2])) // one of them is empty
		}
	}
	return before
}

// addAllBefore adds the resources that come before one, directly or because of others. Parameters come before nothing.
func addAllBefore(before map[string][]string, name string, all map[string]bool) {
	for _, other := range before[name] {
		if !all[other] {
			all[other] = true
			addAllBefore(before, other, all)
		}
	}
}

// inCircles returns the resources that wait for themselves.
func inCircles(before map[string][]string) (found []string) {
	for name := range before {
		all := map[string]bool{}
		if addAllBefore(before, name, all); all[name] {
			found = append(found, name)
		}
	}
	slices.Sort(found)
	return found
}

// TestNoResourceWaitsForItself follows the order in which CloudFormation makes resources. It refuses a template with a
// circle, which neither the SAM transform nor cfn-lint reports.
func TestNoResourceWaitsForItself(t *testing.T) {
	t.Parallel()
	before := orderedResources(t)
	if found := inCircles(before); found != nil {
		t.Errorf("CloudFormation cannot make these resources, each of which waits for itself: %v", found)
	}
	before["SignUrlFunction"] = append(before["SignUrlFunction"], "ConnectFunction")
	if found := inCircles(before); !slices.Equal(found, []string{"ConnectFunction", "SignUrlFunction"}) {
		t.Errorf("connect and signurl wait for each other, and the circle found is %v", found)
	}
}

// TestFunctionsAreUpdatedBeforeTheirCallers: while a stack is updated, the page is updated after the functions that it
// calls. connect names signurl in its environment, so signurl comes before it: until connect is updated, too, it
// refuses grants that only the new one understands, such as longer names, and clients try again.
func TestFunctionsAreUpdatedBeforeTheirCallers(t *testing.T) {
	t.Parallel()
	before := orderedResources(t)
	for caller, functions := range map[string][]string{
		"ConnectFunction":  {"SendMessageFunction", "HistoryFunction", "SignUrlFunction"},
		"FrontendFunction": {"ConnectFunction", "SignUrlFunction"},
	} {
		for _, function := range functions {
			if !slices.Contains(before[caller], function) {
				t.Errorf("%s is updated before %s", caller, function)
			}
		}
	}
}
