// Command sbom prints the bill of materials of a Go program in CycloneDX's JSON form: the modules that are in it, with
// their checksums, as the program itself records them. A requirement of the repository that is not in the program is
// not in the bill.
package main

import (
	"cmp"
	"debug/buildinfo"
	"encoding/base64"
	"encoding/hex"
	"flag"
	"fmt"
	"log"
	"os"
	"runtime/debug"
	"strings"

	"github.com/CycloneDX/cyclonedx-go"
)

func main() {
	log.SetFlags(0)
	log.SetPrefix("sbom: ")
	name := flag.String("name", "", "name of the program in the bill (default its path)")
	flag.Parse()
	path := flag.Arg(0)
	info, err := buildinfo.ReadFile(path)
	if err != nil {
		log.Fatalf("read the program %q: %v", path, err)
	}
	bill, err := billOf(cmp.Or(*name, path), info)
	if err != nil {
		log.Fatal(err)
	}
	if err := cyclonedx.NewBOMEncoder(os.Stdout, cyclonedx.BOMFileFormatJSON).SetPretty(true).Encode(bill); err != nil {
		log.Fatal(err)
	}
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
	bill.Metadata = &cyclonedx.Metadata{
		Component: &cyclonedx.Component{Type: cyclonedx.ComponentTypeApplication, Name: name},
	}
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
