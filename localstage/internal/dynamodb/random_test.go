package dynamodb

import (
	"fmt"
	"math/rand/v2"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	awsdynamodb "github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
)

// operation is an operation drawn at random on one or two of a few items, so that operations meet.
type operation struct {
	what string      // the request in words
	keys [][2]string // pk and sk of the items that it may change
	run  func(*fixture) string
}

// drawing draws operations. It collects the values that an expression mentions.
type drawing struct {
	*rand.Rand
	vocabulary
	values m
}

// vocabulary draws the words of operations.
type vocabulary interface {
	item() m // without its key
	condition() string
	update() string
	projection() string
	sortCondition() string // the part of a key condition that is about the sort key
}

func (d *drawing) of(choices ...string) string { return choices[d.IntN(len(choices))] }

// one calls one of several functions, so that only the chosen one draws.
func one[T any](d *drawing, choices ...func() T) T { return choices[d.IntN(len(choices))]() }

// chance is true n times of a hundred.
func (d *drawing) chance(n int) bool { return d.IntN(100) < n }

// value makes v a value of the request and returns its name in expressions.
func (d *drawing) value(v any) string {
	name := fmt.Sprint(":v", len(d.values))
	d.values[name] = v
	return name
}

// operation draws one operation.
func (d *drawing) operation(transactions bool) operation {
	d.values = m{}
	kinds := []func() operation{
		d.put, d.put, d.remove, d.updateItem, d.updateItem, d.updateItem, d.updateItem, d.read, d.query, d.query,
		d.scan, d.batch, d.batchRead,
	}
	if transactions {
		kinds = append(kinds, d.transaction, d.transaction, d.transactionRead)
	}
	return one(d, kinds...)
}

func (d *drawing) key() [2]string { return [2]string{d.of("p", "q"), d.of("a", "b", "c", "d")} }

// maybe draws a condition, together with the values that it mentions, or none.
func (d *drawing) maybe() []option {
	if d.chance(50) {
		return nil
	}
	return []option{condIs(d.condition())}
}

// single makes an operation on one item. call performs it and returns the answer.
func (d *drawing) single(
	kind string, key [2]string, list []option,
	call func(f *fixture, list []option) (map[string]types.AttributeValue, error),
) operation {
	if len(d.values) > 0 {
		list = append(list, values(d.values))
	}
	return operation{
		what: fmt.Sprint(kind, " ", key, " ", describe(options(list))), keys: [][2]string{key},
		run: func(f *fixture) string {
			f.pk, f.sk = key[0], key[1]
			answer, err := call(f, list)
			return outcome(err, func() string { return show(answer) })
		},
	}
}

// describe writes parameters in words.
func describe(p *parameters) string {
	var words []string
	for name, text := range map[string]*string{"if": p.condition, "filter": p.filter, "project": p.projection} {
		if text != nil {
			words = append(words, name+" "+*text)
		}
	}
	if len(p.values) > 0 {
		words = append(words, show(p.values.attributes()))
	}
	return strings.Join(append(words, p.returnValues), " ")
}

func (d *drawing) put() operation {
	key, item := d.key(), d.item()
	return d.single("put "+show(item.attributes()), key, append(d.maybe(), returning(d.of("ALL_OLD", "NONE"))),
		func(f *fixture, list []option) (map[string]types.AttributeValue, error) {
			output, err := f.put(item, list...)
			return attributesOf(output), err
		})
}

func (d *drawing) remove() operation {
	return d.single("delete", d.key(), append(d.maybe(), returning(d.of("ALL_OLD", "NONE"))),
		func(f *fixture, list []option) (map[string]types.AttributeValue, error) {
			output, err := f.delete(list...)
			if err != nil {
				return nil, err
			}
			return output.Attributes, nil
		})
}

func attributesOf(output *awsdynamodb.PutItemOutput) map[string]types.AttributeValue {
	if output == nil {
		return nil
	}
	return output.Attributes
}

func (d *drawing) updateItem() operation {
	expression := d.update()
	list := append(d.maybe(), returning(d.of("ALL_NEW", "ALL_OLD", "UPDATED_NEW", "UPDATED_OLD", "NONE")))
	return d.single("update "+expression, d.key(), list,
		func(f *fixture, list []option) (map[string]types.AttributeValue, error) {
			output, err := f.update(expression, list...)
			if err != nil {
				return nil, err
			}
			return output.Attributes, nil
		})
}

func (d *drawing) read() operation {
	return d.single("get", d.key(), []option{project(d.projection())},
		func(f *fixture, list []option) (map[string]types.AttributeValue, error) {
			output, err := f.get(list...)
			if err != nil {
				return nil, err
			}
			return output.Item, nil
		})
}

// query asks for a page of one partition.
func (d *drawing) query() operation {
	condition := d.of("pk = ", "pk=") + d.value(d.of("p", "q"))
	if d.chance(60) {
		condition += " AND " + one(d,
			func() string {
				return "sk " + d.of("=", "<", "<=", ">", ">=") + " " + d.value(d.of("a", "b", "c", "bb"))
			},
			func() string { return "sk BETWEEN " + d.value("a") + " AND " + d.value(d.of("a", "b", "c")) },
			func() string { return "begins_with(sk, " + d.value(d.of("a", "b", "")) + ")" })
	}
	list := d.page()
	if d.chance(40) {
		list = append(list, backwards())
	}
	if d.chance(30) {
		list = append(list, startAfter(m{"pk": d.values[":v0"], "sk": d.of("a", "b", "bb", "d")}.attributes()))
	}
	list = append(list, values(d.values))
	p := options(list)
	what := fmt.Sprint("query ", condition, " ", describe(p), " limit ", aws.ToInt32(p.limit), " backwards ",
		p.descending, " after ", show(p.start))
	return operation{what: what, run: func(f *fixture) string {
		output, err := f.query(condition, list...)
		return outcome(err, func() string {
			return fmt.Sprint(output.Count, " of ", output.ScannedCount, " ", showAll(output.Items), " then ",
				show(output.LastEvaluatedKey))
		})
	}}
}

// page draws the parameters that queries and scans share.
func (d *drawing) page() []option {
	var list []option
	if d.chance(40) {
		list = append(list, filterIs(d.condition()))
	}
	if d.chance(30) {
		list = append(list, project(d.projection()))
	} else if d.chance(10) {
		list = append(list, counting())
	}
	if d.chance(40) {
		list = append(list, limitTo(int32(1+d.IntN(4))))
	}
	return list
}

// scan reads the whole table, in any order.
func (d *drawing) scan() operation {
	input := awsdynamodb.ScanInput{TableName: aws.String("random"), ConsistentRead: aws.Bool(true)}
	if d.chance(70) {
		input.FilterExpression = aws.String(d.condition())
		if len(d.values) > 0 {
			input.ExpressionAttributeValues = d.values.attributes()
		}
	}
	return operation{what: fmt.Sprint("scan ", aws.ToString(input.FilterExpression), " ",
		show(input.ExpressionAttributeValues)), run: func(f *fixture) string {
		output, err := f.client.Scan(f.ctx, &input)
		return outcome(err, func() string {
			return fmt.Sprint(output.Count, " of ", output.ScannedCount, " ", sortedItems(output.Items))
		})
	}}
}
