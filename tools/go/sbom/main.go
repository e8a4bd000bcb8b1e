// Command sbom prints the bill of materials of a Go program in CycloneDX's JSON
// form: the modules that are in it, with their checksums, as the program itself
// records them. What the repository requires beyond that is not in the program,
// and not in the bill.
package main

import (
	"cmp"
	"debug/buildinfo"
	"encoding/base64"
	"encoding/hex"
	"flag"
	"fmt"
	"io"
	"os"
	"runtime/debug"
	"strings"

	"github.com/CycloneDX/cyclonedx-go"
)

func main() {
	name := flag.String("name", "", "name of the program in the bill (default its path)")
	flag.Parse()
	if flag.NArg() != 1 {
		fmt.Fprintln(os.Stderr, "sbom: name one program")
		os.Exit(2)
	}
	if err := run(os.Stdout, *name, flag.Arg(0)); err != nil {
		fmt.Fprintln(os.Stderr, "sbom:", err)
		os.Exit(1)
	}
}

// run writes the bill of the program at path.
func run(out io.Writer, name, path string) error {
	info, err := buildinfo.ReadFile(path)
	if err != nil {
		return fmt.Errorf("read %s: %w", path, err)
	}
	name = cmp.Or(name, path)
	bill, err := billOf(name, info)
	if err != nil {
		return err
	}
	return cyclonedx.NewBOMEncoder(out, cyclonedx.BOMFileFormatJSON).SetPretty(true).Encode(bill)
}

// billOf returns the bill of a program. It holds no time and no serial number: the same program has the same bill.
func billOf(name string, info *debug.BuildInfo) (*cyclonedx.BOM, error) {
	components := []cyclonedx.Component{{
		Type: cyclonedx.ComponentTypeLibrary, Name: "std", Version: info.GoVersion,
		PackageURL: "pkg:golang/std@" + strings.TrimPrefix(info.GoVersion, "go"),
	}}
	for _, module := range info.Deps {
		if module.Replace != nil {
			module = module.Replace
		}
		digest, err := digestOf(module.Sum)
		if err != nil {
			return nil, fmt.Errorf("checksum of %s: %w", module.Path, err)
		}
		components = append(components, cyclonedx.Component{
			BOMRef: module.Path + "@" + module.Version, Type: cyclonedx.ComponentTypeLibrary,
			Name: module.Path, Version: module.Version, PackageURL: "pkg:golang/" + module.Path + "@" + module.Version,
			Hashes: &[]cyclonedx.Hash{{Algorithm: cyclonedx.HashAlgoSHA256, Value: digest}},
		})
	}
	bill := cyclonedx.NewBOM()
	bill.Metadata = &cyclonedx.Metadata{Component: &cyclonedx.Component{Type: cyclonedx.ComponentTypeApplication, Name: name}}
	bill.Components = &components
	return bill, nil
}

// digestOf returns a checksum as go.sum writes it (h1: and base64) in hexadecimal digits.
func digestOf(sum string) (string, error) {
	encoded, ok := strings.CutPrefix(sum, "h1:")
	if !ok {
		return "", fmt.Errorf("%q is not of the form h1:…", sum)
	}
	digest, err := base64.StdEncoding.DecodeString(encoded)
	return hex.EncodeToString(digest), err
}
