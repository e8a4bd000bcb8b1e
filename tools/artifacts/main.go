// Command artifacts checks the output of `sam build` before a deployment: each function of template.yaml has only the
// files that it needs, of the right kind and size, and a second build gives the same bytes.
package main

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"

	"github.com/alecthomas/kong"

	"signedsocket/localstage"
)

// flags is the command line.
type flags struct {
	Template string   `default:"template.yaml" placeholder:"FILE" help:"The template whose functions were built (${default})."`
	Build    string   `default:".aws-sam/build" placeholder:"DIR" help:"What sam build has made: a folder for each function (${default})."`
	Again    string   `placeholder:"DIR" help:"What another build has made, which has to be the same. None compares nothing."`
	Without  []string `placeholder:"ID" help:"Functions that were left out."`
}

func main() {
	var f flags
	kong.Parse(&f, kong.Name("artifacts"), kong.Description("Checks the artifacts of the functions."))
	problems, err := check(f)
	if err != nil {
		fmt.Fprintln(os.Stderr, "artifacts:", err)
		os.Exit(1)
	}
	for _, problem := range problems {
		fmt.Fprintln(os.Stderr, problem)
	}
	if len(problems) > 0 {
		os.Exit(1)
	}
}

// check returns what is wrong with the artifacts, a line each.
func check(f flags) (problems []string, err error) {
	loaded, err := localstage.LoadTemplate(f.Template, nil)
	if err != nil {
		return nil, err
	}
	for _, function := range loaded.Functions {
		if slices.Contains(f.Without, function.LogicalID) {
			continue
		}
		files, err := list(filepath.Join(f.Build, function.LogicalID))
		if err != nil {
			return nil, fmt.Errorf("artifact of %s: %w", function.LogicalID, err)
		}
		found := rulesFor(function.Runtime, function.Handler).broken(files)
		if f.Again != "" {
			again, err := list(filepath.Join(f.Again, function.LogicalID))
			if err != nil {
				return nil, fmt.Errorf("second artifact of %s: %w", function.LogicalID, err)
			}
			found = append(found, differences(files, again)...)
		}
		for _, problem := range found {
			problems = append(problems, function.LogicalID+": "+problem)
		}
	}
	return problems, nil
}
