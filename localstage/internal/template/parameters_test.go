package template

import "testing"

const parameterTemplate = `
Parameters:
  Free: {Type: String, Default: ""}
  Needed: {Type: String}
  Mode: {Type: String, Default: a, AllowedValues: [a, b]}
  Issuer: {Type: String, Default: "", AllowedPattern: '^$|^https://\S+$', ConstraintDescription: "an https:// address."}
  Count: {Type: Number, Default: 5, MinValue: 1, MaxValue: 10}
  Short: {Type: String, Default: abc, MinLength: 2, MaxLength: 4}
  List: {Type: CommaDelimitedList, Default: "x, y", AllowedPattern: "[a-z]"}
Rules:
  BNeedsIssuer:
    RuleCondition: !Contains [[b], !Ref Mode]
    Assertions:
      - {Assert: !Not [!Equals [!Ref Issuer, ""]], AssertDescription: mode b needs an issuer}
Resources:
  Logs: {Type: AWS::Logs::LogGroup}
Outputs:
  Issuer: {Value: !Ref Issuer}
  List: {Value: !Join ["|", !Ref List]}
`

// parameterCases are the cases of TestParameters.
var parameterCases = map[string]struct {
	given, defaults map[string]string
	want            string
}{
	"all there": {given: map[string]string{"Needed": "n"}},
	"one without a value": {
		want: "template.yaml:4: Parameters.Needed: has no default: give it a value with --param Needed=VALUE",
	},
	"the stage supplies it": {defaults: map[string]string{"Needed": "n"}},
	"unknown": {
		given: map[string]string{"Typo": "n"},
		want:  "Parameters.Typo: the template has no such parameter; it has Count, Free",
	},
	"the stage's unknown": {
		given:    map[string]string{"Needed": "n"},
		defaults: map[string]string{"Later": "x"},
	},
	"not an allowed value": {
		given: map[string]string{"Needed": "n", "Mode": "c"},
		want:  `Parameters.Mode: "c" does not meet AllowedValues a, b`,
	},
	"not the pattern": {
		given: map[string]string{"Needed": "n", "Issuer": "http://x"},
		want:  `"http://x" does not meet AllowedPattern: must be an https:// address`,
	},
	"pattern in a longer value": {
		given: map[string]string{"Needed": "n", "List": "ab"},
		want:  `"ab" does not meet AllowedPattern`,
	},
	"the stage's own is exempt": {
		given:    map[string]string{"Needed": "n"},
		defaults: map[string]string{"Issuer": "http://127.0.0.1:3003"},
	},
	"the stage's own has bounds": {
		given:    map[string]string{"Needed": "n"},
		defaults: map[string]string{"Count": "11"},
		want:     "does not meet MaxValue 10",
	},
	"no number": {
		given: map[string]string{"Needed": "n", "Count": "many"},
		want:  `Parameters.Count: "many" does not meet Type Number`,
	},
	"a hexadecimal number": {
		given: map[string]string{"Needed": "n", "Count": "0x5p0"},
		want:  `"0x5p0" does not meet Type Number`,
	},
	"a number without end": {
		given: map[string]string{"Needed": "n", "Count": "Inf"},
		want:  `"Inf" does not meet Type Number`,
	},
	"a fraction": {given: map[string]string{"Needed": "n", "Count": "5.5e0"}},
	"too small": {
		given: map[string]string{"Needed": "n", "Count": "0"},
		want:  "does not meet MinValue 1",
	},
	"too short": {
		given: map[string]string{"Needed": "n", "Short": "é"},
		want:  "does not meet MinLength 2",
	},
	"too long": {
		given: map[string]string{"Needed": "n", "Short": "abcde"},
		want:  "does not meet MaxLength 4",
	},
	"list with a wrong element": {
		given: map[string]string{"Needed": "n", "List": "x,7"},
		want:  `"7" does not meet AllowedPattern`,
	},
	"rule that does not hold": {
		given: map[string]string{"Needed": "n", "Mode": "b"},
		want:  "template.yaml:11: Rules.BNeedsIssuer: mode b needs an issuer",
	},
	"rule that holds": {given: map[string]string{"Needed": "n", "Mode": "b", "Issuer": "https://x"}},
	"given goes before the stage's": {
		given:    map[string]string{"Needed": "n", "Issuer": "https://x"},
		defaults: map[string]string{"Issuer": "no"},
	},
}

func TestParameters(t *testing.T) {
	t.Parallel()
	tests := parameterCases
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			o := testOptions()
			o.Parameters, o.Defaults = test.given, test.defaults
			loaded, err := loadText(parameterTemplate, o)
			checkError(t, err, test.want)
			if issuer := test.given["Issuer"]; err == nil && issuer != "" && loaded.Outputs["Issuer"] != issuer {
				t.Errorf("Issuer is %q, want the given %q", loaded.Outputs["Issuer"], issuer)
			}
			if err == nil && loaded.Outputs["List"] != "x|y" {
				t.Errorf("List is %q, want its elements without space around them", loaded.Outputs["List"])
			}
		})
	}
}

func TestParameterDeclarationErrors(t *testing.T) {
	t.Parallel()
	tests := map[string]struct{ declaration, want string }{
		"type": {
			"{Type: AWS::SSM::Parameter::Value<String>}",
			`parameter type "AWS::SSM::Parameter::Value<String>" is not supported`,
		},
		"property":   {"{Type: String, Default: a, Regex: b}", "P Regex: is not supported by the local stage"},
		"form":       {"{Type: String, AllowedValues: a}", "AllowedValues: has the wrong form"},
		"pattern":    {`{Type: String, Default: a, AllowedPattern: "(?=a)"}`, "pattern is not supported"},
		"bound":      {"{Type: Number, Default: 1, MinValue: low}", `"low" is not a number`},
		"no mapping": {"text", "a parameter is a mapping with a Type"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			text := "Parameters:\n  P: " + test.declaration + "\nResources:\n  Logs: {Type: AWS::Logs::LogGroup}\n"
			_, err := loadText(text, testOptions())
			checkError(t, err, test.want)
		})
	}
}
