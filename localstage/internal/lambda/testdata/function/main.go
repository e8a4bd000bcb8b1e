// Command function is the Lambda function of this package's tests. Its event says what the function does; the variable
// INIT says what it does before the first event.
package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"strings"
	"sync/atomic"
	"time"

	"github.com/aws/aws-lambda-go/lambda"
	"github.com/aws/aws-lambda-go/lambdacontext"
)

type request struct {
	Do   string `json:"do"`
	N    int    `json:"n"`
	Text string `json:"text"`
}

type function struct {
	ticks atomic.Int64
}

func main() {
	var options []lambda.Option
	switch os.Getenv("INIT") {
	case "exit":
		fmt.Println("init exits")
		os.Exit(3)
	case "slow":
		fmt.Println("init is slow")
		time.Sleep(time.Minute)
	case "report":
		reportInitError()
		os.Exit(1)
	case "sigterm":
		options = append(options, lambda.WithEnableSIGTERM(func() {
			fmt.Println("got SIGTERM")
			os.Exit(0)
		}))
	}
	lambda.StartWithOptions(new(function).handle, options...)
}

func reportInitError() {
	url := "http://" + os.Getenv("AWS_LAMBDA_RUNTIME_API") + "/2018-06-01/runtime/init/error"
	body := strings.NewReader(`{"errorMessage":"no table","errorType":"ConfigError"}`)
	response, err := http.Post(url, "application/json", body)
	if err == nil {
		err = response.Body.Close()
	}
	if err != nil {
		fmt.Println(err)
	}
}

func (f *function) handle(ctx context.Context, event json.RawMessage) (any, error) {
	var r request
	if err := json.Unmarshal(event, &r); err != nil {
		return nil, err
	}
	switch r.Do {
	case "echo":
		return event, nil
	case "pid":
		return os.Getpid(), nil
	case "error":
		return nil, errors.New(r.Text)
	case "panic":
		panic(r.Text)
	case "exit":
		os.Exit(r.N)
	case "sleep":
		time.Sleep(time.Duration(r.N) * time.Millisecond)
		return os.Getpid(), nil
	case "call":
		return call(r)
	case "log":
		fmt.Fprint(os.Stderr, r.Text)
		return nil, nil
	case "environment":
		return os.Environ(), nil
	case "context":
		return describe(ctx), nil
	case "big":
		return strings.Repeat("x", r.N-2), nil // and two quotes
	case "fork":
		return fork()
	case "tick":
		go f.tick()
		return f.ticks.Load(), nil
	case "ticks":
		return f.ticks.Load(), nil
	}
	return nil, fmt.Errorf("unknown: %s", r.Do)
}

// tick is background work.
func (f *function) tick() {
	for {
		f.ticks.Add(1)
		time.Sleep(time.Millisecond)
	}
}

// call makes n requests, one after the other, as the SDK does: Text is the address, a blank and the key id. With a third
// word they lack the trace id. It returns how each one ended.
func call(r request) ([]string, error) {
	words := strings.Fields(r.Text)
	var ends []string
	for range r.N {
		request, err := http.NewRequest(http.MethodPost, words[0], nil)
		if err != nil {
			return nil, err
		}
		request.Header.Set("Authorization", "AWS4-HMAC-SHA256 Credential="+words[1]+"/20261122/us-east-1/dynamodb/aws4_request")
		if len(words) == 2 {
			request.Header.Set("X-Amzn-Trace-Id", os.Getenv("_X_AMZN_TRACE_ID"))
		}
		response, err := http.DefaultClient.Do(request)
		if err != nil {
			ends = append(ends, "cut")
			continue
		}
		ends = append(ends, fmt.Sprint(response.StatusCode))
		_ = response.Body.Close()
	}
	return ends, nil
}

func fork() (int, error) {
	command := exec.Command("sleep", "600")
	if err := command.Start(); err != nil {
		return 0, err
	}
	return command.Process.Pid, nil
}

func describe(ctx context.Context) map[string]any {
	lc, _ := lambdacontext.FromContext(ctx)
	deadline, _ := ctx.Deadline()
	directory, _ := os.Getwd()
	return map[string]any{
		"requestId": lc.AwsRequestID,
		"arn":       lc.InvokedFunctionArn,
		"trace":     os.Getenv("_X_AMZN_TRACE_ID"),
		"leftMs":    time.Until(deadline).Milliseconds(),
		"directory": directory,
	}
}
