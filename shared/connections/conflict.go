package connections

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
)

// How long an operation that met another one on the same item is tried again, and how far apart.
const (
	conflictBudget = 2 * time.Second
	firstPause     = 10 * time.Millisecond
	longestPause   = 320 * time.Millisecond
)

// Reasons for which DynamoDB cancels a transaction, as its error reference spells them.
const (
	reasonCondition  = "ConditionalCheckFailed"
	reasonConflict   = "TransactionConflict"
	reasonThrottled  = "ThrottlingError"
	reasonThroughput = "ProvisionedThroughputExceeded"
)

// errChanged is how an operation asks to be tried again because the items changed under it.
var errChanged = errors.New("items changed meanwhile")

// retry calls attempt until it ends in something else than a conflict with another operation, with
// full jitter between the calls. It gives up when its budget or ctx does. The SDK's own retries know
// nothing of cancelled transactions: they are for lost and throttled requests, and repeat those
// under the same ClientRequestToken, so that a transaction whose answer was lost counts once.
func retry(ctx context.Context, attempt func() error) error {
	deadline := time.Now().Add(conflictBudget)
	for longest := firstPause; ; longest = min(2*longest, longestPause) {
		err := attempt()
		if err == nil || !isConflict(err) {
			return err
		}
		pause := rand.N(longest) //nolint:gosec // jitter is no secret
		if time.Now().Add(pause).After(deadline) {
			return fmt.Errorf("still in conflict after %s: %w", conflictBudget, err)
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("in conflict: %w", ctx.Err())
		case <-time.After(pause):
		}
	}
}

// isConflict reports whether an operation was refused because of others at the same time, so that
// nothing was written and the same can be tried again.
func isConflict(err error) bool {
	var single *types.TransactionConflictException
	if errors.Is(err, errChanged) || errors.As(err, &single) {
		return true
	}
	for _, reason := range cancellation(err) {
		switch aws.ToString(reason.Code) {
		case reasonConflict, reasonThrottled, reasonThroughput:
			return true
		}
	}
	return false
}

// cancellation returns why a transaction was cancelled, one reason per action in their order, or
// nil when err is something else.
func cancellation(err error) []types.CancellationReason {
	var canceled *types.TransactionCanceledException
	if errors.As(err, &canceled) {
		return canceled.CancellationReasons
	}
	return nil
}

// conditionFailed returns whether the condition of the action at index was not met, and the item as
// it was, if the action asked for it.
func conditionFailed(reasons []types.CancellationReason, index int) (item, bool) {
	if index >= len(reasons) || aws.ToString(reasons[index].Code) != reasonCondition {
		return nil, false
	}
	return reasons[index].Item, true
}
