package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// template names two functions of the two kinds.
const templateText = `
Transform: AWS::Serverless-2016-10-31
Resources:
  Role:
    Type: AWS::IAM::Role
    Properties:
      AssumeRolePolicyDocument:
        Version: "2012-10-17"
        Statement: [{Effect: Allow, Principal: {Service: lambda.amazonaws.com}, Action: sts:AssumeRole}]
  Program:
    Type: AWS::Serverless::Function
    Metadata: {BuildMethod: makefile}
    Properties: {Runtime: provided.al2023, Handler: bootstrap, CodeUri: ., Role: !GetAtt Role.Arn}
`

// build makes the artifact of the function Program, for an architecture.
func build(t *testing.T, architecture string) string {
	t.Helper()
	folder := t.TempDir()
	source := filepath.Join(folder, "source.go")
	write(t, source, "package main\n\nfunc main() {}\n", 0o600)
	command := exec.CommandContext(t.Context(), "go", "build", "-trimpath", "-o",
		filepath.Join(folder, "Program", "bootstrap"), source)
	command.Env = append(os.Environ(), "GOOS=linux", "GOARCH="+architecture, "CGO_ENABLED=0")
	if output, err := command.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, output)
	}
	return folder
}

func write(t *testing.T, path, text string, mode os.FileMode) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(text), mode); err != nil {
		t.Fatal(err)
	}
}

func TestArtifacts(t *testing.T) {
	t.Parallel()
	templateFile := filepath.Join(t.TempDir(), "template.yaml")
	write(t, templateFile, templateText, 0o600)
	for name, test := range map[string]struct {
		architecture string
		spoil        func(t *testing.T, program string)
		want         string // empty: nothing is wrong
	}{
		"as it should be":      {architecture: "arm64"},
		"another architecture": {architecture: "amd64", want: "Program: bootstrap is for EM_X86_64"},
		"a file too many": {
			architecture: "arm64",
			spoil:        func(t *testing.T, p string) { write(t, p+".env", "SECRET=1", 0o600) },
			want:         "bootstrap.env does not belong",
		},
		"nothing to start": {
			architecture: "arm64",
			spoil:        func(t *testing.T, p string) { remove(t, p); write(t, p+"2", "", 0o700) },
			want:         "bootstrap is missing",
		},
		"not executable": {architecture: "arm64", spoil: chmod, want: "bootstrap is not executable"},
		"a script": {
			architecture: "arm64",
			spoil:        func(t *testing.T, p string) { remove(t, p); write(t, p, "#!/bin/sh\n", 0o700) },
			want:         "no program for Linux",
		},
		"too large": {architecture: "arm64", spoil: grow, want: "more than"},
		"another build differs": {
			architecture: "arm64", spoil: appendByte, want: "bootstrap differs from build to build",
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			built, again := build(t, test.architecture), build(t, test.architecture)
			if test.spoil != nil {
				test.spoil(t, filepath.Join(built, "Program", "bootstrap"))
			}
			problems, err := check(flags{Template: templateFile, Build: built, Again: again})
			if err != nil {
				t.Fatal(err)
			}
			said := strings.Join(problems, "\n")
			if test.want == "" && said != "" || !strings.Contains(said, test.want) {
				t.Errorf("the check says %q, want %q", said, test.want)
			}
		})
	}
}

func remove(t *testing.T, path string) {
	t.Helper()
	if err := os.Remove(path); err != nil {
		t.Fatal(err)
	}
}

func chmod(t *testing.T, path string) {
	t.Helper()
	if err := os.Chmod(path, 0o600); err != nil {
		t.Fatal(err)
	}
}

func grow(t *testing.T, path string) {
	t.Helper()
	if err := os.Truncate(path, mostOfProgram+1); err != nil {
		t.Fatal(err)
	}
}

func appendByte(t *testing.T, path string) {
	t.Helper()
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, append(data, 0), 0o700); err != nil {
		t.Fatal(err)
	}
}
