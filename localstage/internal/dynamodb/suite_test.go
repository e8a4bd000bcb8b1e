package dynamodb

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	awshttp "github.com/aws/aws-sdk-go-v2/aws/transport/http"
	awsdynamodb "github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
)

// The suite describes the behaviour of DynamoDB, through the client that the functions use. It runs against the
// built-in engine and against oracles, which are engines by other authors.

// suite returns all cases by name.
func suite() map[string]func(*fixture) {
	cases := map[string]func(*fixture){}
	for _, group := range []map[string]func(*fixture){
		typeCases, keyCases, conditionCases(), conditionErrorCases(), updateCases(), updateErrorCases(),
		returnCases(), projectionCases(), queryCases(), pagingCases, queryErrorCases(), transactCases, batchCases(),
		batchErrorCases(), tableCases,
	} {
		maps.Copy(cases, group)
	}
	return cases
}

// target is an engine under test.
type target struct {
	client *awsdynamodb.Client
	exact  bool              // compare messages, and take a crash for no refusal
	serial bool              // it does not survive parallel requests
	known  map[string]string // cases that the engine gets wrong, with the reason
}

// runSuite runs all cases. A case on the list of known differences must fail: once the engine passes it, the list must
// lose it.
func runSuite(t *testing.T, tg target) {
	for name, sortType := range map[string]string{"simple": "", "byS": "S", "byN": "N", "byB": "B"} {
		makeTable(t, tg.client, name, sortType)
	}
	cases := suite()
	for name := range tg.known {
		if cases[name] == nil {
			t.Errorf("the list of known differences names %q, which is no case", name)
		}
	}
	for name, run := range cases {
		t.Run(name, func(t *testing.T) {
			if !tg.serial {
				t.Parallel()
			}
			f := &fixture{ctx: t.Context(), target: tg, pk: name, table: "simple"}
			run(f)
			reason, known := tg.known[name]
			switch {
			case known && len(f.failures) == 0:
				t.Errorf("passes now; it was known to fail, because %s", reason)
			case known:
				t.Logf("known difference: %s", reason)
			case len(f.failures) > 0:
				t.Error(strings.Join(f.failures, "\n"))
			}
		})
	}
}

func TestEngine(t *testing.T) {
	t.Parallel()
	runSuite(t, target{client: engineClient(t), exact: true})
}

// fixture is the world of one case: the key pk of one item in one table, and calls that note errors.
type fixture struct {
	target
	ctx      context.Context
	pk       string
	table    string
	sk       any // sort key of the item, for tables that have one
	failures []string
}

// simple makes the table "simple", whose key is pk alone, and returns a fixture of it.
func simple(t *testing.T, client *awsdynamodb.Client) *fixture {
	t.Helper()
	makeTable(t, client, "simple", "")
	return &fixture{ctx: t.Context(), target: target{client: client}, table: "simple"}
}

func (f *fixture) failf(format string, args ...any) {
	f.failures = append(f.failures, fmt.Sprintf(format, args...))
}

// report fails the test with the noted errors.
func (f *fixture) report(t *testing.T) {
	t.Helper()
	for _, failure := range f.failures {
		t.Error(failure)
	}
}

// equal compares two texts.
func (f *fixture) equal(what, got, want string) {
	if got != want {
		f.failf("%s: got %s, want %s", what, got, want)
	}
}

// ok notes an error where none is expected.
func (f *fixture) ok(what string, err error) {
	if err != nil {
		f.failf("%s: %v", what, err)
	}
}

// refused notes an answer without the error code. It compares message only where messages count.
func (f *fixture) refused(what string, err error, want, message string) {
	switch {
	case !f.exact && crashed(err):
	case code(err) != want:
		f.failf("%s: got %q (%v), want %s", what, code(err), err, want)
	case f.exact && !strings.Contains(err.Error(), message):
		f.failf("%s: %v does not say %q", what, err, message)
	}
}

// crashed reports whether the answer is an internal error. Oracles answer it to many malformed expressions.
func crashed(err error) bool {
	var response *awshttp.ResponseError
	return errors.As(err, &response) && response.HTTPStatusCode() == http.StatusInternalServerError
}

// key returns the key of the case's item.
func (f *fixture) key() m {
	key := m{"pk": f.pk}
	if f.sk != nil {
		key["sk"] = f.sk
	}
	return key
}

// parameters are the parameters of all calls. An option sets one.
type parameters struct {
	names        map[string]string
	values       m
	condition    *string
	filter       *string
	projection   *string
	returnValues string
	onFailure    string
	limit        *int32
	descending   bool
	start        map[string]types.AttributeValue
	selects      types.Select
	capacity     types.ReturnConsumedCapacity
}

type option func(*parameters)

func options(list []option) *parameters {
	p := new(parameters)
	for _, o := range list {
		o(p)
	}
	return p
}

func values(v m) option            { return func(p *parameters) { p.values = v } }
func condIs(text string) option    { return func(p *parameters) { p.condition = &text } }
func filterIs(text string) option  { return func(p *parameters) { p.filter = &text } }
func project(text string) option   { return func(p *parameters) { p.projection = &text } }
func returning(what string) option { return func(p *parameters) { p.returnValues = what } }
func oldOnFailure() option         { return func(p *parameters) { p.onFailure = "ALL_OLD" } }
func limitTo(n int32) option       { return func(p *parameters) { p.limit = &n } }
func backwards() option            { return func(p *parameters) { p.descending = true } }
func counting() option             { return func(p *parameters) { p.selects = types.SelectCount } }
func consuming() option {
	return func(p *parameters) { p.capacity = types.ReturnConsumedCapacityTotal }
}

// names makes an option of pairs of placeholder and name.
func names(pairs ...string) option {
	return func(p *parameters) {
		p.names = map[string]string{}
		for pair := range slices.Chunk(pairs, 2) {
			p.names[pair[0]] = pair[1]
		}
	}
}

func startAfter(key map[string]types.AttributeValue) option {
	return func(p *parameters) { p.start = key }
}

// put writes the item with the given attributes beside its key.
func (f *fixture) put(attributes m, list ...option) (*awsdynamodb.PutItemOutput, error) {
	p := options(list)
	item := f.key()
	maps.Copy(item, attributes)
	return f.client.PutItem(f.ctx, &awsdynamodb.PutItemInput{
		TableName: &f.table, Item: item.attributes(), ConditionExpression: p.condition,
		ExpressionAttributeNames: p.names, ExpressionAttributeValues: p.values.attributes(),
		ReturnValues: types.ReturnValue(p.returnValues), ReturnConsumedCapacity: p.capacity,
		ReturnValuesOnConditionCheckFailure: types.ReturnValuesOnConditionCheckFailure(p.onFailure),
	})
}

// given writes the item for a case about something else.
func (f *fixture) given(attributes m) {
	_, err := f.put(attributes)
	f.ok("put", err)
}

func (f *fixture) update(expression string, list ...option) (*awsdynamodb.UpdateItemOutput, error) {
	p := options(list)
	input := &awsdynamodb.UpdateItemInput{
		TableName: &f.table, Key: f.key().attributes(), ConditionExpression: p.condition,
		ExpressionAttributeNames: p.names, ExpressionAttributeValues: p.values.attributes(),
		ReturnValues: types.ReturnValue(p.returnValues), ReturnConsumedCapacity: p.capacity,
		ReturnValuesOnConditionCheckFailure: types.ReturnValuesOnConditionCheckFailure(p.onFailure),
	}
	if expression != "" {
		input.UpdateExpression = &expression
	}
	return f.client.UpdateItem(f.ctx, input)
}

func (f *fixture) delete(list ...option) (*awsdynamodb.DeleteItemOutput, error) {
	p := options(list)
	return f.client.DeleteItem(f.ctx, &awsdynamodb.DeleteItemInput{
		TableName: &f.table, Key: f.key().attributes(), ConditionExpression: p.condition,
		ExpressionAttributeNames: p.names, ExpressionAttributeValues: p.values.attributes(),
		ReturnValues:                        types.ReturnValue(p.returnValues),
		ReturnValuesOnConditionCheckFailure: types.ReturnValuesOnConditionCheckFailure(p.onFailure),
	})
}

func (f *fixture) get(list ...option) (*awsdynamodb.GetItemOutput, error) {
	p := options(list)
	return f.client.GetItem(f.ctx, &awsdynamodb.GetItemInput{
		TableName: &f.table, Key: f.key().attributes(), ConsistentRead: aws.Bool(true),
		ProjectionExpression: p.projection, ExpressionAttributeNames: p.names, ReturnConsumedCapacity: p.capacity,
	})
}

// holds compares the stored item, without pk, with its text. "none" stands for no item.
func (f *fixture) holds(want string, list ...option) {
	output, err := f.get(list...)
	if err != nil {
		f.failf("get: %v", err)
		return
	}
	f.equal("item", show(output.Item), want)
}

func (f *fixture) query(condition string, list ...option) (*awsdynamodb.QueryOutput, error) {
	p := options(list)
	return f.client.Query(f.ctx, &awsdynamodb.QueryInput{
		TableName: &f.table, KeyConditionExpression: &condition, FilterExpression: p.filter,
		ProjectionExpression:     p.projection,
		ExpressionAttributeNames: p.names, ExpressionAttributeValues: p.values.attributes(), Limit: p.limit,
		ScanIndexForward: aws.Bool(!p.descending), ExclusiveStartKey: p.start, Select: p.selects,
		ConsistentRead:         aws.Bool(true),
		ReturnConsumedCapacity: p.capacity,
	})
}

// finds compares the sort keys that a query finds, in order.
func (f *fixture) finds(want, condition string, list ...option) *awsdynamodb.QueryOutput {
	output, err := f.query(condition, list...)
	if err != nil {
		f.failf("query %s: %v", condition, err)
		return new(awsdynamodb.QueryOutput)
	}
	f.equal("query "+condition, sortKeys(output.Items), want)
	return output
}

func sortKeys(items []map[string]types.AttributeValue) string {
	var keys []string
	for _, item := range items {
		keys = append(keys, showValue(item["sk"]))
	}
	return strings.Join(keys, " ")
}

func showAll(items []map[string]types.AttributeValue) string {
	all := ""
	for _, item := range items {
		all += show(item)
	}
	return all
}
