package clienttest

import (
	"bytes"
	"io"
	"net/http"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"

	"signedsocket/internal/stageclient"
)

// Table returns a client of the DynamoDB of a stage, with the [Keys] of a profile.
func Table(t testing.TB, c *stageclient.Client, profile string) *dynamodb.Client {
	t.Helper()
	return dynamodb.New(dynamodb.Options{
		Region: c.Outputs.Region, Credentials: Keys(t, c, profile),
		BaseEndpoint: aws.String(c.Outputs.Endpoint("dynamodb")), HTTPClient: wholeAnswers{},
	})
}

// wholeAnswers reads an answer to its end before the SDK gets it. The SDK closes the request's body after the head of
// the answer. net/http may take that for a failed request and cut the connection before the rest of the answer. See
// https://github.com/aws/aws-sdk-go-v2/issues/2737.
type wholeAnswers struct{}

// Do implements aws.HTTPClient.
func (wholeAnswers) Do(r *http.Request) (*http.Response, error) {
	response, err := http.DefaultClient.Do(r) //nolint:gosec // a developer names the stage
	if err != nil {
		return nil, err
	}
	body, err := io.ReadAll(response.Body)
	_ = response.Body.Close()
	if err != nil {
		return nil, err
	}
	response.Body = io.NopCloser(bytes.NewReader(body))
	return response, nil
}
