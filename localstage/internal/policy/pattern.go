package policy

import (
	"errors"
	"fmt"
	"strings"
	"unicode/utf8"
)

// wildcardMatch reports whether s matches pattern, in which * stands for any number of characters, and ? for exactly
// one. It needs at most len(pattern) × len(s) steps for any pattern.
func wildcardMatch(pattern, s string) bool {
	p, i := 0, 0
	star, resume := -1, 0 // the last * seen, and where it stops matching in s
	for i < len(s) {
		_, size := utf8.DecodeRuneInString(s[i:])
		switch {
		case p < len(pattern) && pattern[p] == '*':
			star, resume = p, i
			p++
		case p < len(pattern) && pattern[p] == '?':
			p++
			i += size
		case p < len(pattern) && strings.HasPrefix(pattern[p:], s[i:i+size]):
			p += size
			i += size
		case star >= 0: // let the last * take one more character
			_, size := utf8.DecodeRuneInString(s[resume:])
			resume += size
			p, i = star+1, resume
		default:
			return false
		}
	}
	return strings.Trim(pattern[p:], "*") == ""
}

// actionSet is the Action or NotAction of a statement.
type actionSet struct {
	patterns []string // in lower case: IAM compares actions without regard to case
	negated  bool
}

func parseActionSet(values []string, negated bool) (actionSet, error) {
	set := actionSet{negated: negated}
	for _, v := range values {
		service, name, found := strings.Cut(v, ":")
		if v != "*" && (!found || service == "" || name == "" || strings.ContainsAny(service, "*?")) {
			return set,
				fmt.Errorf("action %q must be \"*\" or \"service:action\", with wildcards in the action's name only", v)
		}
		set.patterns = append(set.patterns, strings.ToLower(v))
	}
	return set, nil
}

// match takes the action in lower case.
func (a actionSet) match(action string) truth {
	found := no
	for _, p := range a.patterns {
		found = found.or(truthOf(wildcardMatch(p, action)))
	}
	if a.negated {
		return found.not()
	}
	return found
}

// arn is an Amazon Resource Name cut at its first five colons: arn, partition,
// service, Region, account and the resource, which may itself have colons.
type arn [6]string

// These are the places of an ARN's parts.
const (
	arnPrefix  = 0
	arnService = 2
)

// parseARN cuts s. It returns how many of the six parts s has.
func parseARN(s string) (arn, int) {
	var a arn
	for i := range len(a) - 1 {
		part, rest, found := strings.Cut(s, ":")
		a[i] = part
		if !found {
			return a, i + 1
		}
		s = rest
	}
	a[len(a)-1] = s
	return a, len(a)
}

// match compares each part of a pattern with the same part of an ARN.
func (pattern arn) match(a arn) bool {
	for i := range pattern {
		if !wildcardMatch(pattern[i], a[i]) {
			return false
		}
	}
	return true
}

// matchARN compares two whole ARNs as ArnLike and ArnEquals do.
func matchARN(pattern, s string) bool {
	p, pn := parseARN(pattern)
	a, an := parseARN(s)
	return pn == len(p) && an == len(a) && p.match(a)
}

// resourcePattern is one value of Resource or NotResource.
type resourcePattern struct {
	parts arn    // with * for the parts that the value leaves out
	text  string // as the policy has it
}

// match compares part by part, so that a wildcard does not reach over a colon into the next part. Whether a wildcard
// that would have to do so matches is unknown: then the statement must not allow, and must deny.
//
// Source: IAM User Guide, "IAM JSON policy elements: Resource". A * at the end of a part may go on past the colon; its
// reach was not tried.
func (p resourcePattern) match(a arn) truth {
	if p.parts.match(a) {
		return yes
	}
	if wildcardMatch(p.text, strings.Join(a[:], ":")) { // mutate:stage-wildcard
		return unknown
	}
	return no
}

// resourceSet is the Resource or NotResource of a statement.
type resourceSet struct {
	all      bool // "*" is among the values
	patterns []resourcePattern
	opaque   bool // one of the values cannot be evaluated
	negated  bool
}

func parseResourceSet(values []string, negated bool) (set resourceSet, problems []string, err error) {
	set.negated = negated
	for _, v := range values {
		if v == "*" {
			set.all = true
			continue
		}
		pattern, problem, err := parseResource(v)
		switch {
		case err != nil:
			return set, nil, fmt.Errorf("resource %q: %w", v, err)
		case problem != "":
			set.opaque = true
			problems = append(problems, fmt.Sprintf("resource %q: %s", v, problem))
		default:
			set.patterns = append(set.patterns, resourcePattern{parts: pattern, text: v})
		}
	}
	return set, problems, nil
}

// parseResource parses the pattern of a resource ARN. IAM completes an ARN with fewer than six parts by * for the
// missing ones.
//
// Source: IAM User Guide, "IAM JSON policy elements: Resource".
func parseResource(v string) (pattern arn, problem string, err error) {
	pattern, n := parseARN(v)
	if pattern[arnPrefix] != "arn" || n < 2 {
		return arn{}, "", errors.New("an ARN or \"*\" is needed")
	}
	for i := n; i < len(pattern); i++ {
		pattern[i] = "*"
	}
	switch {
	case hasVariable(v):
		return arn{}, "policy variables are not supported", nil
	case n > arnService && strings.ContainsAny(pattern[arnService], "*?"):
		return arn{}, "IAM allows no wildcard in the service part of an ARN", nil
	}
	return pattern, "", nil
}

func (r resourceSet) match(q question) truth {
	found := truthOf(r.all)
	if r.opaque {
		found = found.or(unknown)
	}
	for _, p := range r.patterns {
		if q.isARN {
			found = found.or(p.match(q.resource))
		}
	}
	if r.negated {
		return found.not()
	}
	return found
}
