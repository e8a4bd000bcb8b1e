package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"golang.org/x/sync/errgroup"

	"signedsocket/internal/stageclient"
	"signedsocket/shared/callback"
)

// DirectResult is how long posts straight to the stage took until the last receiver had its frame, beside a broadcast
// with nothing in the way.
type DirectResult struct {
	Recipients      int
	StageMs, BareMs float64 // medians
	CPUMicroseconds float64 // of the stage, for each post; 0 where nothing tells
	Lost            int
}

// measureDirect posts to some of the audience, and broadcasts to as many without a stage in between. The two take turns,
// so that whatever else the machine does meets both.
func measureDirect(ctx context.Context, s *runningStage, everybody *audience, recipients, rounds int) (DirectResult, error) {
	result := DirectResult{Recipients: recipients}
	client := &stageclient.Client{Outputs: s.outputs}
	ids, err := membersOf(ctx, client, recipients)
	if err != nil {
		return result, err
	}
	keys, err := client.Credentials(ctx, "SendMessageFunction")
	if err != nil {
		return result, err
	}
	poster, err := callback.New(aws.Config{Region: s.outputs.Region, Credentials: keys}, s.outputs.CallbackURL, concurrency)
	if err != nil {
		return result, err
	}
	bare, err := newBare(ctx, recipients)
	if err != nil {
		return result, err
	}
	defer bare.close()
	var stage, without []time.Duration
	var cpu time.Duration
	for n := range rounds + warmUpRounds {
		frame := fmt.Sprintf(`{"type":"message","id":"4ZDUDGJTZKAPE2ZSXKQ4TUQMQY","room":"lobby","from":{"sub":"alice","name":"Alice"},"message":"%d of %d","sentAt":1795327200123}`, n, recipients)
		before := processorTimeOf(s.process.Process.Pid)
		took, lost, err := everybody.await(ctx, frame, recipients, func() error { return postAll(ctx, poster, ids, frame) })
		if err != nil {
			return result, err
		}
		spent := processorTimeOf(s.process.Process.Pid) - before
		direct, lostBare, err := bare.await(ctx, frame, recipients, func() error { return bare.broadcast(ctx, frame) })
		if err != nil {
			return result, err
		}
		if n >= warmUpRounds {
			stage, without, cpu = append(stage, took), append(without, direct), cpu+spent
			result.Lost += lost + lostBare
		}
	}
	slices.Sort(stage)
	slices.Sort(without)
	result.StageMs, result.BareMs = milliseconds(stage[rounds/2]), milliseconds(without[rounds/2])
	result.CPUMicroseconds = float64(cpu.Microseconds()) / float64(rounds*recipients)
	return result, nil
}

// membersOf returns the ids of connections in the lobby.
func membersOf(ctx context.Context, client *stageclient.Client, count int) ([]string, error) {
	keys, err := client.Credentials(ctx, "admin")
	if err != nil {
		return nil, err
	}
	table := dynamodb.New(dynamodb.Options{Region: client.Outputs.Region, Credentials: keys, BaseEndpoint: aws.String(client.Outputs.Local.DynamoDBURL)})
	out, err := table.Query(ctx, &dynamodb.QueryInput{
		TableName: aws.String(client.Outputs.TableName), KeyConditionExpression: aws.String("pk = :pk"),
		ProjectionExpression: aws.String("sk"), ConsistentRead: aws.Bool(true),
		ExpressionAttributeValues: map[string]types.AttributeValue{":pk": &types.AttributeValueMemberS{Value: "ROOM#lobby#0"}},
	})
	if err != nil {
		return nil, fmt.Errorf("who is in the lobby: %w", err)
	}
	var ids []string
	for _, item := range out.Items {
		if id, ok := item["sk"].(*types.AttributeValueMemberS); ok {
			ids = append(ids, id.Value)
		}
	}
	if len(ids) < count {
		return nil, errors.New("the lobby has lost connections")
	}
	return ids[:count], nil
}

// postAll posts a frame to everybody, as many at a time as a function does.
func postAll(ctx context.Context, poster *callback.Client, ids []string, frame string) error {
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(concurrency)
	for _, id := range ids {
		group.Go(func() error { return poster.Post(ctx, id, []byte(frame)) })
	}
	return group.Wait()
}

// processorTimeOf is what a process has used so far, in steps of a hundredth of a second; 0 where there is no /proc.
func processorTimeOf(pid int) time.Duration {
	stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return 0
	}
	// Source: proc_pid_stat(5). The name in parentheses may have spaces; user and system time are 12 and 13 fields behind it.
	fields := strings.Fields(string(stat[strings.LastIndexByte(string(stat), ')')+1:]))
	user, _ := strconv.ParseInt(fields[11], 10, 64)
	system, _ := strconv.ParseInt(fields[12], 10, 64)
	return time.Duration(user+system) * 10 * time.Millisecond
}
