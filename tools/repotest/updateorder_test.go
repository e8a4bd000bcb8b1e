package repotest

import (
	"encoding/json"
	"maps"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// orderedResources returns, for each resource of the SAM transform, those that CloudFormation makes or updates before
// it: they stand in its DependsOn, or in a Ref, GetAtt or Sub of its properties.
func orderedResources(t *testing.T) map[string][]string {
	t.Helper()
	var transformed struct {
		Resources map[string]struct{ DependsOn, Properties any }
	}
	golden := readFile(t, "localstage", "internal", "template", "testdata", "transform.golden.json")
	if err := json.Unmarshal([]byte(golden), &transformed); err != nil {
		t.Fatal(err)
	}
	before := map[string][]string{}
	for name, resource := range transformed.Resources {
		named := append(references(resource.Properties), texts(resource.DependsOn)...)
		before[name] = slices.DeleteFunc(named, func(other string) bool {
			_, is := transformed.Resources[other]
			return !is
		})
	}
	return before
}

var variable = regexp.MustCompile(`\$\{([A-Za-z0-9]+)[.}]`)

// references returns the names in the Ref, GetAtt and Sub functions of a value.
func references(value any) (names []string) {
	switch value := value.(type) {
	case []any:
		for _, element := range value {
			names = append(names, references(element)...)
		}
	case map[string]any:
		for name, argument := range value {
			switch list := texts(argument); {
			case len(list) > 0 && (name == "Ref" || name == "Fn::GetAtt"):
				first, _, _ := strings.Cut(list[0], ".")
				names = append(names, first)
			case len(list) > 0 && name == "Fn::Sub":
				for _, found := range variable.FindAllStringSubmatch(list[0], -1) {
					names = append(names, found[1])
				}
			}
			names = append(names, references(argument)...)
		}
	}
	return names
}

// texts returns a text, or the texts of a list, as a list.
func texts(value any) (found []string) {
	if list, is := value.([]any); is {
		for _, element := range list {
			if text, is := element.(string); is {
				found = append(found, text)
			}
		}
	} else if text, is := value.(string); is {
		found = append(found, text)
	}
	return found
}

// TestNoResourceWaitsForItself follows the order in which CloudFormation makes resources. It refuses a template with a
// circle, which neither the SAM transform nor cfn-lint reports.
func TestNoResourceWaitsForItself(t *testing.T) {
	t.Parallel()
	before := orderedResources(t)
	if circle := findCircle(before); circle != nil {
		t.Errorf("CloudFormation cannot make these resources: %s", strings.Join(circle, " after "))
	}
	before["ConnectFunction"] = append(before["ConnectFunction"], "FrontendFunction")
	if findCircle(before) == nil {
		t.Error("connect after the page, which is after connect, is no circle for this test")
	}
}

// findCircle returns names of which each waits for the next, the last one being the first again, or nil.
func findCircle(before map[string][]string) []string {
	done := map[string]bool{}
	var visit func(path []string) []string
	visit = func(path []string) []string {
		name := path[len(path)-1]
		if start := slices.Index(path, name); start < len(path)-1 {
			return path[start:]
		}
		for _, other := range before[name] {
			if done[other] {
				continue
			}
			if circle := visit(append(slices.Clone(path), other)); circle != nil {
				return circle
			}
		}
		done[name] = true
		return nil
	}
	for _, name := range slices.Sorted(maps.Keys(before)) {
		if circle := visit([]string{name}); circle != nil {
			return circle
		}
	}
	return nil
}

// TestFunctionsAreUpdatedBeforeTheirCallers: while a stack is updated, the page is updated after the functions that it
// calls. connect names signurl in its environment, so signurl comes before it: until connect is updated, too, it
// refuses grants that only the new one understands, such as longer names, and clients try again.
func TestFunctionsAreUpdatedBeforeTheirCallers(t *testing.T) {
	t.Parallel()
	before := orderedResources(t)["FrontendFunction"]
	for _, function := range []string{"ConnectFunction", "SignUrlFunction"} {
		if !slices.Contains(before, function) {
			t.Errorf("the page is updated before %s", function)
		}
	}
}
