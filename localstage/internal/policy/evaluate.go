package policy

import (
	"slices"
	"strings"
)

// Request is an action that a principal wants to take.
type Request struct {
	// Action is the IAM action, such as "execute-api:Invoke". Its case does not
	// matter.
	Action string
	// Resource is the ARN of the action's resource, or "*" for an action without resources.
	Resource string
	// Context holds the condition keys of the request.
	Context Context
}

// Context holds the values of condition keys. A key that is absent, or has no
// value, is "not present in the request context". Keys are compared without
// regard to case, as IAM does.
type Context map[string][]string

// values returns all values of a key.
func (c Context) values(key string) []string {
	var values []string
	for k, v := range c {
		if strings.EqualFold(k, key) {
			values = append(values, v...)
		}
	}
	return values
}

// Effect is the result of an evaluation.
type Effect int

// These are the results of an evaluation. The zero value is the implicit deny.
const (
	ImplicitDeny Effect = iota // no statement applies
	Allow                      // a statement allows, and none denies
	ExplicitDeny               // a statement denies
)

// String returns the name of the effect.
func (e Effect) String() string {
	switch e {
	case Allow:
		return "allow"
	case ExplicitDeny:
		return "explicit deny"
	default:
		return "implicit deny"
	}
}

// Decision is the answer to a Request. The zero value denies.
type Decision struct {
	Effect Effect
	// Statement is the Sid of the deciding statement, or its place in its document, such as "#1". It is empty for an
	// implicit deny.
	Statement string
}

// Allowed reports whether the principal may take the action.
func (d Decision) Allowed() bool {
	return d.Effect == Allow
}

// Evaluate decides a request by all policies of an identity together: denied when a statement denies it, else allowed
// when one allows it, else denied.
//
// Source: IAM User Guide, "Policy evaluation logic", within a single account and
// with identity-based policies only.
func Evaluate(documents []Document, r Request) Decision {
	q := newQuestion(r)
	var decision Decision
	for _, d := range documents {
		for i := range d.statements {
			s := &d.statements[i]
			switch applies := s.match(q); {
			case s.deny && applies != no:
				return Decision{Effect: ExplicitDeny, Statement: s.name}
			case !s.deny && applies == yes && !decision.Allowed():
				decision = Decision{Effect: Allow, Statement: s.name}
			}
		}
	}
	return decision
}

// question is a Request prepared for comparison with many statements.
type question struct {
	action   string // in lower case
	resource arn
	isARN    bool
	context  Context
}

func newQuestion(r Request) question {
	q := question{action: strings.ToLower(r.Action), context: r.Context}
	var parts int
	q.resource, parts = parseARN(r.Resource)
	q.isARN = parts == len(q.resource)
	return q
}

// match reports whether the statement applies: all its parts must match.
func (s *statement) match(q question) truth {
	applies := s.actions.match(q.action).and(s.resources.match(q))
	if s.opaque {
		applies = applies.and(unknown)
	}
	for _, c := range s.conditions {
		if applies == no {
			return no
		}
		applies = applies.and(c.match(q.context))
	}
	return applies
}

// ConditionKeys returns the condition keys of the document, in lower case, sorted, each once. The builder of a Context
// can check that it supplies them all: a key that it never supplies counts as absent.
func (d Document) ConditionKeys() []string {
	var keys []string
	for _, s := range d.statements {
		for _, c := range s.conditions {
			keys = append(keys, strings.ToLower(c.key))
		}
	}
	slices.Sort(keys)
	return slices.Compact(keys)
}

// truth is a value of three-valued logic. A part that cannot be evaluated is unknown. An unknown never helps to allow
// and never prevents a deny.
type truth int

const (
	no truth = iota
	unknown
	yes
)

func truthOf(b bool) truth {
	if b {
		return yes
	}
	return no
}

func (t truth) and(u truth) truth { return min(t, u) }
func (t truth) or(u truth) truth  { return max(t, u) }
func (t truth) not() truth        { return yes - t }
