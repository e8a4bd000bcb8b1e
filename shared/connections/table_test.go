package connections

import (
	"context"
	"fmt"
	"maps"
	"net/http"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/google/go-cmp/cmp"

	"signedsocket/shared/dynamo"
	"signedsocket/shared/dynamo/dynamotest"
	"signedsocket/shared/userid"
)

// table is the two DynamoDB tables of one test.
type table struct {
	client     *dynamodb.Client
	name, bans string
}

func (tb table) tables() Tables { return Tables{Connections: tb.name, Bans: tb.bans} }

// newTable creates the tables, reached over the given transport.
func newTable(t *testing.T, transport http.RoundTripper) table {
	t.Helper()
	client := dynamotest.Client(transport)
	name, bans := dynamotest.CreateTable(t, client, "pk", "sk"), dynamotest.CreateTable(t, client, "id")
	return table{client: client, name: name, bans: bans}
}

// items returns all items of the connections table as "pk sk" → attribute → text of its value.
func (tb table) items(t *testing.T) map[string]map[string]string {
	t.Helper()
	return tb.scan(t, tb.name)
}

// ban returns the item of a user or a sign-in in the table Bans: attribute → text of its value.
func (tb table) ban(t *testing.T, id string) map[string]string {
	t.Helper()
	for _, item := range tb.scan(t, tb.bans) {
		if item["id"] == id {
			return item
		}
	}
	return nil
}

func (tb table) scan(t *testing.T, name string) map[string]map[string]string {
	t.Helper()
	pages := dynamodb.NewScanPaginator(tb.client, &dynamodb.ScanInput{TableName: &name})
	found := make(map[string]map[string]string)
	for pages.HasMorePages() {
		page, err := pages.NextPage(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		for _, item := range page.Items {
			plain := make(map[string]string)
			for name, value := range item {
				plain[name] = plainValue(value)
			}
			key := plain["pk"] + " " + plain["sk"] + plain["id"]
			delete(plain, "pk")
			delete(plain, "sk")
			found[key] = plain
		}
	}
	return found
}

func plainValue(value types.AttributeValue) string {
	switch value := value.(type) {
	case *types.AttributeValueMemberS:
		return value.Value
	case *types.AttributeValueMemberN:
		return value.Value
	case *types.AttributeValueMemberL:
		parts := make([]string, len(value.Value))
		for i, part := range value.Value {
			parts[i] = plainValue(part)
		}
		return "[" + strings.Join(parts, " ") + "]"
	case *types.AttributeValueMemberM:
		if value.Value["room"] == nil {
			return fmt.Sprint(len(value.Value), " attributes")
		}
		return "{" + plainValue(value.Value["room"]) + " " + plainValue(value.Value["shard"]) + "}"
	default:
		return fmt.Sprintf("%T", value)
	}
}

// set writes number attributes of an item directly, as an operator's tool would.
func (tb table) set(t *testing.T, key item, numbers map[string]int64) {
	t.Helper()
	for name, value := range numbers {
		_, err := tb.client.UpdateItem(t.Context(), &dynamodb.UpdateItemInput{
			TableName: &tb.name, Key: key, UpdateExpression: aws.String("SET #name = :value"),
			ExpressionAttributeNames:  map[string]string{"#name": name},
			ExpressionAttributeValues: item{":value": dynamo.Number(value)},
		})
		if err != nil {
			t.Fatal(err)
		}
	}
}

// remove removes one item behind the Store's back, as TTL does.
func (tb table) remove(t *testing.T, key item) {
	t.Helper()
	if _, err := tb.client.DeleteItem(t.Context(),
		&dynamodb.DeleteItemInput{TableName: &tb.name, Key: key}); err != nil {
		t.Fatal(err)
	}
}

// live returns the ids of a user's connections, or for userid.Pool those of all guests. It fails the test when the
// items break the invariant: CONN items, memberships, entries and count of a user agree with each other.
func (tb table) live(t *testing.T, subject string) map[string]bool {
	t.Helper()
	connections, memberships, entries := make(map[string]bool), make(map[string]bool), make(map[string]bool)
	items := tb.items(t)
	for key, attributes := range items {
		pk, sk, _ := strings.Cut(key, " ")
		switch {
		case strings.HasPrefix(pk, "CONN#") && userid.CountedAs(attributes["sub"]) == subject:
			connections[strings.TrimPrefix(pk, "CONN#")] = true
		case strings.HasPrefix(pk, "ROOM#") && userid.CountedAs(attributes["sub"]) == subject:
			memberships[sk] = true
		}
	}
	user := items["USER#"+subject+" USER"]
	for name := range user {
		if id, ok := strings.CutPrefix(name, entryPrefix); ok {
			entries[id] = true
		}
	}
	if !maps.Equal(connections, entries) || !maps.Equal(connections, memberships) {
		t.Errorf("of %s: connections %v, memberships %v, entries %v", subject, connections, memberships, entries)
	}
	if n := user["n"]; n != strconv.Itoa(len(connections)) && (n != "" || len(connections) > 0) {
		t.Errorf("%s counts %q connections, there are %d", subject, n, len(connections))
	}
	return connections
}

// counting is an API that counts the calls.
type counting struct {
	API
	calls atomic.Int32
}

func (c *counting) GetItem(
	ctx context.Context, in *dynamodb.GetItemInput, _ ...func(*dynamodb.Options),
) (*dynamodb.GetItemOutput, error) {
	c.calls.Add(1)
	return c.API.GetItem(ctx, in)
}

func (c *counting) UpdateItem(
	ctx context.Context, in *dynamodb.UpdateItemInput, _ ...func(*dynamodb.Options),
) (*dynamodb.UpdateItemOutput, error) {
	c.calls.Add(1)
	return c.API.UpdateItem(ctx, in)
}

func (c *counting) TransactGetItems(
	ctx context.Context, in *dynamodb.TransactGetItemsInput, _ ...func(*dynamodb.Options),
) (*dynamodb.TransactGetItemsOutput, error) {
	c.calls.Add(1)
	return c.API.TransactGetItems(ctx, in)
}

func (c *counting) Query(
	ctx context.Context, in *dynamodb.QueryInput, _ ...func(*dynamodb.Options),
) (*dynamodb.QueryOutput, error) {
	c.calls.Add(1)
	return c.API.Query(ctx, in)
}

func (c *counting) TransactWriteItems(
	ctx context.Context, in *dynamodb.TransactWriteItemsInput, _ ...func(*dynamodb.Options),
) (*dynamodb.TransactWriteItemsOutput, error) {
	c.calls.Add(1)
	return c.API.TransactWriteItems(ctx, in)
}

// expect fails the test when there were not exactly that many calls since the last time.
func (c *counting) expect(t *testing.T, what string, want int32) {
	t.Helper()
	if got := c.calls.Swap(0); got != want {
		t.Errorf("%s made %d calls, want %d", what, got, want)
	}
}

// same fails the test when got differs from want.
func same(t *testing.T, what string, want, got any) {
	t.Helper()
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("%s (-want +got):\n%s", what, diff)
	}
}
