// Command lobby admits clients with a name, and answers on a route that has no route response.
package main

import (
	"context"
	"net/http"

	"github.com/aws/aws-lambda-go/events"
	"github.com/aws/aws-lambda-go/lambda"
)

func main() { lambda.Start(handle) }

func handle(_ context.Context, event events.APIGatewayWebsocketProxyRequest) (events.APIGatewayProxyResponse, error) {
	switch event.RequestContext.RouteKey {
	case "$connect":
		if event.QueryStringParameters["name"] == "" {
			return events.APIGatewayProxyResponse{StatusCode: http.StatusBadRequest}, nil
		}
	case "$default":
		return events.APIGatewayProxyResponse{StatusCode: http.StatusOK, Body: "not sent to the client"}, nil
	}
	return events.APIGatewayProxyResponse{StatusCode: http.StatusOK}, nil
}
