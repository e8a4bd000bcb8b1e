package dynamodb

import (
	"strconv"
	"strings"

	"github.com/cockroachdb/apd/v3"
)

// Limits of a number. Source: DynamoDB developer guide, "Supported data types and naming rules", Number.
const (
	maxDigits    = 38
	maxMagnitude = 125  // of the first digit: 9.9…E+125
	minMagnitude = -130 // 1E-130

	// maxNumberText bounds the work that a long run of zeros may cause; no legal number needs more.
	maxNumberText = 1024
)

// numberValue is a number in the one spelling that the service returns: plain decimal text without exponent, leading or
// trailing zeros, or a negative zero. Equal numbers are equal strings.
type numberValue string

func (numberValue) typeName() string { return "N" }

// parseNumber parses a number of a client.
func parseNumber(text string) (numberValue, error) {
	if isCanonicalInteger(text) {
		return numberValue(text), nil
	}
	if text == "" || len(text) > maxNumberText || strings.Trim(text, "+-.0123456789eE") != "" {
		return "", notNumeric(text)
	}
	d, _, err := apd.NewFromString(text)
	if err != nil {
		return "", notNumeric(text)
	}
	number, exact, refusal := normalize(d)
	if refusal != nil {
		return "", refusal
	}
	if !exact {
		return "", invalid("Attempting to store more than 38 significant digits in a Number")
	}
	return number, nil
}

func notNumeric(text string) *Error {
	if text == "" {
		return invalid("The parameter cannot be converted to a numeric value")
	}
	return invalid("The parameter cannot be converted to a numeric value: %.64s", text)
}

// isCanonicalInteger recognises the usual number, which needs no change.
func isCanonicalInteger(text string) bool {
	digits := strings.TrimPrefix(text, "-")
	if digits == "" || len(digits) > maxDigits {
		return false
	}
	for i := range len(digits) {
		if digits[i] < '0' || digits[i] > '9' {
			return false
		}
	}
	return digits[0] != '0' || text == "0"
}

// normalize gives d its canonical spelling, and reports whether 38 digits are enough for it.
func normalize(d *apd.Decimal) (number numberValue, exact bool, refusal *Error) {
	if d.Form != apd.Finite {
		return "", false, notNumeric(d.String())
	}
	d.Reduce(d)
	if d.IsZero() {
		return "0", true, nil
	}
	switch magnitude := int64(d.Exponent) + d.NumDigits() - 1; {
	case magnitude > maxMagnitude:
		return "", false, overflow()
	case magnitude < minMagnitude:
		return "", false,
			invalid("Number underflow. Attempting to store a number with magnitude smaller than supported range")
	}
	return numberValue(d.Text('f')), d.NumDigits() <= maxDigits, nil
}

func overflow() *Error {
	return invalid("Number overflow. Attempting to store a number with magnitude larger than supported range")
}

// addNumbers returns a + b, or a - b. A result that needs more than 38 digits is an error, never rounded.
func addNumbers(a, b numberValue, subtract bool) (numberValue, error) {
	x, _, errA := apd.NewFromString(string(a))
	y, _, errB := apd.NewFromString(string(b))
	if errA != nil || errB != nil {
		return "", incorrectDataType()
	}
	// The exponents differ by fewer digits than this, so the sum is exact.
	exact := apd.BaseContext.WithPrecision(2 * (maxMagnitude - minMagnitude))
	operation := exact.Add
	if subtract {
		operation = exact.Sub
	}
	sum := new(apd.Decimal)
	if _, err := operation(sum, x, y); err != nil {
		return "", incorrectDataType()
	}
	number, fits, refusal := normalize(sum)
	if refusal == nil && fits {
		return number, nil
	}
	if refusal == nil {
		refusal = overflow() // the service's words for lost precision, too
	}
	refusal.perItem = true
	return "", refusal
}

// parts splits the number into its sign (-1, 0, 1), its significant digits, and the exponent with which
// 0.digits × 10^exponent is its magnitude.
func (n numberValue) parts() (sign int, digits string, exponent int) {
	text := string(n)
	sign = 1
	if text[0] == '-' {
		sign, text = -1, text[1:]
	}
	whole, fraction, _ := strings.Cut(text, ".")
	switch {
	case text == "0":
		return 0, "", 0
	case fraction == "":
		return sign, strings.TrimRight(whole, "0"), len(whole)
	case whole == "0":
		digits = strings.TrimLeft(fraction, "0")
		return sign, digits, len(digits) - len(fraction)
	default:
		return sign, whole + fraction, len(whole)
	}
}

// compareNumbers orders numbers by value.
func compareNumbers(a, b numberValue) int {
	if a == b {
		return 0
	}
	signA, digitsA, exponentA := a.parts()
	signB, digitsB, exponentB := b.parts()
	switch {
	case signA != signB:
		return sign(signA - signB)
	case exponentA != exponentB:
		return signA * sign(exponentA-exponentB)
	default:
		return signA * strings.Compare(digitsA, digitsB)
	}
}

func sign(n int) int {
	return max(-1, min(1, n))
}

// size is the number's part of the size of an item: half a byte for each significant digit, whole and fractional part
// rounded up apart, one byte more, and one for a minus. Measured at the service. Its developer guide ("DynamoDB item
// sizes and formats") says only "approximately" and omits the rounding.
func (n numberValue) size() int {
	sign, digits, exponent := n.parts()
	if sign == 0 {
		return 1
	}
	whole := min(max(exponent, 0), len(digits))
	size := 1 + (whole+1)/2 + (len(digits)-whole+1)/2
	if sign < 0 {
		size++
	}
	return size
}

// integer returns n as a number.
func integer(n int) numberValue {
	return numberValue(strconv.Itoa(n))
}
