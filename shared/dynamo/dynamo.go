// Package dynamo has what every store on DynamoDB needs: the client, attribute values, and the repetition of calls that
// conflict.
package dynamo

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"strconv"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	sdkretry "github.com/aws/aws-sdk-go-v2/aws/retry"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"signedsocket/shared/awsclient"
)

// Item is an item, the key of one, or the values of an expression, as the DynamoDB client takes it.
type Item = map[string]types.AttributeValue

// How long an operation that conflicts with another one is repeated, and with which pauses.
const (
	ConflictBudget = 2 * time.Second
	LongestPause   = 320 * time.Millisecond
	firstPause     = 10 * time.Millisecond
)

// Reasons for which DynamoDB cancels a transaction, as its error reference spells them.
const (
	ReasonCondition  = "ConditionalCheckFailed"
	reasonConflict   = "TransactionConflict"
	reasonThrottled  = "ThrottlingError"
	reasonThroughput = "ProvisionedThroughputExceeded"
)

var (
	// ErrChanged asks Retry for another attempt, because the items have changed since they were read.
	ErrChanged = errors.New("items changed meanwhile")
	// ErrStillInConflict is returned by Retry when the budget is over.
	ErrStillInConflict = errors.New("still in conflict")
)

// Open returns a client of DynamoDB. A function makes one for all its stores, which then share its connections.
func Open(config aws.Config) *dynamodb.Client {
	return dynamodb.NewFromConfig(config, func(options *dynamodb.Options) {
		options.HTTPClient = awsclient.ForSDK(options.HTTPClient)
	})
}

// Text returns the value of a string attribute.
func Text(s string) types.AttributeValue {
	return &types.AttributeValueMemberS{Value: s}
}

// Number returns the value of an integer attribute.
func Number(n int64) types.AttributeValue {
	return &types.AttributeValueMemberN{Value: strconv.FormatInt(n, 10)}
}

// TextOf returns a string attribute, or "" when there is none of that name and type.
func TextOf(from Item, name string) string {
	if value, ok := from[name].(*types.AttributeValueMemberS); ok {
		return value.Value
	}
	return ""
}

// NumberOf returns an integer attribute, and whether there is one of that name and type.
func NumberOf(from Item, name string) (int64, bool) {
	value, ok := from[name].(*types.AttributeValueMemberN)
	if !ok {
		return 0, false
	}
	n, err := strconv.ParseInt(value.Value, 10, 64)
	return n, err == nil
}

// Retry repeats attempt while it conflicts with another operation, with full jitter between the calls, until its budget
// or ctx ends. The SDK does not repeat cancelled transactions. It repeats lost and throttled requests, under the same
// ClientRequestToken, so that a transaction whose answer was lost counts once.
func Retry(ctx context.Context, attempt func() error) error {
	deadline := time.Now().Add(ConflictBudget)
	for longest := firstPause; ; longest = min(2*longest, LongestPause) {
		err := attempt()
		if err == nil || !IsConflict(err) {
			return err
		}
		pause := rand.N(longest) //nolint:gosec // jitter is no secret
		if time.Now().Add(pause).After(deadline) {
			return fmt.Errorf("%w after %s: %w", ErrStillInConflict, ConflictBudget, err)
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("in conflict: %w", ctx.Err())
		case <-time.After(pause):
		}
	}
}

// IsConflict reports whether another operation at the same time made this one fail. Then nothing was written, and the
// operation can be repeated.
func IsConflict(err error) bool {
	if errors.Is(err, ErrChanged) {
		return true
	}
	if _, single := errors.AsType[*types.TransactionConflictException](err); single { // mutate:update-conflict
		return true
	}
	for _, reason := range Cancellation(err) {
		switch aws.ToString(reason.Code) {
		case reasonConflict, reasonThrottled, reasonThroughput:
			return true
		}
	}
	return false
}

// IsThrottled reports whether the table or the account has had too many requests.
func IsThrottled(err error) bool {
	return sdkretry.IsErrorThrottles(sdkretry.DefaultThrottles).IsErrorThrottle(err).Bool()
}

// Cancellation returns why a transaction was cancelled, one reason per action in their order, or nil when err is
// something else.
func Cancellation(err error) []types.CancellationReason {
	if canceled, ok := errors.AsType[*types.TransactionCanceledException](err); ok {
		return canceled.CancellationReasons
	}
	return nil
}

// ConditionFailed returns whether the condition of the action at index was not met, and the item as it was, if the
// action asked for it.
func ConditionFailed(reasons []types.CancellationReason, index int) (Item, bool) {
	if index >= len(reasons) || aws.ToString(reasons[index].Code) != ReasonCondition {
		return nil, false
	}
	return reasons[index].Item, true
}

// AnyConditionFailed reports whether the condition of some action was not met.
func AnyConditionFailed(reasons []types.CancellationReason) bool {
	for i := range reasons {
		if _, failed := ConditionFailed(reasons, i); failed {
			return true
		}
	}
	return false
}
