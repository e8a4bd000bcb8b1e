package markers

import (
	"context"
	"fmt"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"

	"signedsocket/shared/dynamo"
)

// EraserAPI is the part of the DynamoDB client that an Eraser uses.
type EraserAPI interface {
	Query(context.Context, *dynamodb.QueryInput, ...func(*dynamodb.Options)) (*dynamodb.QueryOutput, error)
	DeleteItem(
		context.Context, *dynamodb.DeleteItemInput, ...func(*dynamodb.Options),
	) (*dynamodb.DeleteItemOutput, error)
}

// Eraser removes the markers of users, for the function erase. It is safe for concurrent use.
type Eraser struct {
	API   EraserAPI
	Table string
}

// Remove removes the markers of a user, or only counts them, and returns how many there were.
func (e Eraser) Remove(ctx context.Context, user string, count bool) (found int, err error) {
	pages := dynamodb.NewQueryPaginator(e.API, &dynamodb.QueryInput{
		TableName:                 aws.String(e.Table),
		KeyConditionExpression:    aws.String("pk = :pk"),
		ExpressionAttributeValues: dynamo.Item{":pk": key(user, "")["pk"]},
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
			if _, err := e.API.DeleteItem(ctx, &dynamodb.DeleteItemInput{TableName: &e.Table, Key: key}); err != nil {
				return found, fmt.Errorf("remove read marker: %w", err)
			}
		}
	}
	return found, nil
}
