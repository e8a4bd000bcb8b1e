package dynamodb

import (
	"bytes"
	"math/big"
	"math/rand/v2"
	"strings"
	"testing"
)

// The sizes were measured at the service: an item of exactly 400 KB is accepted and one byte more is not.
func TestNumberSizeIsTheServices(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]int{
		"0": 1, "1": 2, "12": 2, "123": 3, "1234": 3, "12345678901234567890123456789012345678": 20, "0042": 2, "100": 2,
		"1010": 3, "0.0000001": 2,
		"1E125": 2, "1E-100": 2, "1.5": 3, "15": 2, "1.2": 3, "1.200": 3, "1.234": 4, "3.14159": 5, "123456": 4,
		"100.5": 4, "0.15": 2, "-42": 3, "-0": 1,
	} {
		number, err := parseNumber(text)
		if err != nil {
			t.Errorf("%s: %v", text, err)
		} else if got := number.size(); got != want {
			t.Errorf("%s counts %d bytes, want %d", text, got, want)
		}
	}
}

func TestHugeNumberTextIsRefusedQuickly(t *testing.T) {
	t.Parallel()
	for _, text := range []string{
		"1e999999999999", "1e-100000000", strings.Repeat("9", 1<<20), "0." + strings.Repeat("0", 1<<20) + "1",
	} {
		if number, err := parseNumber(text); err == nil {
			t.Errorf("%.20s… became %.20s…", text, number)
		}
	}
}

func TestNumberKeysSortByValue(t *testing.T) {
	t.Parallel()
	random := rand.New(rand.NewPCG(1, 2))
	for range 20_000 {
		a, b := randomNumber(t, random), randomNumber(t, random)
		want := exactly(t, a).Cmp(exactly(t, b))
		if got := compareNumbers(a, b); got != want {
			t.Fatalf("compare %s with %s: got %d, want %d", a, b, got, want)
		}
		if got := bytes.Compare(appendNumberKey(nil, a), appendNumberKey(nil, b)); got != want {
			t.Fatalf("keys of %s and %s: got %d, want %d", a, b, got, want)
		}
	}
}

// randomNumber makes numbers that are often close to each other.
func randomNumber(t *testing.T, random *rand.Rand) numberValue {
	t.Helper()
	digits := make([]byte, 1+random.IntN(4))
	for i := range digits {
		digits[i] = "0159"[random.IntN(4)]
	}
	exponent := []string{"", "e1", "e-1", "e2", "e-3", "e-120", "e120"}[random.IntN(7)]
	sign := []string{"", "-"}[random.IntN(2)]
	number, err := parseNumber(sign + string(digits) + exponent)
	if err != nil {
		t.Fatal(err)
	}
	return number
}

func exactly(t *testing.T, n numberValue) *big.Rat {
	t.Helper()
	value, ok := new(big.Rat).SetString(string(n))
	if !ok {
		t.Fatalf("%s is no number", n)
	}
	return value
}

// FuzzNumber compares the canonical spelling with arbitrary precision arithmetic.
func FuzzNumber(f *testing.F) {
	for _, seed := range []string{
		"0", "-0", "1e3", "1.50", "-.5", "+7", "9.9999999999999999999999999999999999999E125", "1E-130", "1e", "NaN",
		"0e1000",
	} {
		f.Add(seed, "1")
	}
	f.Add("0.1", "0.2")
	f.Add("1e38", "-1")
	f.Fuzz(func(t *testing.T, text, other string) {
		number, err := parseNumber(text)
		if err != nil {
			return
		}
		if want, ok := new(big.Rat).SetString(text); !ok || exactly(t, number).Cmp(want) != 0 {
			t.Fatalf("%q became %s", text, number)
		}
		if again, err := parseNumber(string(number)); err != nil || again != number {
			t.Fatalf("%s is not canonical: %s, %v", number, again, err)
		}
		addend, err := parseNumber(other)
		if err != nil {
			return
		}
		sum, err := addNumbers(number, addend, false)
		if err != nil {
			return
		}
		if want := new(big.Rat).Add(exactly(t, number), exactly(t, addend)); exactly(t, sum).Cmp(want) != 0 {
			t.Fatalf("%s + %s = %s", number, addend, sum)
		}
		if back, err := addNumbers(sum, addend, true); err == nil && back != number {
			t.Fatalf("%s + %s - %s = %s", number, addend, addend, back)
		}
	})
}
