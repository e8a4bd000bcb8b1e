// Command counter keeps counters: add posts the new total to the connection, total returns it, and several sets many at
// once.
package main

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"os"

	"github.com/aws/aws-lambda-go/events"
	"github.com/aws/aws-lambda-go/lambda"
	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/config"
	"github.com/aws/aws-sdk-go-v2/service/apigatewaymanagementapi"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
)

func main() {
	loaded, err := config.LoadDefaultConfig(context.Background())
	if err != nil {
		panic(err)
	}
	lambda.Start(counter{
		table: dynamodb.NewFromConfig(loaded),
		back: apigatewaymanagementapi.NewFromConfig(loaded, func(o *apigatewaymanagementapi.Options) {
			o.BaseEndpoint = aws.String(os.Getenv("CALLBACK_URL"))
		}),
	}.handle)
}

type counter struct {
	table *dynamodb.Client
	back  *apigatewaymanagementapi.Client
}

func (c counter) handle(
	ctx context.Context, event events.APIGatewayWebsocketProxyRequest,
) (events.APIGatewayProxyResponse, error) {
	var message struct {
		Counter  string
		Counters []string
		By       int
	}
	if err := json.Unmarshal([]byte(event.Body), &message); err != nil {
		return events.APIGatewayProxyResponse{}, fmt.Errorf("decode message: %w", err)
	}
	if event.RequestContext.RouteKey == "several" {
		answer, err := c.set(ctx, message.Counters, message.By)
		return events.APIGatewayProxyResponse{StatusCode: http.StatusOK, Body: answer}, err
	}
	total, err := c.add(ctx, message.Counter, message.By)
	if err != nil {
		return events.APIGatewayProxyResponse{}, err
	}
	answer := event.StageVariables["greeting"] + ": " + message.Counter + " is " + total
	if event.RequestContext.RouteKey == "total" {
		return events.APIGatewayProxyResponse{StatusCode: http.StatusOK, Body: answer}, nil
	}
	_, err = c.back.PostToConnection(ctx, &apigatewaymanagementapi.PostToConnectionInput{
		ConnectionId: aws.String(event.RequestContext.ConnectionID), Data: []byte(answer),
	})
	return events.APIGatewayProxyResponse{StatusCode: http.StatusOK, Body: "not sent to the client"}, err
}

// add changes a counter and returns its new value.
func (c counter) add(ctx context.Context, name string, by int) (string, error) {
	out, err := c.table.UpdateItem(ctx, &dynamodb.UpdateItemInput{
		TableName: aws.String(os.Getenv("TABLE")),
		Key:       map[string]types.AttributeValue{"counter": &types.AttributeValueMemberS{Value: name}},

		UpdateExpression:         aws.String("ADD #total :by"),
		ExpressionAttributeNames: map[string]string{"#total": "total"},
		ExpressionAttributeValues: map[string]types.AttributeValue{
			":by": &types.AttributeValueMemberN{Value: fmt.Sprint(by)},
		},
		ReturnValues: types.ReturnValueUpdatedNew,
	})
	if err != nil {
		return "", fmt.Errorf("add: %w", err)
	}
	total, ok := out.Attributes["total"].(*types.AttributeValueMemberN)
	if !ok {
		return "", fmt.Errorf("the table answered %v", out.Attributes)
	}
	return total.Value, nil
}
