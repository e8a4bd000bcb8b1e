package logging

import (
	"bytes"
	"errors"
	"strings"
	"testing"
)

func TestPanicIsLoggedWithoutItsValue(t *testing.T) {
	t.Parallel()
	var out bytes.Buffer
	log := New(&out)
	broken := func() (err error) {
		defer Recover(t.Context(), log, &err)
		panic(errors.New("pop.secret"))
	}
	if err := broken(); !errors.Is(err, ErrPanic) {
		t.Errorf("err = %v", err)
	}
	for _, want := range []string{
		`"panic":"*errors.errorString"`, `panic_test.go:`, `TestPanicIsLoggedWithoutItsValue`,
	} {
		if !strings.Contains(out.String(), want) {
			t.Errorf("the log lacks %s:\n%s", want, out.String())
		}
	}
	if strings.Contains(out.String(), "secret") {
		t.Errorf("the log holds the value:\n%s", out.String())
	}
}

func TestNoPanicIsNoError(t *testing.T) {
	t.Parallel()
	var out bytes.Buffer
	failure := errors.New("on purpose")
	failing := func() (err error) {
		defer Recover(t.Context(), New(&out), &err)
		return failure
	}
	if err := failing(); err != failure || out.Len() != 0 {
		t.Errorf("err = %v, log %s", err, out.String())
	}
}
