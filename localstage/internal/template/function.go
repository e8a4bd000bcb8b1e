package template

import (
	"time"

	"go.yaml.in/yaml/v3"
)

// maxEnvironment is the largest size of a function's variables together, in bytes.
//
// Source: Lambda developer guide, "Lambda quotas".
const maxEnvironment = 4096

// addFunction reads an AWS::Serverless::Function.
//
// Source: SAM developer guide, "AWS::Serverless::Function".
func (b *builder) addFunction(r *resource, p *reader) {
	// These properties say where and how AWS describes the function. The local stage runs functions as processes of
	// this machine's architecture.
	p.ignore("FunctionName", "Architectures", "Description", "Tags", "PropagateTags")
	f := Function{
		LogicalID:           r.logicalID,
		Handler:             p.needText("Handler"),
		Runtime:             p.needText("Runtime"),
		CodeURI:             p.needText("CodeUri"),
		BuildMethod:         b.buildMethod(r, p),
		Environment:         environment(p),
		Layers:              p.texts("Layers"),
		MemoryMB:            p.integer("MemorySize", 128, 128, 10240),
		Timeout:             time.Duration(p.integer("Timeout", 3, 1, 900)) * time.Second,
		ReservedConcurrency: p.integer("ReservedConcurrentExecutions", -1, 0, 1000),
		Role:                b.owner(typeRole, p, "Role"),
	}
	f.Name, f.ARN = b.nameAndARN(r, p)
	f.LogGroup = logGroup(p, f.Name)
	b.template.Functions = append(b.template.Functions, f)
	events := p.object("Events")
	for _, event := range events.value.fields {
		b.addScheduleEvent(f, event.name, events)
	}
}

// buildMethod returns the way in which `sam build` builds the function. The local stage calls the same make target.
func (b *builder) buildMethod(r *resource, p *reader) string {
	const path = "Metadata.BuildMethod"
	var node *yaml.Node
	for key, child := range members(r.metadata) {
		at := r.place.field("Metadata."+key.Value, child.Line)
		switch key.Value {
		case "BuildMethod":
			node = child
		case "cfn-lint": // settings of a linter
		default:
			p.fail(at, "is not supported by the local stage")
		}
	}
	if node == nil {
		p.fail(r.place.field(path, r.place.line),
			"is needed: the local stage builds functions with make targets, BuildMethod: makefile")
		return ""
	}
	if node.Value != "makefile" {
		p.fail(r.place.field(path, node.Line), "%q is not supported by the local stage, only makefile", node.Value)
	}
	return node.Value
}

func environment(p *reader) map[string]string {
	o := p.object("Environment")
	variables := o.textMap("Variables")
	size := 0
	for name, text := range variables {
		size += len(name) + len(text)
	}
	if size > maxEnvironment {
		o.fail(o.place("Variables"), "has %d bytes of names and values, and Lambda takes %d", size, maxEnvironment)
	}
	o.finish()
	return variables
}

// logGroup returns the name of the function's log group. Without one of its own Lambda makes /aws/lambda/<name>.
func logGroup(p *reader, functionName string) string {
	o := p.object("LoggingConfig")
	group := o.text("LogGroup", "/aws/lambda/"+functionName)
	o.finish()
	return group
}

// nameAndARN returns the name and ARN of a named resource.
func (b *builder) nameAndARN(r *resource, p *reader) (name, arn string) {
	name, err := b.name(r)
	if err == nil {
		arn, err = b.resourceARN(r)
	}
	if err != nil && *p.err == nil {
		*p.err = err
	}
	return name, arn
}

// owner returns the logical id of the resource of a type whose ARN the named property holds.
func (b *builder) owner(typ string, p *reader, property string) string {
	arn := p.needText(property)
	if id := b.byARN(typ, arn); id != "" {
		return id
	}
	p.fail(p.place(property), "%q is no %s of this template", arn, typ)
	return ""
}

// byARN returns the resource of a type with an ARN or, for a function, a name; "" when there is none.
func (b *builder) byARN(typ, arn string) string {
	for _, r := range b.order {
		if r.typ != typ {
			continue
		}
		name, err := b.name(r)
		if err != nil {
			continue
		}
		full, err := b.resourceARN(r)
		if err == nil && (full == arn || typ == typeFunction && name == arn) {
			return r.logicalID
		}
	}
	return ""
}
