package main

import (
	"context"
	"fmt"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"

	"signedsocket/shared/dynamo"
)

// markerAPI is the part of the DynamoDB client that markers uses.
type markerAPI interface {
	Query(context.Context, *dynamodb.QueryInput, ...func(*dynamodb.Options)) (*dynamodb.QueryOutput, error)
	DeleteItem(
		context.Context, *dynamodb.DeleteItemInput, ...func(*dynamodb.Options),
	) (*dynamodb.DeleteItemOutput, error)
}

// markers has the READ items of the table: a user has one for each room.
type markers struct {
	api   markerAPI
	table string
}

// Remove removes the markers of a user, or only counts them, and returns how many there were.
func (m markers) Remove(ctx context.Context, subject string, count bool) (found int, err error) {
	pages := dynamodb.NewQueryPaginator(m.api, &dynamodb.QueryInput{
		TableName:                 aws.String(m.table),
		KeyConditionExpression:    aws.String("pk = :pk"),
		ExpressionAttributeValues: dynamo.Item{":pk": dynamo.Text("READ#" + subject)},
		ProjectionExpression:      aws.String("pk, sk"),
		ConsistentRead:            aws.Bool(true),
	})
	for pages.HasMorePages() {
		page, err := pages.NextPage(ctx)
		if err != nil {
			return found, fmt.Errorf("list read markers: %w", err)
		}
		found += len(page.Items)
		for _, key := range page.Items {
			if count { // mutate:erase-count-markers
				break
			}
			if _, err := m.api.DeleteItem(ctx, &dynamodb.DeleteItemInput{TableName: &m.table, Key: key}); err != nil {
				return found, fmt.Errorf("remove read marker: %w", err)
			}
		}
	}
	return found, nil
}
