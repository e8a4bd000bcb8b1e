package policy

import (
	"cmp"
	"math"
	"net/netip"
	"strconv"
	"strings"
	"time"
)

// kind is the type of values that an operator compares.
type kind int

const (
	text kind = iota
	textIgnoringCase
	textPattern
	arnPattern
	boolean
	number
	date
	ipAddress
	null
)

// operator is a condition operator without qualifier and suffix.
type operator struct {
	kind    kind
	negated bool
	// holds reports, for the ordered kinds (number and date), whether the request's value stands to the policy's value
	// as the operator demands.
	holds func(order int) bool
}

// operatorNamed returns the operator with a name of IAM. This package lacks BinaryEquals only.
func operatorNamed(name string) (operator, bool) {
	switch name {
	case "StringEquals":
		return operator{kind: text}, true
	case "StringNotEquals":
		return operator{kind: text, negated: true}, true
	case "StringEqualsIgnoreCase":
		return operator{kind: textIgnoringCase}, true
	case "StringNotEqualsIgnoreCase":
		return operator{kind: textIgnoringCase, negated: true}, true
	case "StringLike":
		return operator{kind: textPattern}, true
	case "StringNotLike":
		return operator{kind: textPattern, negated: true}, true
	case "ArnLike", "ArnEquals": // IAM treats the two alike
		return operator{kind: arnPattern}, true
	case "ArnNotLike", "ArnNotEquals":
		return operator{kind: arnPattern, negated: true}, true
	case "Bool":
		return operator{kind: boolean}, true
	case "IpAddress":
		return operator{kind: ipAddress}, true
	case "NotIpAddress":
		return operator{kind: ipAddress, negated: true}, true
	case "Null":
		return operator{kind: null}, true
	}
	if rest, ok := strings.CutPrefix(name, "Numeric"); ok {
		return orderedOperator(number, rest)
	}
	if rest, ok := strings.CutPrefix(name, "Date"); ok {
		return orderedOperator(date, rest)
	}
	return operator{}, false
}

func orderedOperator(k kind, name string) (operator, bool) {
	op := operator{kind: k}
	switch name {
	case "Equals", "NotEquals":
		op.holds = func(order int) bool { return order == 0 }
		op.negated = name == "NotEquals"
	case "LessThan":
		op.holds = func(order int) bool { return order < 0 }
	case "LessThanEquals":
		op.holds = func(order int) bool { return order <= 0 }
	case "GreaterThan":
		op.holds = func(order int) bool { return order > 0 }
	case "GreaterThanEquals":
		op.holds = func(order int) bool { return order >= 0 }
	default:
		return operator{}, false
	}
	return op, true
}

// accepts reports whether the operator can compare with the policy's value want.
func (o operator) accepts(want string) bool {
	ok := true
	switch o.kind {
	case arnPattern:
		_, parts := parseARN(want)
		ok = parts == len(arn{})
	case boolean, null:
		ok = strings.EqualFold(want, "true") || strings.EqualFold(want, "false")
	case number:
		_, ok = parseNumber(want)
	case date:
		_, ok = parseDate(want)
	case ipAddress:
		_, ok = parsePrefix(want)
	}
	return ok
}

// match compares the policy's value with the request's, without regard to negation. The operator accepts the policy's
// value.
func (o operator) match(want, got string) truth {
	switch o.kind {
	case text:
		return truthOf(want == got)
	case textIgnoringCase, boolean:
		return truthOf(strings.EqualFold(want, got))
	case textPattern:
		return truthOf(wildcardMatch(want, got))
	case arnPattern:
		return truthOf(matchARN(want, got))
	case number:
		return compare(o, parseNumber, want, got, cmp.Compare[float64])
	case date:
		return compare(o, parseDate, want, got, time.Time.Compare)
	case ipAddress:
		prefix, _ := parsePrefix(want)
		addr, err := netip.ParseAddr(got)
		if err != nil {
			return unknown
		}
		return truthOf(prefix.Contains(addr.Unmap()))
	default:
		return unknown
	}
}

// compare is match for the ordered kinds. A value of the request that is not of the kind makes the result unknown.
func compare[T any](o operator, parse func(string) (T, bool), want, got string, order func(a, b T) int) truth {
	w, wantOK := parse(want)
	g, gotOK := parse(got)
	if !wantOK || !gotOK {
		return unknown
	}
	return truthOf(o.holds(order(g, w)))
}

func parseNumber(s string) (float64, bool) {
	f, err := strconv.ParseFloat(s, 64)
	return f, err == nil && !math.IsNaN(f) && !math.IsInf(f, 0)
}

// parseDate parses the two forms that IAM takes: ISO 8601, and seconds since 1970.
func parseDate(s string) (time.Time, bool) {
	for _, layout := range []string{time.RFC3339, "2006-01-02T15:04Z07:00", time.DateOnly} {
		if t, err := time.Parse(layout, s); err == nil {
			return t, true
		}
	}
	seconds, err := strconv.ParseInt(s, 10, 64)
	return time.Unix(seconds, 0), err == nil
}

// parsePrefix parses an address range, or one address.
func parsePrefix(s string) (netip.Prefix, bool) {
	if p, err := netip.ParsePrefix(s); err == nil {
		return p, true
	}
	addr, err := netip.ParseAddr(s)
	if err != nil {
		return netip.Prefix{}, false
	}
	return netip.PrefixFrom(addr, addr.BitLen()), true
}
