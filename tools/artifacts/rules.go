package main

import (
	"bytes"
	"debug/elf"
	"fmt"
	"maps"
	"path"
	"slices"
	"strings"
)

// Limits for an artifact, unpacked, in bytes: well above what is there, well below what would slow a cold start down.
const (
	mostOfProgram = 12 << 20
	mostOfPage    = 40 << 20
)

// broken says which rules the files of an artifact break. On provided.al2023 an artifact is one program for Lambda's
// machine and nothing else; otherwise it is a server, which the handler starts, and its files.
func broken(runtime, handler string, files map[string]file) (found []string) {
	program, start, most := strings.HasPrefix(runtime, "provided"), handler, mostOfPage
	if program {
		start, most = "bootstrap", mostOfProgram
	}
	total := 0
	for _, name := range slices.Sorted(maps.Keys(files)) {
		f := files[name]
		total += len(f.data)
		switch {
		case program && name != start:
			found = append(found, name+" does not belong into it")
		case !f.mode.IsRegular():
			found = append(found, name+" is no plain file, and SAM packs what it points to or fails")
		case !program && slices.Contains([]string{".node", ".so", ".dylib"}, path.Ext(name)):
			found = append(found, name+" is made for the machine that built it")
		}
	}
	if total > most {
		found = append(found, fmt.Sprintf("it has %d bytes, more than %d", total, most))
	}
	f, there := files[start]
	if !there {
		return append(found, start+" is missing, so Lambda has nothing to start")
	}
	if f.mode.Perm()&0o111 == 0 {
		found = append(found, start+" is not executable")
	}
	if program {
		found = append(found, wrongMachine(start, f.data)...)
	}
	return found
}

// wrongMachine says why Lambda could not run a program: it has to be one for Linux on arm64 that needs no library of
// the system.
func wrongMachine(name string, data []byte) (found []string) {
	program, err := elf.NewFile(bytes.NewReader(data))
	if err != nil {
		return []string{name + " is no program for Linux"}
	}
	if program.Machine != elf.EM_AARCH64 {
		found = append(found, fmt.Sprintf("%s is for %s, and the function runs on arm64", name, program.Machine))
	}
	if libraries, err := program.ImportedLibraries(); err == nil && len(libraries) > 0 {
		found = append(found, fmt.Sprintf("%s needs %v, which Lambda may not have", name, libraries))
	}
	return found
}
