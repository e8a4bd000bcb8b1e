package template

import "encoding/json"

// createTable is the body of a CreateTable request.
//
// Source: Amazon DynamoDB API reference, "CreateTable".
type createTable struct {
	TableName            string
	AttributeDefinitions []attributeDefinition
	KeySchema            []keyElement
	BillingMode          string
}

type attributeDefinition struct{ AttributeName, AttributeType string }

type keyElement struct{ AttributeName, KeyType string }

// addTable reads an AWS::DynamoDB::Table.
//
// Source: CloudFormation template reference, "AWS::DynamoDB::Table".
func (b *builder) addTable(r *resource, p *reader) {
	// These properties say how AWS keeps the table. No request shows them.
	p.ignore("TableName", "SSESpecification", "PointInTimeRecoverySpecification", "DeletionProtectionEnabled",
		"TableClass", "Tags")
	t := Table{LogicalID: r.logicalID, TTLAttribute: ttlAttribute(p)}
	t.Name, t.ARN = b.nameAndARN(r, p)
	p.need("BillingMode")
	request := createTable{TableName: t.Name, BillingMode: p.oneOf("BillingMode", "PAY_PER_REQUEST")}
	for _, a := range p.objects("AttributeDefinitions") {
		definition := attributeDefinition{a.needText("AttributeName"), a.needText("AttributeType")}
		request.AttributeDefinitions = append(request.AttributeDefinitions, definition)
		a.finish()
	}
	p.need("KeySchema")
	for _, k := range p.objects("KeySchema") {
		request.KeySchema = append(request.KeySchema, keyElement{k.needText("AttributeName"), k.needText("KeyType")})
		k.finish()
	}
	t.CreateTable, _ = json.Marshal(request) // a struct of strings always marshals
	b.template.Tables = append(b.template.Tables, t)
}

// ttlAttribute returns the attribute with the expiry of an item, or "" when items do not expire.
func ttlAttribute(p *reader) string {
	ttl := p.object("TimeToLiveSpecification")
	name, enabled := ttl.text("AttributeName", ""), ttl.flag("Enabled")
	ttl.finish()
	if !enabled {
		return ""
	}
	return name
}
