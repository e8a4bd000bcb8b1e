package template

import (
	"strings"
	"testing"
)

// People and their tools write templates. Loading any text must end in a model or in an error of one line.
func FuzzLoad(f *testing.F) {
	for _, seed := range []string{
		apiTemplate, samSocketTemplate, functionTemplate, parameterTemplate, resources + "!Sub '${Named.Arn}'}\n",
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		loaded, err := load("template.yaml", data, testOptions())
		switch {
		case err == nil && loaded == nil:
			t.Error("neither model nor error")
		case err != nil && strings.Contains(err.Error(), "\n"):
			t.Errorf("error of more than one line: %q", err)
		}
	})
}

func FuzzSub(f *testing.F) {
	for _, seed := range []string{
		"${Stage}", "${Named.Arn}/$connect", "${!Literal}", "${", "${}", "${AWS::Region}", "$${Stage}}",
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		quoted := "'" + strings.ReplaceAll(text, "'", "''") + "'"
		loaded, err := loadText(resources+"!Sub "+quoted+"}\n", testOptions())
		if err == nil && !strings.Contains(text, "${") && !strings.ContainsAny(text, "\r\n\t ") &&
			loaded.Outputs["Out"] != text {
			t.Errorf("%q without names became %q", text, loaded.Outputs["Out"])
		}
	})
}
