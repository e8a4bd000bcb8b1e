package template

import (
	"path/filepath"
	"testing"
)

// root is the repository's folder.
var root = filepath.Join("..", "..", "..")

// testOptions deploy a template to the fixed account of the local stage.
func testOptions() Options {
	return Options{
		Defaults:  map[string]string{"OidcIssuer": "http://127.0.0.1:3003"},
		Region:    "us-east-1",
		AccountID: "111122223333",
		StackName: "local",
	}
}

// loadRepository loads this project's template as a local stage does.
func loadRepository(t *testing.T) *Template {
	t.Helper()
	loaded, err := Load(filepath.Join(root, "template.yaml"), testOptions())
	if err != nil {
		t.Fatal(err)
	}
	return loaded
}

// loadText loads the template of a test.
func loadText(text string, o Options) (*Template, error) {
	return load("template.yaml", []byte(text), o)
}

// load resolves the template in data. file is its name in errors.
func load(file string, data []byte, o Options) (*Template, error) {
	doc, err := parse(file, data)
	if err != nil {
		return nil, err
	}
	return (&Source{document: doc}).Resolve(o)
}
