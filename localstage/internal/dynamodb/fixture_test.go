package dynamodb

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	awsdynamodb "github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/aws/smithy-go"
)

// openEngine opens an engine of its own for a test; an empty path means a new file.
func openEngine(tb testing.TB, options Options) *Engine {
	tb.Helper()
	if options.Path == "" {
		options.Path = filepath.Join(tb.TempDir(), "dynamodb.db")
	}
	e, err := Open(options)
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() {
		if err := e.Close(); err != nil {
			tb.Error(err)
		}
	})
	return e
}

// serve puts an engine behind HTTP and returns its address.
func serve(tb testing.TB, handler http.Handler) string {
	tb.Helper()
	server := httptest.NewServer(handler)
	tb.Cleanup(server.Close)
	return server.URL
}

// newClient returns the client that the functions use, without its retries.
func newClient(endpoint string) *awsdynamodb.Client {
	return awsdynamodb.New(awsdynamodb.Options{
		Region:       "us-east-1",
		BaseEndpoint: aws.String(endpoint),
		Retryer:      aws.NopRetryer{},
		HTTPClient:   wholeAnswers{},
		Credentials: aws.CredentialsProviderFunc(func(context.Context) (aws.Credentials, error) {
			return aws.Credentials{AccessKeyID: "test", SecretAccessKey: "test"}, nil
		}),
	})
}

// wholeAnswers reads an answer to its end before the SDK has it. The SDK closes the request's body when it has the
// answer's head. Then net/http may take the request for failed, and cut the connection before the rest of the answer.
// See https://github.com/aws/aws-sdk-go-v2/issues/2737.
type wholeAnswers struct{}

func (wholeAnswers) Do(r *http.Request) (*http.Response, error) {
	response, err := http.DefaultClient.Do(r)
	if err != nil {
		return nil, err
	}
	body, err := io.ReadAll(response.Body)
	_ = response.Body.Close() // it has been read
	response.Body = io.NopCloser(bytes.NewReader(body))
	return response, err
}

// engineClient is a client of a new engine.
func engineClient(tb testing.TB) *awsdynamodb.Client {
	tb.Helper()
	return newClient(serve(tb, openEngine(tb, Options{})))
}

// makeTable makes a table with partition key pk of type S and, unless sortType is empty, sort key sk.
func makeTable(tb testing.TB, client *awsdynamodb.Client, name, sortType string) {
	tb.Helper()
	input := &awsdynamodb.CreateTableInput{
		TableName:   aws.String(name),
		BillingMode: types.BillingModePayPerRequest,
		KeySchema:   []types.KeySchemaElement{{AttributeName: aws.String("pk"), KeyType: types.KeyTypeHash}},
		AttributeDefinitions: []types.AttributeDefinition{
			{AttributeName: aws.String("pk"), AttributeType: types.ScalarAttributeTypeS},
		},
	}
	if sortType != "" {
		input.KeySchema = append(input.KeySchema,
			types.KeySchemaElement{AttributeName: aws.String("sk"), KeyType: types.KeyTypeRange})
		input.AttributeDefinitions = append(input.AttributeDefinitions,
			types.AttributeDefinition{
				AttributeName: aws.String("sk"), AttributeType: types.ScalarAttributeType(sortType),
			})
	}
	if _, err := client.CreateTable(tb.Context(), input); err != nil {
		tb.Fatal(err)
	}
	if err := awaitTable(tb.Context(), client, name); err != nil {
		tb.Fatal(err)
	}
}

// awaitTable waits until a table is active.
func awaitTable(ctx context.Context, client *awsdynamodb.Client, name string) error {
	waiter := awsdynamodb.NewTableExistsWaiter(client, func(o *awsdynamodb.TableExistsWaiterOptions) {
		// the default delays are for tables of the service
		o.MinDelay, o.MaxDelay = 10*time.Millisecond, 100*time.Millisecond
	})
	return waiter.Wait(ctx, &awsdynamodb.DescribeTableInput{TableName: &name}, 10*time.Second)
}

// code returns the error code of an answer, "" for success, and the error's text when there is no answer.
func code(err error) string {
	var api smithy.APIError
	switch {
	case err == nil:
		return ""
	case errors.As(err, &api):
		return api.ErrorCode()
	}
	return err.Error()
}

// The tests write attributes as Go values: string, int, []byte, bool, nil, l and m as themselves, num for a number as
// text, and the sets.
type (
	m     map[string]any
	l     []any
	num   string
	strs  []string
	nums  []string
	blobs [][]byte
)

func (a m) attributes() map[string]types.AttributeValue {
	if a == nil {
		return nil
	}
	attributes := map[string]types.AttributeValue{}
	for name, v := range a {
		attributes[name] = attribute(v)
	}
	return attributes
}

func attribute(v any) types.AttributeValue {
	switch v := v.(type) {
	case string:
		return &types.AttributeValueMemberS{Value: v}
	case int:
		return &types.AttributeValueMemberN{Value: fmt.Sprint(v)}
	case num:
		return &types.AttributeValueMemberN{Value: string(v)}
	case []byte:
		return &types.AttributeValueMemberB{Value: v}
	case bool:
		return &types.AttributeValueMemberBOOL{Value: v}
	case nil:
		return &types.AttributeValueMemberNULL{Value: true}
	case strs:
		return &types.AttributeValueMemberSS{Value: v}
	case nums:
		return &types.AttributeValueMemberNS{Value: v}
	case blobs:
		return &types.AttributeValueMemberBS{Value: v}
	case m:
		return &types.AttributeValueMemberM{Value: v.attributes()}
	case l:
		list := []types.AttributeValue{}
		for _, element := range v {
			list = append(list, attribute(element))
		}
		return &types.AttributeValueMemberL{Value: list}
	}
	panic(fmt.Sprintf("no attribute value for %T", v))
}

// show writes attributes as one line of text without pk. Equal attributes have the same text.
func show(attributes map[string]types.AttributeValue) string {
	if attributes == nil {
		return "none"
	}
	var members []string
	for name, v := range attributes {
		if name != "pk" {
			members = append(members, name+":"+showValue(v))
		}
	}
	slices.Sort(members)
	return "{" + strings.Join(members, " ") + "}"
}

func showValue(v types.AttributeValue) string {
	switch v := v.(type) {
	case *types.AttributeValueMemberS:
		return fmt.Sprintf("%q", v.Value)
	case *types.AttributeValueMemberN:
		return v.Value
	case *types.AttributeValueMemberB:
		return fmt.Sprintf("b%q", v.Value)
	case *types.AttributeValueMemberBOOL:
		return fmt.Sprint(v.Value)
	case *types.AttributeValueMemberNULL:
		return "null"
	case *types.AttributeValueMemberM:
		return show(v.Value)
	case *types.AttributeValueMemberSS:
		return showSet(v.Value)
	case *types.AttributeValueMemberNS:
		return showSet(v.Value)
	case *types.AttributeValueMemberBS:
		var members []string
		for _, member := range v.Value {
			members = append(members, string(member))
		}
		return showSet(members)
	case *types.AttributeValueMemberL:
		var elements []string
		for _, element := range v.Value {
			elements = append(elements, showValue(element))
		}
		return "[" + strings.Join(elements, " ") + "]"
	}
	return fmt.Sprintf("%T", v)
}

func showSet(members []string) string {
	return "<" + strings.Join(slices.Sorted(slices.Values(members)), " ") + ">"
}
