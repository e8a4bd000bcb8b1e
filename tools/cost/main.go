// Command cost prints what a deployment costs in a month and where its limits are, from AWS's list prices and quotas
// and from what the functions do. With --write it puts the tables between the markers of pages.
package main

import (
	"fmt"
	"maps"
	"os"
	"slices"

	"github.com/alecthomas/kong"

	"signedsocket/tools/docblock"
)

type flags struct {
	Write []string `placeholder:"PAGE" help:"Writes the tables into pages that have their markers, instead of printing them."`
}

func main() {
	var f flags
	kong.Parse(&f, kong.Name("cost"), kong.Description("Prints the tables of docs/scale.md: what a deployment costs, and where its limits are."))
	if err := run(f); err != nil {
		fmt.Fprintln(os.Stderr, "cost:", err)
		os.Exit(1)
	}
}

func run(f flags) error {
	tables := blocks()
	if len(f.Write) == 0 {
		for _, name := range slices.Sorted(maps.Keys(tables)) {
			fmt.Printf("%s\n\n%s\n", name, tables[name])
		}
		return nil
	}
	for _, page := range f.Write {
		if err := docblock.Write(page, tables); err != nil {
			return err
		}
	}
	return nil
}
