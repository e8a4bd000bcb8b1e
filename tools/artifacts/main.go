// Command artifacts checks the output of `sam build` before a deployment: each function of template.yaml has only the
// files that it needs, of the right kind and size, and a second build gives the same bytes.
package main

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"

	"github.com/alecthomas/kong"

	"signedsocket/localstage"
)

type flags struct {
	Template string   `default:"template.yaml" placeholder:"FILE" help:"Template of the functions (${default})."`
	Build    string   `default:".aws-sam/build" placeholder:"DIR" help:"Output of sam build (${default})."`
	Again    string   `placeholder:"DIR" help:"Output of another build, which has to be the same. None: not compared."`
	Without  []string `placeholder:"ID" help:"Functions that were left out."`
}

func main() {
	var f flags
	parsed := kong.Parse(&f, kong.Name("artifacts"), kong.Description("Checks the artifacts of the functions."))
	problems, err := check(f)
	parsed.FatalIfErrorf(err)
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
		name := function.LogicalID
		if slices.Contains(f.Without, name) {
			continue
		}
		files, err := list(filepath.Join(f.Build, name))
		found := broken(function.Runtime, function.Handler, files)
		if f.Again != "" {
			again, missing := list(filepath.Join(f.Again, name))
			found, err = append(found, differences(files, again)...), errors.Join(err, missing)
		}
		if err != nil {
			return nil, fmt.Errorf("artifact of %s: %w", name, err)
		}
		for _, problem := range found {
			problems = append(problems, name+": "+problem)
		}
	}
	return problems, nil
}

// file is a file of an artifact.
type file struct {
	mode fs.FileMode
	data []byte // of a plain file
}

// list returns the files below a folder by their names in it. A link is not followed: Lambda's zip has none.
func list(folder string) (map[string]file, error) {
	root, err := os.OpenRoot(folder)
	if err != nil {
		return nil, err
	}
	defer root.Close()
	files := map[string]file{}
	return files, fs.WalkDir(root.FS(), ".", func(name string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		info, err := entry.Info()
		if err != nil {
			return err
		}
		found := file{mode: info.Mode()}
		if info.Mode().IsRegular() {
			found.data, err = root.ReadFile(name)
		}
		files[name] = found
		return err
	})
}

// differences says which files two builds of the same source do not share.
func differences(one, other map[string]file) (found []string) {
	all := maps.Clone(one)
	maps.Copy(all, other)
	for _, name := range slices.Sorted(maps.Keys(all)) {
		first, inOne := one[name]
		second, inOther := other[name]
		switch {
		case !inOne || !inOther:
			found = append(found, name+" is not made by every build")
		case !bytes.Equal(first.data, second.data):
			found = append(found, name+" differs from build to build: every deployment would replace the function")
		}
	}
	return found
}
