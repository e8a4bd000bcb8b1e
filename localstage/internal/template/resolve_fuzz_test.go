package template

import (
	"fmt"
	"strings"
	"testing"
)

// grown is an expression in a template's text, with its value.
type grown struct{ text, want string }

// grower grows expressions from bytes: each byte is a decision. It knows the value of each expression, which makes it a
// second resolver, without a parser.
type grower struct{ decisions []byte }

func (g *grower) decide(n int) int {
	if len(g.decisions) == 0 {
		return 0 // every choice below makes an end of 0
	}
	decision := int(g.decisions[0])
	g.decisions = g.decisions[1:]
	return decision % n
}

func (g *grower) literal() grown {
	texts := []string{"", "a", "b c", "x-1", "it's", "${", "10", "true", "#", "é"}
	text := texts[g.decide(len(texts))]
	return grown{"'" + strings.ReplaceAll(text, "'", "''") + "'", text}
}

func (g *grower) name() grown {
	return []grown{
		{"Stage", "prod"}, {"Count", "3"}, {"AWS::Region", "us-east-1"}, {"AWS::AccountId", "111122223333"},
		{"Named", "/aws/local/x"},
		{"Named.Arn", "arn:aws:logs:us-east-1:111122223333:log-group:/aws/local/x:*"},
	}[g.decide(6)]
}

// value grows an expression that gives a single value.
func (g *grower) value(depth int) grown {
	if depth == 0 {
		return g.literal()
	}
	switch g.decide(7) {
	case 1:
		return g.reference()
	case 2:
		return g.sub(depth - 1)
	case 3:
		delimiter, list := g.literal(), g.list(depth-1)
		return grown{"!Join [" + delimiter.text + ", " + textOf(list) + "]", strings.Join(wantOf(list), delimiter.want)}
	case 4:
		list := g.list(depth - 1)
		i := g.decide(len(list))
		return grown{fmt.Sprintf("!Select [%d, %s]", i, textOf(list)), list[i].want}
	case 5:
		a, b := g.value(depth-1), g.value(depth-1)
		name, want := []string{"Yes", "No", "Both", "Either"}[g.decide(4)], b.want
		if name == "Yes" || name == "Either" {
			want = a.want
		}
		return grown{"!If [" + name + ", " + a.text + ", " + b.text + "]", want}
	case 6:
		a, b := g.value(depth-1), g.value(depth-1)
		if strings.Contains(a.want+b.want, "|") {
			return a
		}
		return grown{"!Select [1, !Split ['|', !Join ['|', [" + a.text + ", " + b.text + "]]]]", b.want}
	}
	return g.literal()
}

func (g *grower) reference() grown {
	name := g.name()
	if logicalID, attribute, ok := strings.Cut(name.text, "."); ok {
		return grown{"!GetAtt " + logicalID + "." + attribute, name.want}
	}
	return grown{"!Ref " + name.text, name.want}
}

// list grows one to three values.
func (g *grower) list(depth int) []grown {
	var list []grown
	for range 1 + g.decide(3) {
		list = append(list, g.value(depth))
	}
	return list
}

func textOf(list []grown) string {
	var texts []string
	for _, element := range list {
		texts = append(texts, element.text)
	}
	return "[" + strings.Join(texts, ", ") + "]"
}

func wantOf(list []grown) []string {
	var values []string
	for _, element := range list {
		values = append(values, element.want)
	}
	return values
}

// sub grows a text with names, one of them its own.
func (g *grower) sub(depth int) grown {
	own := g.value(depth)
	var text, want strings.Builder
	for range 1 + g.decide(4) {
		switch g.decide(4) {
		case 0:
			text.WriteString("<$>")
			want.WriteString("<$>")
		case 1:
			name := g.name()
			text.WriteString("${" + name.text + "}")
			want.WriteString(name.want)
		case 2:
			text.WriteString("${!Stage}")
			want.WriteString("${Stage}")
		case 3:
			text.WriteString("${Own}")
			want.WriteString(own.want)
		}
	}
	return grown{"!Sub ['" + text.String() + "', {Own: " + own.text + "}]", want.String()}
}

// FuzzResolve compares the resolver with one that knows the value beforehand.
func FuzzResolve(f *testing.F) {
	for _, seed := range []string{
		"", "\x01\x05", "\x02\x01\x02\x03\x01\x02\x03\x02\x00", "\x03\x04\x02\x01\x01\x02\x06\x03",
		"\x05\x01\x00\x04\x02\x01\x01", "\x06\x05\x02\x03\x01\x01\x04\x01\x02\x02\x03",
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, decisions []byte) {
		expression := (&grower{decisions}).value(4)
		loaded, err := loadText(resources+expression.text+"}\n", testOptions())
		if err != nil {
			t.Fatalf("%s: %v", expression.text, err)
		}
		if got := loaded.Outputs["Out"]; got != expression.want {
			t.Errorf("%s gives %q, want %q", expression.text, got, expression.want)
		}
	})
}
