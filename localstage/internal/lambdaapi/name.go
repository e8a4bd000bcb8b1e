package lambdaapi

import (
	"cmp"
	"regexp"
)

// latest is the qualifier of the deployed code. A stage has no other version.
const latest = "$LATEST"

// namePattern is the API model's pattern of FunctionName, NamespacedFunctionName. It captures the partition, the
// Region, the account, the name and the qualifier. It matches partial ARNs and qualified names, too.
const namePattern = `(?:arn:(aws[a-zA-Z-]*):lambda:([a-z]{2}(?:-gov|-iso[a-z]?)?-[a-z]+-\d):(\d{12}):|` +
	`(?:([a-z]{2}(?:-gov|-iso[a-z]?)?-[a-z]+-\d):)?(?:(\d{12}):)?)` +
	`(?:function:)?([a-zA-Z0-9-_.]+)(?::(\$LATEST|[a-zA-Z0-9-_]+))?`

var nameExpression = regexp.MustCompile(`^` + namePattern + `$`)

// reference is the function that a request names, with its qualifier.
type reference struct {
	partition, region, account, name string
	qualifier                        string // empty: none given
}

// arn returns the ARN of the function itself.
func (r reference) arn() string {
	return "arn:" + r.partition + ":lambda:" + r.region + ":" + r.account + ":function:" + r.name
}

// qualifiedARN returns the ARN with the qualifier, for the evaluation of policies: a policy for the function alone does
// not allow a request with a qualifier.
// Source: Lambda developer guide, "Fine-tuning the Resources and Conditions
// sections of policies".
func (r reference) qualifiedARN() string {
	if r.qualifier == "" {
		return r.arn()
	}
	return r.arn() + ":" + r.qualifier
}

// resolve parses a function name, a partial or a full ARN, each with or without a qualifier, and the qualifier of the
// query. With an error it still returns a reference for the Authorizer: the signer is judged first, even when the name
// is invalid.
// Source: API model, Invoke; the messages as observed.
func (a *API) resolve(functionName, qualifier string) (reference, *apiError) {
	m := nameExpression.FindStringSubmatch(functionName)
	if m == nil {
		return reference{partition: "aws", region: a.region, account: a.account, name: functionName},
			validation(functionName, "functionName", "Member must satisfy regular expression pattern: "+namePattern)
	}
	ref := reference{
		partition: cmp.Or(m[1], "aws"),
		region:    cmp.Or(m[2], m[4], a.region),
		account:   cmp.Or(m[3], m[5], a.account),
		name:      m[6],
		qualifier: cmp.Or(m[7], qualifier),
	}
	if m[7] != "" && qualifier != "" && m[7] != qualifier {
		return ref,
			invalidParameter("The derived qualifier from the function name does not match the specified qualifier.")
	}
	return ref, nil
}

// find returns the function of ref.
// Source: observed; the answer for a missing version or alias is that for a missing function.
func (a *API) find(ref reference) (*Function, *apiError) {
	if ref.region != a.region {
		return nil,
			notFound("Functions from '" + ref.region + "' are not reachable in this region ('" + a.region + "')")
	}
	f := a.functions[ref.arn()]
	if f == nil || ref.qualifier != "" && ref.qualifier != latest {
		return nil, notFound("Function not found: " + ref.qualifiedARN())
	}
	return f, nil
}
