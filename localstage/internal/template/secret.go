package template

import "strings"

// addSecret reads an AWS::SecretsManager::Secret, whose value Secrets Manager makes.
//
// Source: CloudFormation template reference, "AWS::SecretsManager::Secret".
func (b *builder) addSecret(r *resource, p *reader) {
	p.ignore("Name", "Description", "Tags", "KmsKeyId")
	p.need("GenerateSecretString")
	g := p.object("GenerateSecretString")
	secret := Secret{
		LogicalID:          r.logicalID,
		Length:             g.integer("PasswordLength", 32, 1, 4096),
		ExcludePunctuation: g.flag("ExcludePunctuation"),
	}
	g.finish()
	_, secret.ARN = b.nameAndARN(r, p)
	b.template.Secrets = append(b.template.Secrets, secret)
}

// SecretReference returns the dynamic reference that stands for the value of a secret. CloudFormation resolves it
// everywhere, a local stage in a function's variables.
//
// Source: CloudFormation user guide, "Get a secret or secret value from Secrets Manager".
func (s Secret) SecretReference() string { return "{{resolve:secretsmanager:" + s.ARN + "}}" }

// checkDynamicReferences refuses dynamic references in v, the resolved properties of a resource, except for those to
// secrets of this template in a function's variables. CloudFormation would resolve them; here they would stay text.
func (b *builder) checkDynamicReferences(r *resource, v value, at place) error {
	switch v.kind {
	case scalar:
		if !strings.Contains(v.text, "{{resolve:") || r.typ == typeFunction && b.isVariable(at) && b.isSecret(v.text) {
			return nil
		}
		return at.errorf("dynamic references are supported by the local stage as the whole value of a function's " +
			"variable, and for secrets of this template only")
	case object:
		for _, f := range v.fields {
			if err := b.checkDynamicReferences(r, f.value, at.field(f.name, f.value.line)); err != nil {
				return err
			}
		}
	case list:
		for i, item := range v.items {
			if err := b.checkDynamicReferences(r, item, at.item(i, item.line)); err != nil {
				return err
			}
		}
	}
	return nil
}

func (b *builder) isVariable(at place) bool {
	return strings.HasPrefix(at.property, "Properties.Environment.Variables.")
}

// isSecret reports whether text is the dynamic reference to a secret of the stack.
func (b *builder) isSecret(text string) bool {
	for _, r := range b.order {
		if r.typ != typeSecret {
			continue
		}
		if arn, err := b.resourceARN(r); err == nil && text == (Secret{ARN: arn}).SecretReference() {
			return true
		}
	}
	return false
}
