package dynamodb

import (
	"errors"
	"fmt"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	awsdynamodb "github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
)

func putInput(table string, item m) *awsdynamodb.PutItemInput {
	return &awsdynamodb.PutItemInput{TableName: &table, Item: item.attributes()}
}

func getInput(table string, key m) *awsdynamodb.GetItemInput {
	return &awsdynamodb.GetItemInput{TableName: &table, Key: key.attributes(), ConsistentRead: aws.Bool(true)}
}

// failedItem returns the item that a ConditionalCheckFailedException carries.
func failedItem(err error) string {
	var failed *types.ConditionalCheckFailedException
	if !errors.As(err, &failed) {
		return fmt.Sprint(err)
	}
	return show(failed.Item)
}

// reasons returns the codes of a TransactionCanceledException with the items that they carry.
func reasons(err error) string {
	var canceled *types.TransactionCanceledException
	if !errors.As(err, &canceled) {
		return fmt.Sprint(err)
	}
	var codes []string
	for _, reason := range canceled.CancellationReasons {
		text := aws.ToString(reason.Code)
		if reason.Item != nil {
			text += show(reason.Item)
		}
		codes = append(codes, text)
	}
	return strings.Join(codes, " ")
}

// The items of a transaction, for the fixture's key with a suffix.

func (f *fixture) suffixed(suffix string) map[string]types.AttributeValue {
	return m{"pk": f.pk + suffix}.attributes()
}

func (f *fixture) txPut(suffix string, attributes m, condition string) types.TransactWriteItem {
	item := attributes.attributes()
	item["pk"] = f.suffixed(suffix)["pk"]
	return types.TransactWriteItem{
		Put: &types.Put{TableName: &f.table, Item: item, ConditionExpression: optional(condition)},
	}
}

func (f *fixture) txUpdate(suffix, expression, condition string, v m) types.TransactWriteItem {
	return types.TransactWriteItem{Update: &types.Update{TableName: &f.table, Key: f.suffixed(suffix),
		UpdateExpression:    &expression,
		ConditionExpression: optional(condition), ExpressionAttributeValues: v.attributes(),
		ReturnValuesOnConditionCheckFailure: types.ReturnValuesOnConditionCheckFailureAllOld}}
}

func (f *fixture) txDelete(suffix, condition string) types.TransactWriteItem {
	return types.TransactWriteItem{
		Delete: &types.Delete{TableName: &f.table, Key: f.suffixed(suffix), ConditionExpression: optional(condition)},
	}
}

func (f *fixture) txCheck(suffix, condition string) types.TransactWriteItem {
	return types.TransactWriteItem{ConditionCheck: &types.ConditionCheck{
		TableName: &f.table, Key: f.suffixed(suffix), ConditionExpression: &condition,
	}}
}

func optional(s string) *string {
	if s == "" {
		return nil
	}
	return &s
}

func (f *fixture) transact(items ...types.TransactWriteItem) error {
	return f.transactAs("", items...)
}

func (f *fixture) transactAs(token string, items ...types.TransactWriteItem) error {
	_, err := f.client.TransactWriteItems(f.ctx,
		&awsdynamodb.TransactWriteItemsInput{TransactItems: items, ClientRequestToken: optional(token)})
	return err
}

// holdsAt compares the item with a suffixed key.
func (f *fixture) holdsAt(suffix, want string) {
	g := *f
	g.pk += suffix
	g.failures = nil
	g.holds(want)
	f.failures = append(f.failures, g.failures...)
}

var transactCases = map[string]func(*fixture){
	"transactions/four kinds, all applied": func(f *fixture) {
		f.ok("setup",
			f.transact(f.txPut("-u", m{"n": 1}, ""), f.txPut("-d", m{"n": 1}, ""), f.txPut("-c", m{"n": 1}, "")))
		f.ok("transaction", f.transact(
			f.txPut("-p", m{"n": 5}, "attribute_not_exists(pk)"), f.txUpdate("-u", "ADD n :1", "n = :1", m{":1": 1}),
			f.txDelete("-d", "attribute_exists(pk)"), f.txCheck("-c", "attribute_exists(n)"),
		))
		f.holdsAt("-p", "{n:5}")
		f.holdsAt("-u", "{n:2}")
		f.holdsAt("-d", "none")
		f.holdsAt("-c", "{n:1}")
	},
	"transactions/reasons by index, nothing applied": func(f *fixture) {
		f.ok("setup", f.transact(f.txPut("-u", m{"n": 1}, "")))
		err := f.transact(f.txPut("-p", m{"n": 5}, ""), f.txUpdate("-u", "ADD n :1", "n = :2", m{":1": 1, ":2": 2}),
			f.txUpdate("-x", "ADD n :1", "attribute_exists(pk)", m{":1": 1}),
			f.txCheck("-c", "attribute_not_exists(pk)"), f.txDelete("-d", "attribute_exists(pk)"))
		f.equal("reasons", reasons(err),
			"None ConditionalCheckFailed{n:1} ConditionalCheckFailed None ConditionalCheckFailed")
		if f.exact && !strings.Contains(err.Error(),
			"[None, ConditionalCheckFailed, ConditionalCheckFailed, None, ConditionalCheckFailed]") {
			f.failf("%v does not list the reasons", err)
		}
		f.holdsAt("-p", "none")
		f.holdsAt("-u", "{n:1}")
		f.holdsAt("-x", "none")
	},
	"transactions/an update that does not fit its item cancels": func(f *fixture) {
		f.ok("setup", f.transact(f.txPut("-s", m{"s": "text"}, "")))
		err := f.transact(f.txPut("-p", m{"n": 5}, ""), f.txUpdate("-s", "ADD s :1", "", m{":1": 1}))
		f.equal("incorrect type", reasons(err), "None ValidationError")
		err = f.transact(f.txUpdate("-s", "SET a = b", "", nil), f.txPut("-p", m{"n": 5}, ""))
		f.equal("no such attribute", reasons(err), "ValidationError None")
		f.holdsAt("-p", "none")
	},
	"transactions/a mistyped key cancels, and is the only reason": func(f *fixture) {
		bad := types.TransactWriteItem{Put: &types.Put{TableName: &f.table, Item: m{"pk": 7}.attributes()}}
		f.equal("put", reasons(f.transact(f.txPut("-p", m{"n": 5}, "attribute_exists(pk)"), bad, bad)),
			"None ValidationError None")
		bad = types.TransactWriteItem{Delete: &types.Delete{TableName: &f.table, Key: m{"pk": 7}.attributes()}}
		f.equal("delete", reasons(f.transact(bad)), "ValidationError")
	},
	"transactions/an empty key is refused at once": func(f *fixture) {
		f.refused("put", f.transact(types.TransactWriteItem{
			Put: &types.Put{TableName: &f.table, Item: m{"pk": ""}.attributes()},
		}), "ValidationException", "empty string value")
		f.refused("delete", f.transact(types.TransactWriteItem{
			Delete: &types.Delete{TableName: &f.table, Key: m{"pk": ""}.attributes()},
		}), "ValidationException", "empty string value")
	},
	"transactions/a bad expression is refused at once": func(f *fixture) {
		f.refused("syntax", f.transact(f.txPut("-p", m{}, "hello!")), "ValidationException", "Syntax error")
		f.refused("undefined value", f.transact(f.txPut("-p", m{}, "a = :x")), "ValidationException", ":x")
		f.refused("unused value", f.transact(f.txUpdate("-p", "SET a = :x", "", m{":x": 1, ":y": 1})),
			"ValidationException", ":y")
		f.refused("undefined name", f.transact(f.txCheck("-p", "attribute_exists(#x)")), "ValidationException", "#x")
	},
	"transactions/one item only once": func(f *fixture) {
		f.refused("put and put", f.transact(f.txPut("-p", m{}, ""), f.txPut("-p", m{}, "")), "ValidationException",
			"multiple operations on one item")
		f.refused("put and check",
			f.transact(f.txPut("-p", m{}, ""), f.txPut("-q", m{}, ""), f.txCheck("-p", "attribute_exists(pk)")),
			"ValidationException", "multiple operations on one item")
		f.holdsAt("-q", "none")
	},
	"transactions/of 1 to 100 items": func(f *fixture) {
		var items []types.TransactWriteItem
		for i := range 101 {
			items = append(items, f.txPut(fmt.Sprint("-", i), m{"i": i}, ""))
		}
		f.refused("101 items", f.transact(items...), "ValidationException", "less than or equal to 100")
		f.ok("100 items", f.transact(items[:100]...))
		f.holdsAt("-99", "{i:99}")
		f.refused("no items", f.transact([]types.TransactWriteItem{}...), "ValidationException",
			"greater than or equal to 1")
	},
	"transactions/of at most 4 MB": func(f *fixture) {
		var items []types.TransactWriteItem
		for i := range 12 {
			items = append(items, f.txPut(fmt.Sprint("-", i), m{"s": strings.Repeat("x", 370_000)}, ""))
		}
		f.refused("4.4 MB", f.transact(items...), "ValidationException", "4 MB")
	},
	"transactions/exactly one action for each item": func(f *fixture) {
		both := f.txPut("-p", m{}, "")
		both.Delete = f.txDelete("-p", "").Delete
		f.refused("two", f.transact(both), "ValidationException", "only contain one of")
		f.refused("none", f.transact(types.TransactWriteItem{}), "ValidationException", "only contain one of")
	},
	"transactions/a missing table": func(f *fixture) {
		f.table = "missing"
		f.refused("write", f.transact(f.txPut("-p", m{}, "")), "ResourceNotFoundException",
			"Requested resource not found")
	},
	"transactions/a token makes the repetition do nothing": func(f *fixture) {
		token := fmt.Sprintf("%.36s", "token of "+f.pk)
		for range 3 {
			f.ok("transaction", f.transactAs(token, f.txUpdate("-u", "ADD n :1", "", m{":1": 1})))
		}
		f.holdsAt("-u", "{n:1}")
	},
	"transactions/a token is for one request": func(f *fixture) {
		token := fmt.Sprintf("%.36s", "token for "+f.pk)
		f.ok("transaction", f.transactAs(token, f.txPut("-p", m{"n": 1}, "")))
		f.refused("another", f.transactAs(token, f.txPut("-p", m{"n": 2}, "")),
			"IdempotentParameterMismatchException", "")
		f.refused("long token", f.transactAs(strings.Repeat("x", 37), f.txPut("-p", m{}, "")),
			"ValidationException", "lientRequestToken")
	},
	"transactions/a failed one leaves its token free": func(f *fixture) {
		token := fmt.Sprintf("%.36s", "again of "+f.pk)
		item := f.txUpdate("-u", "ADD n :1", "attribute_exists(pk)", m{":1": 1})
		f.equal("first", reasons(f.transactAs(token, item)), "ConditionalCheckFailed")
		f.ok("setup", f.transact(f.txPut("-u", m{"n": 1}, "")))
		f.ok("second", f.transactAs(token, item))
		f.holdsAt("-u", "{n:2}")
	},
	"transactions/reads": func(f *fixture) {
		f.ok("setup", f.transact(f.txPut("-a", m{"n": 1, "x": 1}, ""), f.txPut("-b", m{"n": 2}, "")))
		output, err := f.client.TransactGetItems(f.ctx,
			&awsdynamodb.TransactGetItemsInput{ReturnConsumedCapacity: types.ReturnConsumedCapacityTotal,
				TransactItems: []types.TransactGetItem{
					{Get: &types.Get{TableName: &f.table, Key: f.suffixed("-b")}},
					{Get: &types.Get{TableName: &f.table, Key: f.suffixed("-missing")}},
					{Get: &types.Get{
						TableName: &f.table, Key: f.suffixed("-a"), ProjectionExpression: aws.String("n"),
					}}}})
		if err != nil {
			f.failf("get: %v", err)
			return
		}
		got := ""
		for _, response := range output.Responses {
			got += show(response.Item)
		}
		f.equal("items", got, "{n:2}none{n:1}")
		if len(output.ConsumedCapacity) != 1 {
			f.failf("capacity of %d tables", len(output.ConsumedCapacity))
			return
		}
		f.equal("capacity", showCapacity(&output.ConsumedCapacity[0]), "simple 6")
	},
	"transactions/a mistyped key of a read cancels, and is the only reason": func(f *fixture) {
		get := types.TransactGetItem{Get: &types.Get{TableName: &f.table, Key: f.suffixed("")}}
		bad := types.TransactGetItem{Get: &types.Get{TableName: &f.table, Key: m{"pk": 7}.attributes()}}
		_, err := f.client.TransactGetItems(f.ctx,
			&awsdynamodb.TransactGetItemsInput{TransactItems: []types.TransactGetItem{get, bad, bad}})
		f.equal("reasons", reasons(err), "None ValidationError None")
	},
	"transactions/reads of one item only once": func(f *fixture) {
		get := types.TransactGetItem{Get: &types.Get{TableName: &f.table, Key: f.suffixed("")}}
		_, err := f.client.TransactGetItems(f.ctx,
			&awsdynamodb.TransactGetItemsInput{TransactItems: []types.TransactGetItem{get, get}})
		f.refused("twice", err, "ValidationException", "multiple operations on one item")
	},
}

var tableCases = map[string]func(*fixture){
	"tables/the description of a table": func(f *fixture) {
		output, err := f.client.DescribeTable(f.ctx, &awsdynamodb.DescribeTableInput{TableName: aws.String("byN")})
		if err != nil {
			f.failf("describe: %v", err)
			return
		}
		t := output.Table
		f.equal("key", fmt.Sprint(*t.KeySchema[0].AttributeName, t.KeySchema[0].KeyType,
			*t.KeySchema[1].AttributeName, t.KeySchema[1].KeyType), "pkHASHskRANGE")
		f.equal("state",
			fmt.Sprint(t.TableStatus, t.BillingModeSummary.BillingMode, len(t.AttributeDefinitions) == 2 &&
				strings.HasSuffix(*t.TableArn, ":table/byN")), "ACTIVEPAY_PER_REQUESTtrue")
	},
	"tables/made once, deleted once": func(f *fixture) {
		input := &awsdynamodb.CreateTableInput{TableName: aws.String("once"),
			BillingMode: types.BillingModePayPerRequest,
			KeySchema: []types.KeySchemaElement{
				{AttributeName: aws.String("pk"), KeyType: types.KeyTypeHash},
			},
			AttributeDefinitions: []types.AttributeDefinition{
				{AttributeName: aws.String("pk"), AttributeType: types.ScalarAttributeTypeS},
			}}
		_, err := f.client.CreateTable(f.ctx, input)
		f.ok("create", err)
		_, err = f.client.CreateTable(f.ctx, input)
		f.refused("create again", err, "ResourceInUseException", "once")
		f.table = "once"
		f.ok("wait", awaitTable(f.ctx, f.client, "once"))
		f.given(m{"a": 1})
		_, err = f.client.DeleteTable(f.ctx, &awsdynamodb.DeleteTableInput{TableName: &f.table})
		f.ok("delete", err)
		_, err = f.get()
		f.refused("get", err, "ResourceNotFoundException", "")
		_, err = f.client.DescribeTable(f.ctx, &awsdynamodb.DescribeTableInput{TableName: &f.table})
		f.refused("describe", err, "ResourceNotFoundException", "")
		_, err = f.client.DeleteTable(f.ctx, &awsdynamodb.DeleteTableInput{TableName: &f.table})
		f.refused("delete again", err, "ResourceNotFoundException", "")
		_, err = f.client.CreateTable(f.ctx, input)
		f.ok("create anew", err)
		f.ok("wait again", awaitTable(f.ctx, f.client, "once"))
		f.holds("none")
	},
	"tables/missing": func(f *fixture) {
		f.table = "missing"
		_, err := f.put(nil)
		f.refused("put", err, "ResourceNotFoundException", "")
		_, err = f.query("pk = :p", values(m{":p": f.pk}))
		f.refused("query", err, "ResourceNotFoundException", "")
	},
	"tables/a wrong key schema is refused": func(f *fixture) {
		hash := types.KeySchemaElement{AttributeName: aws.String("pk"), KeyType: types.KeyTypeHash}
		ranged := types.KeySchemaElement{AttributeName: aws.String("sk"), KeyType: types.KeyTypeRange}
		defined := types.AttributeDefinition{
			AttributeName: aws.String("pk"), AttributeType: types.ScalarAttributeTypeS,
		}
		for what, input := range map[string]*awsdynamodb.CreateTableInput{
			"range first": {
				KeySchema:            []types.KeySchemaElement{ranged, hash},
				AttributeDefinitions: []types.AttributeDefinition{defined},
			},
			"undefined": {
				KeySchema:            []types.KeySchemaElement{hash, ranged},
				AttributeDefinitions: []types.AttributeDefinition{defined},
			},
			"more defined": {KeySchema: []types.KeySchemaElement{hash},
				AttributeDefinitions: []types.AttributeDefinition{
					defined, {AttributeName: aws.String("x"), AttributeType: types.ScalarAttributeTypeS},
				}},
		} {
			input.TableName, input.BillingMode = aws.String("wrong"), types.BillingModePayPerRequest
			_, err := f.client.CreateTable(f.ctx, input)
			f.refused(what, err, "ValidationException", "")
		}
	},
	"tables/time to live": func(f *fixture) {
		set := func(enabled bool, attribute string) error {
			_, err := f.client.UpdateTimeToLive(f.ctx,
				&awsdynamodb.UpdateTimeToLiveInput{TableName: aws.String("byB"),
					TimeToLiveSpecification: &types.TimeToLiveSpecification{
						Enabled: &enabled, AttributeName: &attribute,
					}})
			return err
		}
		get := func() string {
			output, err := f.client.DescribeTimeToLive(f.ctx,
				&awsdynamodb.DescribeTimeToLiveInput{TableName: aws.String("byB")})
			if err != nil {
				return err.Error()
			}
			return fmt.Sprint(output.TimeToLiveDescription.TimeToLiveStatus, " ",
				aws.ToString(output.TimeToLiveDescription.AttributeName))
		}
		f.equal("at first", get(), "DISABLED ")
		f.ok("enable", set(true, "expires"))
		f.equal("enabled", get(), "ENABLED expires")
		f.refused("enable again", set(true, "expires"), "ValidationException", "already enabled")
		f.ok("disable", set(false, "expires"))
		f.equal("disabled", get(), "DISABLED ")
	},
}
