package dynamodb

import (
	"maps"
	"slices"
	"strconv"
)

// Sizes of capacity units in bytes. Source: DynamoDB developer guide, "DynamoDB throughput capacity" and "Managing
// complex workflows with DynamoDB transactions" for the factor 2.
const (
	readUnit  = 4096
	writeUnit = 1024

	eventualFactor      = 0.5
	consistentFactor    = 1
	transactionalFactor = 2
)

// capacity counts the capacity units that requests would consume, by table.
type capacity map[string]float64

func (c capacity) add(table string, bytes, unit int, factor float64) {
	c[table] += factor * float64(max(1, (bytes+unit-1)/unit))
}

// readFactor is the cost of a read of the given consistency.
func readFactor(consistent bool) float64 {
	if consistent {
		return consistentFactor
	}
	return eventualFactor
}

// one appends the member for a request on a single table, if the request asks for it.
func (c capacity) one(a *answer, wanted string) {
	for table := range c {
		if reported(wanted) {
			a.raw("ConsumedCapacity", c.entry(table, wanted))
		}
	}
}

// list appends the member for a request on several tables, if the request asks for it.
func (c capacity) list(a *answer, wanted string) {
	if !reported(wanted) {
		return
	}
	a.member("ConsumedCapacity")
	a.body = append(a.body, '[')
	for i, table := range slices.Sorted(maps.Keys(c)) {
		if i > 0 {
			a.body = append(a.body, ',')
		}
		a.body = append(a.body, c.entry(table, wanted)...)
	}
	a.body = append(a.body, ']')
}

func reported(wanted string) bool { return wanted == "TOTAL" || wanted == "INDEXES" }

func (c capacity) entry(table, wanted string) []byte {
	units := strconv.AppendFloat(nil, c[table], 'f', -1, 64)
	var a answer
	a.text("TableName", table)
	a.raw("CapacityUnits", units)
	if wanted == "INDEXES" {
		var ofTable answer
		ofTable.raw("CapacityUnits", units)
		a.raw("Table", ofTable.done())
	}
	return a.done()
}
