package dynamodb

import (
	"fmt"
	"strconv"
	"time"

	"github.com/go-json-experiment/json"
)

// TTL says whether the engine deletes items whose time to live is over. The service deletes them some time later, up to
// days, so code that uses a table must compare the stamps itself. The zero value never deletes, which shows whether it
// does.
// Source: DynamoDB developer guide, "Using time to live (TTL) in DynamoDB".
type TTL struct {
	Delete bool          // delete expired items in the background
	Lag    time.Duration // time between an item's stamp and its deletion
}

// oldestStamp is the age of the oldest stamp for which an item is deleted. The service takes an older one for a
// mistake.
// Source: DynamoDB developer guide, "Before using TTL".
const oldestStamp = 5 * 365 * 24 * time.Hour

type timeToLiveSpecification struct {
	Enabled       *bool
	AttributeName string
}

type updateTimeToLiveRequest struct {
	TableName               string
	TimeToLiveSpecification timeToLiveSpecification
}

func (e *Engine) updateTimeToLive(request *updateTimeToLiveRequest) ([]byte, error) {
	specification := request.TimeToLiveSpecification
	if specification.Enabled == nil || specification.AttributeName == "" || len(specification.AttributeName) > 255 {
		return nil, invalid("TimeToLiveSpecification must have Enabled and an AttributeName of 1 to 255 characters")
	}
	if _, err := e.table(request.TableName); err != nil {
		return nil, err
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	t := e.tables[request.TableName]
	if t == nil {
		return nil, tableNotFound()
	}
	changed, err := t.withTimeToLive(*specification.Enabled, specification.AttributeName)
	if err != nil {
		return nil, err
	}
	if err := e.db.Update(changed.save); err != nil {
		return nil, fmt.Errorf("update time to live of %s: %w", t.Name, err)
	}
	e.tables[t.Name] = changed
	return json.Marshal(map[string]any{"TimeToLiveSpecification": specification})
}

// withTimeToLive returns the table with other settings. It refuses a request that changes nothing, as the service does.
func (t *table) withTimeToLive(enabled bool, attribute string) (*table, error) {
	switch current := t.TimeToLiveAttribute; {
	case enabled && current == attribute:
		return nil, invalid("TimeToLive is already enabled")
	case !enabled && current == "":
		return nil, invalid("TimeToLive is already disabled")
	case current != "" && current != attribute:
		return nil, invalid("TimeToLive is active on a different AttributeName: current AttributeName is %s", current)
	}
	changed := *t
	changed.TimeToLiveAttribute = ""
	if enabled {
		changed.TimeToLiveAttribute = attribute
	}
	return &changed, nil
}

func (e *Engine) describeTimeToLive(request *tableRequest) ([]byte, error) {
	t, err := e.table(request.TableName)
	if err != nil {
		return nil, err
	}
	description := map[string]string{"TimeToLiveStatus": "DISABLED"}
	if t.TimeToLiveAttribute != "" {
		description = map[string]string{"TimeToLiveStatus": "ENABLED", "AttributeName": t.TimeToLiveAttribute}
	}
	return json.Marshal(map[string]any{"TimeToLiveDescription": description})
}

// isExpired reports whether the item may be deleted. Only a number is a stamp: seconds since 1970.
func (e *Engine) isExpired(t *table, stored storedItem) (bool, error) {
	if stored == nil || t.TimeToLiveAttribute == "" {
		return false, nil
	}
	item, err := stored.decode()
	if err != nil {
		return false, err
	}
	number, ok := item[t.TimeToLiveAttribute].(numberValue)
	if !ok {
		return false, nil
	}
	seconds, err := strconv.ParseFloat(string(number), 64)
	if err != nil {
		return false, nil // no number, so no time
	}
	now := e.clock.Now()
	due := float64(now.Add(-e.ttl.Lag).Unix())
	return seconds <= due && seconds >= float64(now.Add(-oldestStamp).Unix()), nil
}
