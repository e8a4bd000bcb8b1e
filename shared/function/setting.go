package function

import (
	"fmt"
	"math"
	"reflect"
	"strconv"

	"github.com/caarlos0/env/v11"
)

// Read returns the settings of an environment in a struct with tags of package env. The error names all settings that
// cannot be read.
func Read[T any](environment map[string]string) (T, error) {
	return env.ParseAsWithOptions[T](env.Options{
		Environment: environment,
		FuncMap:     map[reflect.Type]env.ParserFunc{reflect.TypeFor[int](): wholeNumber},
	})
}

// wholeNumber reads a number as CloudFormation takes it for a parameter of type Number, and drops the fraction. The
// function gets 20.5 or 2e1 in the written form.
func wholeNumber(text string) (any, error) {
	number, err := strconv.ParseFloat(text, 64)
	if err != nil || math.IsNaN(number) || math.Abs(number) > math.MaxInt32 {
		return nil, fmt.Errorf("%q is not a number", text)
	}
	return int(number), nil
}

// Different returns the entries of a list without those that are empty or there already, in their order.
func Different(list []string) []string {
	var different []string
	seen := make(map[string]bool, len(list))
	for _, entry := range list {
		if entry != "" && !seen[entry] {
			seen[entry] = true
			different = append(different, entry)
		}
	}
	return different
}
