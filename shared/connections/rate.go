package connections

import (
	"strconv"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"signedsocket/shared/dynamo"
)

const (
	// rateRetention is how long a RATE item is kept after the last connection that added to it.
	rateRetention = 10 * time.Minute
	// maxStaleRates is how many counts of the past a RATE item may hold before Connect removes them.
	maxStaleRates = 16
)

// counts are messages and requests by window and strikes by minute, under the names of their attributes. Only recent
// ones matter: the current window and minute, and one before and after, since the clocks of two processes differ.
type counts map[string]int64

// recentNames returns the names of the attributes that matter at now.
func recentNames(now time.Time) []string {
	window, minute := now.Unix()/windowSeconds, minuteOf(now)
	return []string{
		windowName(window - 1), windowName(window), windowName(window + 1),
		requestName(window - 1), requestName(window), requestName(window + 1), // mutate:history-carried => // none
		strikeName(minute - 1), strikeName(minute), strikeName(minute + 1),
	}
}

// recent returns the counts in a CONN or RATE item that matter at now.
func recent(from item, now time.Time) counts {
	found := make(counts)
	for _, name := range recentNames(now) {
		if n, ok := dynamo.NumberOf(from, name); ok {
			found[name] = n
		}
	}
	return found
}

// own returns the counts of a connection itself, without those that it started with.
func own(conn item, now time.Time) counts {
	base, _ := conn["base"].(*types.AttributeValueMemberM)
	found := recent(conn, now)
	for name := range found {
		if base != nil {
			started, _ := dynamo.NumberOf(base.Value, name)
			found[name] -= started // mutate:rate-twice => _ = started
		}
		if found[name] <= 0 {
			delete(found, name)
		}
	}
	return found
}

// add adds other to c.
func (c counts) add(other counts) {
	for name, n := range other {
		c[name] += n
	}
}

// item returns the counts as attributes.
func (c counts) item() item {
	attributes := make(item, len(c))
	for name, n := range c {
		attributes[name] = dynamo.Number(n)
	}
	return attributes
}

// expression has the parts of a condition or an update, with its names and values.
type expression struct {
	parts  []string
	names  map[string]string
	values item
}

// unchanged returns the condition that the counts of an item at now are still as they were seen.
func unchanged(seen counts, now time.Time) expression {
	e := expression{names: make(map[string]string), values: make(item)}
	for i, name := range recentNames(now) {
		key := "#k" + strconv.Itoa(i)
		e.names[key] = name
		n, ok := seen[name]
		if !ok {
			e.parts = append(e.parts, "attribute_not_exists("+key+")")
			continue
		}
		value := ":k" + strconv.Itoa(i)
		e.values[value] = dynamo.Number(n)
		e.parts = append(e.parts, key+" = "+value)
	}
	return e
}

// addRate returns the action that adds counts to the RATE item of a user. stale are attributes that it removes.
func (s *Store) addRate(subject string, add counts, stale []string, now time.Time) *types.Update {
	names, values := make(map[string]string), item{":keep": dynamo.Number(now.Add(rateRetention).Unix())}
	var adds, removes []string
	for name, n := range add {
		i := strconv.Itoa(len(adds))
		names["#a"+i], values[":a"+i] = name, dynamo.Number(n)
		adds = append(adds, "#a"+i+" :a"+i)
	}
	for i, name := range stale {
		key := "#r" + strconv.Itoa(i)
		names[key] = name
		removes = append(removes, key)
	}
	update := "SET expiresAt = :keep"
	if len(adds) > 0 {
		update += " ADD " + strings.Join(adds, ", ")
	}
	if len(removes) > 0 {
		update += " REMOVE " + strings.Join(removes, ", ")
	}
	return &types.Update{
		TableName: aws.String(s.tables.Connections), Key: rateKey(subject), UpdateExpression: aws.String(update),
		ExpressionAttributeNames: names, ExpressionAttributeValues: values,
	}
}

// checkRate returns the action that fails if a connection of the user was removed since Connect read the RATE item. The
// same action adds the counts of connections that give way.
func (s *Store) checkRate(subject string, rate item, add counts, now time.Time) types.TransactWriteItem {
	condition := unchanged(recent(rate, now), now)
	stale := staleRates(rate, now)
	if len(add) == 0 && len(stale) <= maxStaleRates {
		check := &types.ConditionCheck{
			TableName: aws.String(s.tables.Connections), Key: rateKey(subject),
			ConditionExpression:      aws.String(strings.Join(condition.parts, " AND ")),
			ExpressionAttributeNames: condition.names,
		}
		if len(condition.values) > 0 {
			check.ExpressionAttributeValues = condition.values
		}
		return types.TransactWriteItem{ConditionCheck: check}
	}
	update := s.addRate(subject, add, stale[:min(len(stale), maxRemoved)], now)
	update.ConditionExpression = aws.String(strings.Join(condition.parts, " AND "))
	for key, name := range condition.names {
		update.ExpressionAttributeNames[key] = name
	}
	for key, value := range condition.values {
		update.ExpressionAttributeValues[key] = value
	}
	return types.TransactWriteItem{Update: update}
}

// maxRemoved bounds how many stale counts one update removes.
const maxRemoved = 100

// staleRates returns the names of the counts in a RATE item that do not matter at now.
func staleRates(rate item, now time.Time) (stale []string) {
	matter := make(map[string]bool)
	for _, name := range recentNames(now) {
		matter[name] = true
	}
	for name := range rate {
		if isCount(name) && !matter[name] {
			stale = append(stale, name)
		}
	}
	return stale
}

// pastRates returns the names of past counts that an update may remove without reading the item. Connect removes the
// others.
func pastRates(now time.Time) (past []string) {
	window, minute := now.Unix()/windowSeconds, minuteOf(now)
	for i := int64(2); i < staleWindows; i++ {
		past = append(past, windowName(window-i), requestName(window-i))
	}
	return append(past, strikeName(minute-2), strikeName(minute-3))
}

func isCount(name string) bool {
	for _, prefix := range []string{windowPrefix, requestPrefix, strikePrefix} {
		if digits, ok := strings.CutPrefix(name, prefix); ok {
			_, err := strconv.ParseUint(digits, 10, 63)
			return err == nil
		}
	}
	return false
}
