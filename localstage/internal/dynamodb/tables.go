package dynamodb

import (
	"cmp"
	"crypto/rand"
	"fmt"
	"slices"
	"time"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
	"go.etcd.io/bbolt"
)

// createTableRequest holds the properties that a table may have here. Indexes, streams, tags and the like are refused
// by name.
type createTableRequest struct {
	TableName                 string
	AttributeDefinitions      []attributeDefinition
	KeySchema                 []keySchemaElement
	BillingMode               string
	ProvisionedThroughput     *throughput
	TableClass                string
	DeletionProtectionEnabled bool
	SSESpecification          *encryption      // kept and described; the file is not encrypted
	StreamSpecification       *streamSettings  // accepted only as "no stream"
	GlobalSecondaryIndexes    []jsontext.Value // accepted only when empty, as the next
	LocalSecondaryIndexes     []jsontext.Value
}

type attributeDefinition struct {
	AttributeName string
	AttributeType string
}

type keySchemaElement struct {
	AttributeName string
	KeyType       string // HASH or RANGE
}

type throughput struct {
	ReadCapacityUnits  int64
	WriteCapacityUnits int64
}

type streamSettings struct {
	StreamEnabled  bool
	StreamViewType string
}

// encryption is a table's SSESpecification.
type encryption struct {
	Enabled        bool
	SSEType        string
	KMSMasterKeyID string `json:"KMSMasterKeyId"`
}

type tableRequest struct {
	TableName string
}

type listTablesRequest struct {
	ExclusiveStartTableName string
	Limit                   *int
}

// maxTableNames is the largest and the default page of ListTables. Source: ListTables of the API reference.
const maxTableNames = 100

func (e *Engine) createTable(request *createTableRequest) ([]byte, error) {
	t, err := request.table()
	if err != nil {
		return nil, err
	}
	t.ID, t.Created = rand.Text(), e.clock.Now().UnixMilli()
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.tables[t.Name] != nil {
		return nil, refused("ResourceInUseException", "Table already exists: %s", t.Name)
	}
	err = e.db.Update(func(tx *bbolt.Tx) error {
		if _, err := tx.CreateBucket([]byte(t.ID)); err != nil {
			return fmt.Errorf("create table %s: %w", t.Name, err)
		}
		return t.save(tx)
	})
	if err != nil {
		return nil, err
	}
	e.tables[t.Name] = t
	return json.Marshal(map[string]any{"TableDescription": e.describe(t, "ACTIVE", 0, 0)})
}

// table checks the request and returns its table.
func (r *createTableRequest) table() (*table, error) {
	if err := checkTableName(r.TableName); err != nil {
		return nil, err
	}
	switch {
	case len(r.GlobalSecondaryIndexes) > 0:
		return nil, unsupported("the parameter GlobalSecondaryIndexes")
	case len(r.LocalSecondaryIndexes) > 0:
		return nil, unsupported("the parameter LocalSecondaryIndexes")
	case r.StreamSpecification != nil && r.StreamSpecification.StreamEnabled:
		return nil, unsupported("the parameter StreamSpecification")
	}
	t := &table{
		Name:               r.TableName,
		TableClass:         r.TableClass,
		DeletionProtection: r.DeletionProtectionEnabled,
		Encryption:         r.SSESpecification,
	}
	if err := oneOf("tableClass", r.TableClass, "STANDARD", "STANDARD_INFREQUENT_ACCESS"); err != nil {
		return nil, err
	}
	if err := r.billing(t); err != nil {
		return nil, err
	}
	return t, r.key(t)
}

func (r *createTableRequest) billing(t *table) error {
	if err := oneOf("billingMode", r.BillingMode, "PROVISIONED", "PAY_PER_REQUEST"); err != nil {
		return err
	}
	t.BillingMode = cmp.Or(r.BillingMode, "PROVISIONED")
	provisioned := t.BillingMode == "PROVISIONED"
	if provisioned != (r.ProvisionedThroughput != nil) {
		return invalid("One or more parameter values were invalid: ReadCapacityUnits and WriteCapacityUnits must be " +
			"specified when BillingMode is PROVISIONED, and only then")
	}
	if provisioned {
		t.ReadCapacityUnits = r.ProvisionedThroughput.ReadCapacityUnits
		t.WriteCapacityUnits = r.ProvisionedThroughput.WriteCapacityUnits
		if t.ReadCapacityUnits < 1 || t.WriteCapacityUnits < 1 {
			return invalid("1 validation error detected: Value at 'provisionedThroughput' failed to satisfy " +
				"constraint: Member must have value greater than or equal to 1")
		}
	}
	return nil
}

// key returns the key of schema and definitions, which must name the same attributes.
func (r *createTableRequest) key(t *table) error {
	if len(r.KeySchema) < 1 || len(r.KeySchema) > 2 {
		return invalid("1 validation error detected: Value at 'keySchema' failed to satisfy constraint: Member must " +
			"have length 1 or 2")
	}
	types := map[string]string{}
	for _, definition := range r.AttributeDefinitions {
		if !slices.Contains([]string{"S", "N", "B"}, definition.AttributeType) {
			return invalid("1 validation error detected: Value '%s' at 'attributeDefinitions.member.attributeType' "+
				"failed to satisfy constraint: Member must satisfy enum value set: [B, N, S]", definition.AttributeType)
		}
		types[definition.AttributeName] = definition.AttributeType
	}
	attributes := make([]keyAttribute, len(r.KeySchema))
	for i, element := range r.KeySchema {
		if element.KeyType != []string{"HASH", "RANGE"}[i] {
			return invalid("Invalid KeySchema: The first KeySchemaElement must be a HASH key type, the second a " +
				"RANGE key type")
		}
		if name := element.AttributeName; types[name] == "" || len(name) > 255 {
			return invalid("One or more parameter values were invalid: Some index key attributes are not defined in "+
				"AttributeDefinitions. Keys: [%s]", name)
		}
		attributes[i] = keyAttribute{element.AttributeName, types[element.AttributeName]}
	}
	if len(types) != len(r.KeySchema) || len(r.AttributeDefinitions) != len(types) {
		return invalid("One or more parameter values were invalid: Number of attributes in KeySchema does not " +
			"exactly match number of attributes defined in AttributeDefinitions")
	}
	t.PartitionKey = attributes[0]
	if len(attributes) > 1 {
		t.SortKey = attributes[1]
	}
	return nil
}

func (e *Engine) describeTable(request *tableRequest) ([]byte, error) {
	t, err := e.table(request.TableName)
	if err != nil {
		return nil, err
	}
	count, size := 0, 0
	err = e.db.View(func(tx *bbolt.Tx) error {
		items, err := t.items(tx)
		if err != nil {
			return err
		}
		return items.ForEach(func(_, stored []byte) error {
			count++
			size += storedItem(stored).size()
			return nil
		})
	})
	if err != nil {
		return nil, err
	}
	return json.Marshal(map[string]any{"Table": e.describe(t, "ACTIVE", count, size)})
}

func (e *Engine) listTables(request *listTablesRequest) ([]byte, error) {
	limit := maxTableNames
	if request.Limit != nil {
		limit = *request.Limit
	}
	if limit < 1 || limit > maxTableNames {
		return nil, invalid("1 validation error detected: Value '%d' at 'limit' failed to satisfy constraint: Member "+
			"must have value between 1 and %d", limit, maxTableNames)
	}
	names := e.tableNames()
	start, found := slices.BinarySearch(names, request.ExclusiveStartTableName)
	if found {
		start++
	}
	response := struct {
		TableNames             []string
		LastEvaluatedTableName string `json:",omitzero"`
	}{TableNames: names[start:]}
	if len(response.TableNames) > limit {
		response.TableNames = response.TableNames[:limit]
		response.LastEvaluatedTableName = response.TableNames[limit-1]
	}
	return json.Marshal(response)
}

func (e *Engine) deleteTable(request *tableRequest) ([]byte, error) {
	t, err := e.table(request.TableName)
	if err != nil {
		return nil, err
	}
	if t.DeletionProtection {
		return nil, invalid("Resource cannot be deleted as it is currently protected against deletion. Disable " +
			"deletion protection first.")
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	err = e.db.Update(func(tx *bbolt.Tx) error {
		if _, err := t.items(tx); err != nil {
			return err
		}
		if err := tx.DeleteBucket([]byte(t.ID)); err != nil {
			return fmt.Errorf("delete table %s: %w", t.Name, err)
		}
		return tx.Bucket(tablesBucket).Delete([]byte(t.Name))
	})
	if err != nil {
		return nil, err
	}
	delete(e.tables, t.Name)
	return json.Marshal(map[string]any{"TableDescription": e.describe(t, "DELETING", 0, 0)})
}

// describe returns a TableDescription. A table is ACTIVE at once, because nothing has to be prepared.
func (e *Engine) describe(t *table, status string, count, size int) map[string]any {
	description := map[string]any{
		"TableName":        t.Name,
		"TableId":          t.ID,
		"TableArn":         e.arnPrefix + t.Name,
		"TableStatus":      status,
		"CreationDateTime": time.UnixMilli(t.Created).Unix(),
		"ItemCount":        count,
		"TableSizeBytes":   size,
		"ProvisionedThroughput": map[string]int64{
			"ReadCapacityUnits": t.ReadCapacityUnits, "WriteCapacityUnits": t.WriteCapacityUnits,
			"NumberOfDecreasesToday": 0,
		},
		"DeletionProtectionEnabled": t.DeletionProtection,
	}
	var schema []keySchemaElement
	var definitions []attributeDefinition
	for i, attribute := range t.keyAttributes() {
		schema = append(schema, keySchemaElement{attribute.Name, []string{"HASH", "RANGE"}[i]})
		definitions = append(definitions, attributeDefinition{attribute.Name, attribute.Type})
	}
	description["KeySchema"], description["AttributeDefinitions"] = schema, definitions
	if t.BillingMode == "PAY_PER_REQUEST" {
		description["BillingModeSummary"] = map[string]any{"BillingMode": t.BillingMode}
	}
	if t.TableClass != "" {
		description["TableClassSummary"] = map[string]any{"TableClass": t.TableClass}
	}
	if t.Encryption != nil && t.Encryption.Enabled {
		kind := cmp.Or(t.Encryption.SSEType, "KMS")
		description["SSEDescription"] = map[string]any{"Status": "ENABLED", "SSEType": kind}
	}
	return description
}
