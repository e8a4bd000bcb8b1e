package dynamodb

import (
	"fmt"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	awsdynamodb "github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
)

// The writes of a batch, for the fixture's key with a suffix.

func (f *fixture) batchPut(suffix string, attributes m) types.WriteRequest {
	item := attributes.attributes()
	item["pk"] = f.suffixed(suffix)["pk"]
	return types.WriteRequest{PutRequest: &types.PutRequest{Item: item}}
}

func (f *fixture) batchDelete(suffix string) types.WriteRequest {
	return types.WriteRequest{DeleteRequest: &types.DeleteRequest{Key: f.suffixed(suffix)}}
}

func (f *fixture) writeBatch(writes ...types.WriteRequest) (*awsdynamodb.BatchWriteItemOutput, error) {
	return f.client.BatchWriteItem(f.ctx, &awsdynamodb.BatchWriteItemInput{
		RequestItems:           map[string][]types.WriteRequest{f.table: writes},
		ReturnConsumedCapacity: types.ReturnConsumedCapacityTotal,
	})
}

func (f *fixture) readBatch(suffixes []string, list ...option) (*awsdynamodb.BatchGetItemOutput, error) {
	p := options(list)
	of := types.KeysAndAttributes{
		ConsistentRead: aws.Bool(true), ProjectionExpression: p.projection, ExpressionAttributeNames: p.names,
	}
	for _, suffix := range suffixes {
		of.Keys = append(of.Keys, f.suffixed(suffix))
	}
	return f.client.BatchGetItem(f.ctx, &awsdynamodb.BatchGetItemInput{
		RequestItems:           map[string]types.KeysAndAttributes{f.table: of},
		ReturnConsumedCapacity: types.ReturnConsumedCapacityTotal,
	})
}

// The order of a batch's items is not promised, so they are compared without it.
func (f *fixture) findsInBatch(suffixes []string, want string, list ...option) *awsdynamodb.BatchGetItemOutput {
	output, err := f.readBatch(suffixes, list...)
	if err != nil {
		f.failf("read batch: %v", err)
		return new(awsdynamodb.BatchGetItemOutput)
	}
	var found []string
	for _, item := range output.Responses[f.table] {
		found = append(found, show(item))
	}
	slices.Sort(found)
	f.equal("batch", strings.Join(found, " "), want)
	return output
}

func suffixes(n int) []string {
	var list []string
	for i := range n {
		list = append(list, fmt.Sprint("-", i))
	}
	return list
}

func batchCases() map[string]func(*fixture) {
	return map[string]func(*fixture){
		"batches/writes and reads": func(f *fixture) {
			_, err := f.writeBatch(f.batchPut("-d", m{"n": 9}))
			f.ok("setup", err)
			written, err := f.writeBatch(f.batchPut("-a", m{"n": 1}), f.batchPut("-b", m{"n": 2}), f.batchDelete("-d"),
				f.batchDelete("-nowhere"))
			f.ok("write", err)
			if err == nil && len(written.UnprocessedItems) != 0 {
				f.failf("unprocessed: %v", written.UnprocessedItems)
			}
			read := f.findsInBatch([]string{"-a", "-b", "-d", "-nowhere"}, "{n:1} {n:2}")
			if len(read.UnprocessedKeys) != 0 {
				f.failf("unprocessed: %v", read.UnprocessedKeys)
			}
		},
		"batches/a put replaces the item": func(f *fixture) {
			f.given(m{"n": 1, "old": true})
			_, err := f.writeBatch(f.batchPut("", m{"n": 2}))
			f.ok("write", err)
			f.holds("{n:2}")
		},
		"batches/a projection holds for all keys": func(f *fixture) {
			_, err := f.writeBatch(f.batchPut("-a", m{"n": 1, "x": "y"}), f.batchPut("-b", m{"x": "z"}))
			f.ok("write", err)
			f.findsInBatch([]string{"-a", "-b"}, "{n:1} {}", project("#n"), names("#n", "n"))
		},
		"batches/a table without items is in the answer": func(f *fixture) {
			read := f.findsInBatch([]string{"-nowhere"}, "")
			if _, ok := read.Responses[f.table]; !ok {
				f.failf("the answer has no member for the table")
			}
		},
		"batches/cost as much as their items": func(f *fixture) {
			written, err := f.writeBatch(f.batchPut("-a", m{"x": strings.Repeat("x", 1500)}), f.batchDelete("-nowhere"))
			f.ok("write", err)
			if err == nil {
				f.equal("written", fmt.Sprint(aws.ToFloat64(written.ConsumedCapacity[0].CapacityUnits)), "3")
			}
			read := f.findsInBatch([]string{"-nowhere", "-nowhere-else"}, "")
			if len(read.ConsumedCapacity) == 1 {
				f.equal("read", fmt.Sprint(aws.ToFloat64(read.ConsumedCapacity[0].CapacityUnits)), "2")
			}
		},
	}
}

func batchErrorCases() map[string]func(*fixture) {
	const duplicates = "Provided list of item keys contains duplicates"
	return map[string]func(*fixture){
		"refused batches/one item twice": func(f *fixture) {
			_, err := f.writeBatch(f.batchPut("", m{"n": 1}), f.batchDelete(""))
			f.refused("write", err, "ValidationException", duplicates)
			f.holds("none")
			_, err = f.readBatch([]string{"-a", "-a"})
			f.refused("read", err, "ValidationException", duplicates)
		},
		"refused batches/too many items": func(f *fixture) {
			var writes []types.WriteRequest
			for _, suffix := range suffixes(26) {
				writes = append(writes, f.batchDelete(suffix))
			}
			_, err := f.writeBatch(writes...)
			f.refused("write", err, "ValidationException", "Too many items requested for the BatchWriteItem call")
			_, err = f.readBatch(suffixes(101))
			f.refused("read", err, "ValidationException", "Too many items requested for the BatchGetItem call")
			_, err = f.writeBatch(writes[:25]...)
			f.ok("25 writes", err)
			_, err = f.readBatch(suffixes(100))
			f.ok("100 reads", err)
		},
		"refused batches/both put and delete": func(f *fixture) {
			both := f.batchPut("", m{"n": 1})
			both.DeleteRequest = f.batchDelete("").DeleteRequest
			_, err := f.writeBatch(both)
			f.refused("write", err, "ValidationException", "more than one")
			f.holds("none")
		},
		"refused batches/neither put nor delete": func(f *fixture) {
			_, err := f.writeBatch(types.WriteRequest{})
			f.refused("write", err, "ValidationException", "is empty")
		},
		"refused batches/a wrong key refuses all": func(f *fixture) {
			wrong := f.batchDelete("-b")
			wrong.DeleteRequest.Key["more"] = attribute("x")
			_, err := f.writeBatch(f.batchPut("", m{"n": 1}), wrong)
			f.refused("write", err, "ValidationException", "does not match the schema")
			f.holds("none")
		},
		"refused batches/a table that is not there": func(f *fixture) {
			_, err := f.client.BatchGetItem(f.ctx,
				&awsdynamodb.BatchGetItemInput{RequestItems: map[string]types.KeysAndAttributes{
					"nowhere": {Keys: []map[string]types.AttributeValue{f.suffixed("")}},
				}})
			f.refused("read", err, "ResourceNotFoundException", "not found")
		},
	}
}
