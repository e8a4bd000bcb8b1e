package repotest

import (
	"fmt"
	"maps"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"go.yaml.in/yaml/v3"

	"signedsocket/tools/docblock"
)

// TestConfigurationPageIsTheTemplateAndTheCode compares the tables of docs/configuration.md with what template.yaml
// declares and the functions read. With UPDATE_DOCS=1 it writes them instead: `make docs`.
func TestConfigurationPageIsTheTemplateAndTheCode(t *testing.T) {
	var declared struct {
		Parameters yaml.Node                   `yaml:"Parameters"`
		Resources  map[string]deployedFunction `yaml:"Resources"`
	}
	if err := yaml.Unmarshal([]byte(readFile(t, "template.yaml")), &declared); err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(root(t), "docs", "configuration.md")
	blocks := map[string]string{
		"parameters":  parameterTable(t, declared.Parameters),
		"environment": environmentTable(t, declared.Resources),
	}
	docblock.Check(t, "make docs", path, blocks)
}

// deployedFunction is what a resource of template.yaml says of a function's environment.
type deployedFunction struct {
	Properties struct {
		Environment struct {
			Variables map[string]yaml.Node `yaml:"Variables"`
		} `yaml:"Environment"`
	} `yaml:"Properties"`
}

// declaredParameter is a parameter of template.yaml.
type declaredParameter struct {
	Description   string   `yaml:"Description"`
	Default       string   `yaml:"Default"`
	Constraint    string   `yaml:"ConstraintDescription"`
	MinValue      string   `yaml:"MinValue"`
	MaxValue      string   `yaml:"MaxValue"`
	AllowedValues []string `yaml:"AllowedValues"`
}

// parameterTable lists the parameters in the order of the template.
func parameterTable(t *testing.T, parameters yaml.Node) string {
	t.Helper()
	var table strings.Builder
	table.WriteString("| Parameter | Default | Takes | What it does |\n|---|---|---|---|\n")
	for i := 0; i < len(parameters.Content); i += 2 {
		var p declaredParameter
		if err := parameters.Content[i+1].Decode(&p); err != nil {
			t.Fatal(err)
		}
		takes := strings.TrimSuffix(p.Constraint, ".")
		switch {
		case p.MaxValue != "":
			takes = p.MinValue + " to " + p.MaxValue
		case p.MinValue != "":
			takes = p.MinValue + " and above"
		case len(p.AllowedValues) > 0:
			takes = "`" + strings.Join(p.AllowedValues, "`, `") + "`"
		}
		name := parameters.Content[i].Value
		fmt.Fprintf(&table, "| `%s` | %s | %s | %s |\n", name, code(p.Default), cell(takes), cell(p.Description))
	}
	return table.String()
}

// environmentTable lists the variables of all functions by name.
func environmentTable(t *testing.T, resources map[string]deployedFunction) string {
	t.Helper()
	type variable struct{ readers, values []string }
	variables := map[string]*variable{}
	for _, id := range slices.Sorted(maps.Keys(resources)) {
		for name, value := range resources[id].Properties.Environment.Variables {
			v := variables[name]
			if v == nil {
				v = &variable{}
				variables[name] = v
			}
			v.readers = append(v.readers, strings.TrimSuffix(id, "Function"))
			if source := code(source(t, value)); !slices.Contains(v.values, source) {
				v.values = append(v.values, source)
			}
		}
	}
	without := defaultsInCode(t)
	var table strings.Builder
	table.WriteString("| Variable | Read by | The template sets it to | Without it |\n|---|---|---|---|\n")
	for _, name := range slices.Sorted(maps.Keys(variables)) {
		v := variables[name]
		readers, values := strings.Join(v.readers, ", "), cell(strings.Join(v.values, " or "))
		fmt.Fprintf(&table, "| `%s` | %s | %s | %s |\n", name, readers, values, without[name])
	}
	return table.String()
}

// defaultsInCode says what the Go functions do without a variable, by the tags of their configurations.
func defaultsInCode(t *testing.T) map[string]string {
	t.Helper()
	tag := regexp.MustCompile("`env:\"([A-Z][A-Z0-9_]*)(,notEmpty|,required)?\"(?: envDefault:\"([^\"]*)\")?")
	without := map[string]string{}
	for _, file := range trackedFiles(t, "functions/*.go") {
		for _, m := range tag.FindAllStringSubmatch(readFile(t, file), -1) {
			switch {
			case m[2] != "":
				without[m[1]] = "does not start"
			case m[3] != "":
				without[m[1]] = code(m[3])
			case without[m[1]] == "":
				without[m[1]] = "empty"
			}
		}
	}
	return without
}

// source writes a value of the template on one line, as the template does.
func source(t *testing.T, value yaml.Node) string {
	t.Helper()
	value.Style |= yaml.FlowStyle
	text, err := yaml.Marshal(&value)
	if err != nil {
		t.Fatal(err)
	}
	return strings.Join(strings.Fields(string(text)), " ")
}

func code(text string) string {
	if text == "" {
		return "empty"
	}
	return "`" + text + "`"
}

// cell makes a text fit into one cell of a table.
func cell(text string) string {
	return strings.ReplaceAll(strings.Join(strings.Fields(text), " "), "|", `\|`)
}
