package function

import (
	"slices"
	"strings"
	"testing"
)

type settings struct {
	Name   string   `env:"NAME,notEmpty"`
	Number int      `env:"NUMBER" envDefault:"5"`
	List   []string `env:"LIST"`
}

func TestNumbersAreReadAsCloudFormationTakesThem(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]int{"": 5, "7": 7, "07": 7, "+7": 7, "7.0": 7, "7.9": 7, "7e2": 700, "-3": -3} {
		read, err := Read[settings](map[string]string{"NAME": "n", "NUMBER": text})
		if err != nil || read.Number != want {
			t.Errorf("%q became %d, %v; want %d", text, read.Number, err, want)
		}
	}
	for _, text := range []string{"many", "NaN", "Inf", "1e300", "1 000"} {
		_, err := Read[settings](map[string]string{"NAME": "n", "NUMBER": text})
		if err == nil || !strings.Contains(err.Error(), "Number") {
			t.Errorf("%q: %v, want an error that names the setting", text, err)
		}
	}
}

func TestEverySettingThatCannotBeReadIsNamed(t *testing.T) {
	t.Parallel()
	_, err := Read[settings](map[string]string{"NUMBER": "many"})
	if err == nil || !strings.Contains(err.Error(), "NAME") || !strings.Contains(err.Error(), "Number") {
		t.Errorf("err = %v, want both settings in it", err)
	}
}

func TestDifferentDropsRepetitionsAndEmptyEntries(t *testing.T) {
	t.Parallel()
	if got := Different([]string{"b", "a", "", "b", "c", "a"}); !slices.Equal(got, []string{"b", "a", "c"}) {
		t.Errorf("Different = %q", got)
	}
	if got := Different(nil); len(got) != 0 {
		t.Errorf("Different(nil) = %q", got)
	}
}
