package main

import (
	"debug/elf"
	"fmt"
	"maps"
	"path"
	"slices"
	"strings"
)

// rules are what holds for the artifact of a function.
type rules struct {
	start   string // the file that Lambda starts
	program bool   // it is a program for Lambda's machine and the only file, not a script
	most    int64  // bytes of all files
}

// Limits for an artifact, unpacked: well above what is there, well below what would slow a cold start down.
const (
	mostOfProgram = 12 << 20
	mostOfPage    = 40 << 20
)

// rulesFor returns the rules for a function: on provided.al2023 it is one Go program, else a server and its files.
func rulesFor(runtime, handler string) rules {
	if strings.HasPrefix(runtime, "provided") {
		return rules{start: "bootstrap", program: true, most: mostOfProgram}
	}
	return rules{start: handler, most: mostOfPage}
}

// broken says which rules the files of an artifact break.
func (r rules) broken(files map[string]file) []string {
	var found []string
	total := int64(0)
	for _, name := range slices.Sorted(maps.Keys(files)) {
		f := files[name]
		total += f.size
		switch {
		case r.program && name != r.start:
			found = append(found, name+" does not belong into it")
		case !f.mode.IsRegular():
			found = append(found, name+" is no plain file, and SAM packs what it points to or fails")
		case !r.program && slices.Contains([]string{".node", ".so", ".dylib"}, path.Ext(name)):
			found = append(found, name+" is made for the machine that built it")
		}
	}
	if total > r.most {
		found = append(found, fmt.Sprintf("it has %d bytes, more than %d", total, r.most))
	}
	start, there := files[r.start]
	if !there {
		return append(found, r.start+" is missing, so Lambda has nothing to start")
	}
	if start.mode.Perm()&0o111 == 0 {
		found = append(found, r.start+" is not executable")
	}
	if r.program {
		found = append(found, wrongMachine(r.start, start)...)
	}
	return found
}

// wrongMachine says why Lambda could not run a program: it has to be one for Linux on arm64 that needs no library of
// the system.
func wrongMachine(name string, f file) []string {
	program, err := elf.Open(f.path)
	if err != nil {
		return []string{name + " is no program for Linux"}
	}
	defer program.Close()
	var found []string
	if program.Machine != elf.EM_AARCH64 {
		found = append(found, fmt.Sprintf("%s is for %s, and the function runs on arm64", name, program.Machine))
	}
	if libraries, err := program.ImportedLibraries(); err == nil && len(libraries) > 0 {
		found = append(found, fmt.Sprintf("%s needs %v, which Lambda may not have", name, libraries))
	}
	return found
}
