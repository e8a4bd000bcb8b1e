package dynamodb

import (
	"fmt"
	"slices"
	"strings"

	awsdynamodb "github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
)

// transaction writes one to three different items of one partition.
func (d *drawing) transaction() operation {
	o := operation{what: "transaction"}
	pk := d.of("p", "q")
	var items []types.TransactWriteItem
	for _, i := range d.Perm(4)[:1+d.IntN(3)] {
		d.values = m{}
		key := [2]string{pk, string(rune('a' + i))}
		what, item := d.transactItem(key)
		o.what += "; " + what
		o.keys, items = append(o.keys, key), append(items, item)
	}
	o.run = func(f *fixture) string {
		err := f.transact(items...)
		if code(err) == "TransactionCanceledException" {
			return reasons(err)
		}
		return outcome(err, func() string { return "done" })
	}
	return o
}

func (d *drawing) transactItem(key [2]string) (string, types.TransactWriteItem) {
	at := m{"pk": key[0], "sk": key[1]}.attributes()
	table := "random"
	onFailure := types.ReturnValuesOnConditionCheckFailure(d.of("ALL_OLD", "NONE"))
	condition := func() *string {
		if d.chance(40) {
			return nil
		}
		return optional(d.condition())
	}
	valuesOf := func() map[string]types.AttributeValue {
		if len(d.values) == 0 {
			return nil
		}
		return d.values.attributes()
	}
	switch d.IntN(4) {
	case 0:
		item, c := d.item(), condition()
		item["pk"], item["sk"] = key[0], key[1]
		return fmt.Sprint("put ", show(item.attributes()), text(c), show(valuesOf())),
			types.TransactWriteItem{Put: &types.Put{TableName: &table, Item: item.attributes(),
				ConditionExpression: c, ExpressionAttributeValues: valuesOf(),
				ReturnValuesOnConditionCheckFailure: onFailure}}
	case 1:
		c := condition()
		return fmt.Sprint("delete ", key, text(c), show(valuesOf())),
			types.TransactWriteItem{Delete: &types.Delete{TableName: &table, Key: at,
				ConditionExpression: c, ExpressionAttributeValues: valuesOf(),
				ReturnValuesOnConditionCheckFailure: onFailure}}
	case 2:
		c := optional(d.condition())
		return fmt.Sprint("check ", key, text(c), show(valuesOf())),
			types.TransactWriteItem{ConditionCheck: &types.ConditionCheck{TableName: &table, Key: at,
				ConditionExpression: c, ExpressionAttributeValues: valuesOf(),
				ReturnValuesOnConditionCheckFailure: onFailure}}
	default:
		u, c := d.update(), condition()
		return fmt.Sprint("update ", key, " ", u, text(c), show(valuesOf())),
			types.TransactWriteItem{Update: &types.Update{TableName: &table, Key: at, UpdateExpression: &u,
				ConditionExpression: c, ExpressionAttributeValues: valuesOf(),
				ReturnValuesOnConditionCheckFailure: onFailure}}
	}
}

func text(condition *string) string {
	if condition == nil {
		return " "
	}
	return " if " + *condition + " "
}

// transactionRead reads two items, one of them in parts.
func (d *drawing) transactionRead() operation {
	table, projected := "random", d.projection()
	first, second := m{"pk": "p", "sk": d.of("a", "b")}, m{"pk": "q", "sk": d.of("a", "b", "c")}
	return operation{what: fmt.Sprint("transaction reads ", first, second, " project ", projected),
		run: func(f *fixture) string {
			output, err := f.client.TransactGetItems(f.ctx,
				&awsdynamodb.TransactGetItemsInput{TransactItems: []types.TransactGetItem{
					{Get: &types.Get{TableName: &table, Key: first.attributes()}},
					{Get: &types.Get{TableName: &table, Key: second.attributes(), ProjectionExpression: &projected}},
				}})
			return outcome(err, func() string {
				var got []string
				for _, response := range output.Responses {
					got = append(got, show(response.Item))
				}
				return strings.Join(got, " ")
			})
		}}
}

// batch puts or deletes one to three different items of one partition.
func (d *drawing) batch() operation {
	o := operation{what: "batch"}
	pk := d.of("p", "q")
	var writes []types.WriteRequest
	for _, i := range d.Perm(4)[:1+d.IntN(3)] {
		key := [2]string{pk, string(rune('a' + i))}
		o.keys = append(o.keys, key)
		item := d.item()
		item["pk"], item["sk"] = key[0], key[1]
		if d.chance(40) {
			o.what += fmt.Sprint("; delete ", key)
			writes = append(writes, types.WriteRequest{
				DeleteRequest: &types.DeleteRequest{Key: m{"pk": key[0], "sk": key[1]}.attributes()},
			})
			continue
		}
		o.what += "; put " + show(item.attributes())
		writes = append(writes, types.WriteRequest{PutRequest: &types.PutRequest{Item: item.attributes()}})
	}
	o.run = func(f *fixture) string {
		output, err := f.client.BatchWriteItem(f.ctx,
			&awsdynamodb.BatchWriteItemInput{RequestItems: map[string][]types.WriteRequest{"random": writes}})
		return outcome(err, func() string { return fmt.Sprint(len(output.UnprocessedItems), " left") })
	}
	return o
}

// batchRead reads two items, in any order.
func (d *drawing) batchRead() operation {
	first, second := m{"pk": "p", "sk": d.of("a", "b")}, m{"pk": "q", "sk": d.of("a", "b", "c")}
	projected := d.projection()
	return operation{what: fmt.Sprint("batch reads ", first, second, " project ", projected),
		run: func(f *fixture) string {
			output, err := f.client.BatchGetItem(f.ctx,
				&awsdynamodb.BatchGetItemInput{RequestItems: map[string]types.KeysAndAttributes{
					"random": {
						Keys: []map[string]types.AttributeValue{
							first.attributes(), second.attributes(),
						},
						ProjectionExpression: &projected,
					},
				}})
			return outcome(err, func() string { return sortedItems(output.Responses["random"]) })
		}}
}

// sortedItems writes items in the order of their text.
func sortedItems(items []map[string]types.AttributeValue) string {
	var texts []string
	for _, item := range items {
		texts = append(texts, fmt.Sprint(item["pk"] != nil, show(item)))
	}
	slices.Sort(texts)
	return strings.Join(texts, " ")
}
