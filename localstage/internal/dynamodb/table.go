package dynamodb

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"

	"go.etcd.io/bbolt"
)

// keyAttribute is one attribute of a table's primary key; the zero value is "none".
type keyAttribute struct {
	Name string
	Type string // "S", "N" or "B"
}

// table describes a table. The file keeps its exported fields. It never changes once requests can see it: a change
// makes a new one.
type table struct {
	Name         string
	ID           string // name of the bucket of its items, so that a new table of the same name never shows old ones
	PartitionKey keyAttribute
	SortKey      keyAttribute
	Created      int64 // milliseconds since 1970

	BillingMode         string
	ReadCapacityUnits   int64
	WriteCapacityUnits  int64
	TableClass          string
	DeletionProtection  bool
	Encryption          *encryption
	TimeToLiveAttribute string // empty: not enabled
}

func (t *table) keyAttributes() []keyAttribute {
	if t.SortKey.Name == "" {
		return []keyAttribute{t.PartitionKey}
	}
	return []keyAttribute{t.PartitionKey, t.SortKey}
}

func (t *table) isKey(name string) bool {
	return name == t.PartitionKey.Name || name == t.SortKey.Name && name != ""
}

// items returns the bucket of the table's items. It fails if the table was deleted after the request found it.
func (t *table) items(tx *bbolt.Tx) (*bbolt.Bucket, error) {
	if bucket := tx.Bucket([]byte(t.ID)); bucket != nil {
		return bucket, nil
	}
	return nil, tableNotFound()
}

// table returns the named table.
func (e *Engine) table(name string) (*table, error) {
	if err := checkTableName(name); err != nil {
		return nil, err
	}
	e.mu.RLock()
	defer e.mu.RUnlock()
	if t := e.tables[name]; t != nil {
		return t, nil
	}
	return nil, tableNotFound()
}

func (e *Engine) tableNames() []string {
	e.mu.RLock()
	defer e.mu.RUnlock()
	return slices.Sorted(maps.Keys(e.tables))
}

// checkTableName refuses a text that cannot be a table's name. It does not support ARNs, which the service takes, too.
// Source: DynamoDB developer guide, "Supported data types and naming rules".
func checkTableName(name string) error {
	if len(name) < 3 || len(name) > 255 {
		return invalid("TableName must be at least 3 characters long and at most 255 characters long")
	}
	for _, r := range name {
		switch {
		case 'a' <= r && r <= 'z', 'A' <= r && r <= 'Z', '0' <= r && r <= '9', r == '_', r == '-', r == '.':
		default:
			return invalid("Invalid table/index name. Table/index names must be between 3 and 255 characters long, " +
				"and may contain only the characters a-z, A-Z, 0-9, '_', '-', and '.'")
		}
	}
	return nil
}

// loadTables reads every table's description.
func loadTables(tx *bbolt.Tx) (map[string]*table, error) {
	tables := map[string]*table{}
	err := tx.Bucket(tablesBucket).ForEach(func(name, _ []byte) error {
		t, err := loadTable(tx, string(name))
		tables[string(name)] = t
		return err
	})
	return tables, err
}

// loadTable returns a table's description as the transaction sees it.
func loadTable(tx *bbolt.Tx, name string) (*table, error) {
	record := tx.Bucket(tablesBucket).Get([]byte(name))
	if record == nil {
		return nil, tableNotFound()
	}
	t := new(table)
	if err := json.Unmarshal(record, t); err != nil {
		return nil, fmt.Errorf("table %s: %w", name, err)
	}
	return t, nil
}

func (t *table) save(tx *bbolt.Tx) error {
	record, err := json.Marshal(t)
	if err != nil {
		return fmt.Errorf("encode table %s: %w", t.Name, err)
	}
	return tx.Bucket(tablesBucket).Put([]byte(t.Name), record)
}
