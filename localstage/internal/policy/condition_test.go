package policy

import "testing"

const sourceCondition = `{"IpAddress":{"aws:SourceIp":["10.0.0.0/8","2001:db8::1"]}}`

// conditionCases are the cases of TestConditions.
var conditionCases = map[string]struct {
	condition string
	context   Context
	want      bool
}{
	"no condition":                 {`{}`, nil, true},
	"equal":                        {`{"StringEquals":{"k":"v"}}`, Context{"k": {"v"}}, true},
	"equal, key in another case":   {`{"StringEquals":{"AWS:Key":"v"}}`, Context{"aws:kEY": {"v"}}, true},
	"equal, value in another case": {`{"StringEquals":{"k":"V"}}`, Context{"k": {"v"}}, false},
	"equal, key absent":            {`{"StringEquals":{"k":"v"}}`, nil, false},
	"equal, no value":              {`{"StringEquals":{"k":"v"}}`, Context{"k": {}}, false},
	"equal knows no wildcard":      {`{"StringEquals":{"k":"*"}}`, Context{"k": {"v"}}, false},
	"one of several values":        {`{"StringEquals":{"k":["u","v"]}}`, Context{"k": {"v"}}, true},
	"none of no values":            {`{"StringEquals":{"k":[]}}`, Context{"k": {"v"}}, false},
	"several values, no qualifier": {`{"StringEquals":{"k":["u","v"]}}`, Context{"k": {"u", "v"}}, false},
	"two keys, both hold":          {`{"StringEquals":{"k":"v","l":"w"}}`, Context{"k": {"v"}, "l": {"w"}}, true},
	"two keys, one holds":          {`{"StringEquals":{"k":"v","l":"w"}}`, Context{"k": {"v"}, "l": {"x"}}, false},
	"two operators, one holds": {
		`{"StringEquals":{"k":"v"},"StringNotLike":{"k":"v*"}}`, Context{"k": {"v"}}, false,
	},
	"not equal":                    {`{"StringNotEquals":{"k":"u"}}`, Context{"k": {"v"}}, true},
	"not equal, one of the values": {`{"StringNotEquals":{"k":["u","v"]}}`, Context{"k": {"v"}}, false},
	"not equal, key absent":        {`{"StringNotEquals":{"k":"u"}}`, nil, true},
	"equal ignoring case":          {`{"StringEqualsIgnoreCase":{"k":"V"}}`, Context{"k": {"v"}}, true},
	"not equal ignoring case":      {`{"StringNotEqualsIgnoreCase":{"k":"V"}}`, Context{"k": {"v"}}, false},
	"like":                         {`{"StringLike":{"k":"CONN#?*"}}`, Context{"k": {"CONN#a"}}, true},
	"like, too short":              {`{"StringLike":{"k":"CONN#?*"}}`, Context{"k": {"CONN#"}}, false},
	"not like":                     {`{"StringNotLike":{"k":"CONN#*"}}`, Context{"k": {"USER#a"}}, true},
	"ARN like": {
		`{"ArnLike":{"k":"arn:aws:lambda:*:111122223333:function:*"}}`,
		Context{"k": {"arn:aws:lambda:us-east-1:111122223333:function:a:b"}},
		true,
	},
	"ARN equals takes wildcards": {
		`{"ArnEquals":{"k":"arn:aws:lambda:*:*:function:a"}}`,
		Context{"k": {"arn:aws:lambda:us-east-1:1:function:a"}},
		true,
	},
	"ARN like stays in its part": {
		`{"ArnLike":{"k":"arn:aws:lambda:*:function:a"}}`,
		Context{"k": {"arn:aws:lambda:us-east-1:1:function:a"}},
		false,
	},
	"ARN like, no ARN": {`{"ArnLike":{"k":"arn:aws:s3:::*"}}`, Context{"k": {"b"}}, false},
	"ARN not like": {
		`{"ArnNotLike":{"k":"arn:aws:s3:::a*"}}`, Context{"k": {"arn:aws:s3:::b"}}, true,
	},
	"ARN not equals, key absent":    {`{"ArnNotEquals":{"k":"arn:aws:s3:::a*"}}`, nil, true},
	"bool":                          {`{"Bool":{"k":"true"}}`, Context{"k": {"true"}}, true},
	"bool as JSON":                  {`{"Bool":{"k":false}}`, Context{"k": {"false"}}, true},
	"bool, key absent":              {`{"Bool":{"k":"false"}}`, nil, false},
	"null true, key absent":         {`{"Null":{"k":"true"}}`, nil, true},
	"null true, key present":        {`{"Null":{"k":"true"}}`, Context{"k": {"v"}}, false},
	"null false, key present":       {`{"Null":{"k":"false"}}`, Context{"k": {"v", "w"}}, true},
	"null false, key absent":        {`{"Null":{"k":false}}`, nil, false},
	"null false, key without value": {`{"Null":{"k":"false"}}`, Context{"k": nil}, false},
	"number equal":                  {`{"NumericEquals":{"k":10}}`, Context{"k": {"10.0"}}, true},
	"number not equal":              {`{"NumericNotEquals":{"k":10}}`, Context{"k": {"11"}}, true},
	"number less":                   {`{"NumericLessThan":{"k":10}}`, Context{"k": {"9"}}, true},
	"number less, but equal":        {`{"NumericLessThan":{"k":10}}`, Context{"k": {"10"}}, false},
	"number less or equal":          {`{"NumericLessThanEquals":{"k":"10"}}`, Context{"k": {"10"}}, true},
	"number greater":                {`{"NumericGreaterThan":{"k":"10"}}`, Context{"k": {"9"}}, false},
	"number greater or equal":       {`{"NumericGreaterThanEquals":{"k":"10"}}`, Context{"k": {"10"}}, true},
	"number wanted, text given":     {`{"NumericNotEquals":{"k":"10"}}`, Context{"k": {"ten"}}, false},
	"unknown numeric operator":      {`{"NumericLike":{"k":"10"}}`, Context{"k": {"10"}}, false},
	"date less": {
		`{"DateLessThan":{"k":"2026-11-22T06:00:00Z"}}`, Context{"k": {"2026-11-22T05:59:59Z"}}, true,
	},
	"date greater, in seconds":   {`{"DateGreaterThan":{"k":"1970-01-01T00:00:00Z"}}`, Context{"k": {"1"}}, true},
	"date of a day":              {`{"DateEquals":{"k":"2026-11-22"}}`, Context{"k": {"2026-11-22T00:00Z"}}, true},
	"date wanted, text given":    {`{"DateNotEquals":{"k":"2026-11-22"}}`, Context{"k": {"now"}}, false},
	"address in range":           {sourceCondition, Context{"aws:sourceip": {"10.1.2.3"}}, true},
	"address, mapped to IPv6":    {sourceCondition, Context{"aws:sourceip": {"::ffff:10.1.2.3"}}, true},
	"address, one":               {sourceCondition, Context{"aws:sourceip": {"2001:db8::1"}}, true},
	"address out of range":       {sourceCondition, Context{"aws:sourceip": {"127.0.0.1"}}, false},
	"address wanted, text given": {`{"NotIpAddress":{"k":"10.0.0.0/8"}}`, Context{"k": {"home"}}, false},
	"not address":                {`{"NotIpAddress":{"k":"10.0.0.0/8"}}`, Context{"k": {"127.0.0.1"}}, true},

	"if exists, absent":      {`{"StringEqualsIfExists":{"k":"v"}}`, nil, true},
	"if exists, matches":     {`{"StringEqualsIfExists":{"k":"v"}}`, Context{"k": {"v"}}, true},
	"if exists, differs":     {`{"StringEqualsIfExists":{"k":"v"}}`, Context{"k": {"w"}}, false},
	"any, if exists, absent": {`{"ForAnyValue:StringEqualsIfExists":{"k":"v"}}`, nil, true},
	"all: each matches": {
		`{"ForAllValues:StringLike":{"k":["CONN#*","USER#*"]}}`, Context{"k": {"CONN#1", "USER#a"}}, true,
	},
	"all: one does not match": {
		`{"ForAllValues:StringLike":{"k":["CONN#*"]}}`, Context{"k": {"CONN#1", "USER#a"}}, false,
	},
	"all: key absent": {`{"ForAllValues:StringLike":{"k":"CONN#*"}}`, nil, true},
	"all and not null: key absent": {
		`{"ForAllValues:StringLike":{"k":"CONN#*"},"Null":{"k":"false"}}`, nil, false,
	},
	"all and not null: key present": {
		`{"ForAllValues:StringLike":{"k":"CONN#*"},"Null":{"k":"false"}}`, Context{"k": {"CONN#1"}}, true,
	},
	"all not equal: one is equal": {
		`{"ForAllValues:StringNotEquals":{"k":"a"}}`, Context{"k": {"a", "b"}}, false,
	},
	"any: one matches": {
		`{"ForAnyValue:StringEquals":{"k":"TransactWriteItems"}}`, Context{"k": {"x", "TransactWriteItems"}}, true,
	},
	"any: none matches":          {`{"ForAnyValue:StringEquals":{"k":"v"}}`, Context{"k": {"x", "y"}}, false},
	"any: key absent":            {`{"ForAnyValue:StringEquals":{"k":"v"}}`, nil, false},
	"any not equal: key absent":  {`{"ForAnyValue:StringNotEquals":{"k":"v"}}`, nil, false},
	"any not equal: one differs": {`{"ForAnyValue:StringNotEquals":{"k":"a"}}`, Context{"k": {"a", "b"}}, true},
	"values of one key in two cases": {
		`{"ForAllValues:StringEquals":{"k":"a"}}`, Context{"k": {"a"}, "K": {"b"}}, false,
	},
}

func TestConditions(t *testing.T) {
	t.Parallel()
	for name, tt := range conditionCases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			d := mustParse(t,
				`{"Statement":{"Effect":"Allow","Action":"a:B","Resource":"*","Condition":`+tt.condition+`}}`)
			r := Request{Action: "a:B", Resource: tableARN, Context: tt.context}
			if got := Evaluate([]Document{d}, r).Allowed(); got != tt.want {
				t.Errorf("%s with %v: allowed %v, want %v", tt.condition, tt.context, got, tt.want)
			}
		})
	}
}

func TestDenyAppliesWhenAConditionCannotBeDecided(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		condition string
		context   Context
	}{
		"several values without a qualifier": {`{"StringEquals":{"k":"x"}}`, Context{"k": {"u", "v"}}},
		"a number that is none":              {`{"NumericEquals":{"k":"1"}}`, Context{"k": {"one"}}},
		"an address that is none":            {`{"IpAddress":{"k":"10.0.0.0/8"}}`, Context{"k": {"home"}}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			d := mustParse(t, `{"Statement":[{"Effect":"Allow","Action":"*","Resource":"*"},
				{"Effect":"Deny","Action":"a:B","Resource":"*","Condition":`+tt.condition+`}]}`)
			r := Request{Action: "a:B", Resource: tableARN, Context: tt.context}
			if got := Evaluate([]Document{d}, r).Effect; got != ExplicitDeny {
				t.Errorf("Evaluate = %v, want explicit deny", got)
			}
		})
	}
}
