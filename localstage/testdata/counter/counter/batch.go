package main

import (
	"context"
	"fmt"
	"os"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
)

// set sets counters and returns all of them as the table has them. DynamoDB may process batches in parts.
func (c counter) set(ctx context.Context, names []string, to int) (string, error) {
	table := os.Getenv("TABLE")
	var writes []types.WriteRequest
	var reads types.KeysAndAttributes
	for _, name := range names {
		key := &types.AttributeValueMemberS{Value: name}
		item := map[string]types.AttributeValue{
			"counter": key, "total": &types.AttributeValueMemberN{Value: fmt.Sprint(to)},
		}
		writes = append(writes, types.WriteRequest{PutRequest: &types.PutRequest{Item: item}})
		reads.Keys = append(reads.Keys, map[string]types.AttributeValue{"counter": key})
	}
	for left := map[string][]types.WriteRequest{table: writes}; len(left) > 0; {
		out, err := c.table.BatchWriteItem(ctx, &dynamodb.BatchWriteItemInput{RequestItems: left})
		if err != nil {
			return "", fmt.Errorf("write: %w", err)
		}
		left = out.UnprocessedItems
	}
	var found []string
	for left := map[string]types.KeysAndAttributes{table: reads}; len(left) > 0; {
		out, err := c.table.BatchGetItem(ctx, &dynamodb.BatchGetItemInput{RequestItems: left})
		if err != nil {
			return "", fmt.Errorf("read: %w", err)
		}
		for _, item := range out.Responses[table] {
			found = append(found, fmt.Sprint(text(item["counter"]), " is ", text(item["total"])))
		}
		left = out.UnprocessedKeys
	}
	slices.Sort(found)
	return strings.Join(found, ", "), nil
}

func text(v types.AttributeValue) string {
	switch v := v.(type) {
	case *types.AttributeValueMemberS:
		return v.Value
	case *types.AttributeValueMemberN:
		return v.Value
	}
	return fmt.Sprintf("%T", v)
}
