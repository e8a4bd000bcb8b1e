package template

// addRole reads an AWS::IAM::Role. Its trust policy has no effect on a local stage, which runs each function as the
// role that the template names. Managed policies are refused, because the stage does not have their text. A permissions
// boundary, whose text is missing, too, is ignored: it can only take permissions away.
//
// Source: CloudFormation template reference, "AWS::IAM::Role".
func (b *builder) addRole(r *resource, p *reader) {
	p.ignore("RoleName", "AssumeRolePolicyDocument", "Description", "MaxSessionDuration", "PermissionsBoundary", "Tags")
	role := Role{LogicalID: r.logicalID, RoleID: "AROA" + b.id(r.logicalID, upperAlphanumeric, 17)}
	role.Name, role.ARN = b.nameAndARN(r, p)
	for _, policy := range p.objects("Policies") {
		policy.ignore("PolicyName")
		role.Policies = append(role.Policies, policy.document("PolicyDocument"))
		policy.finish()
	}
	b.template.Roles = append(b.template.Roles, role)
}

// addPermission reads an AWS::Lambda::Permission.
//
// Source: CloudFormation template reference, "AWS::Lambda::Permission".
func (b *builder) addPermission(_ *resource, p *reader) {
	p.need("Action")
	p.oneOf("Action", "lambda:InvokeFunction")
	b.template.Permissions = append(b.template.Permissions, Permission{
		Function:  b.owner(typeFunction, p, "FunctionName"),
		Principal: p.needText("Principal"),
		SourceARN: p.text("SourceArn", ""),
	})
}
