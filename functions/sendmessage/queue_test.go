package main

import (
	"context"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"

	"signedsocket/shared/awsclient"
	"signedsocket/shared/broadcast"
	"signedsocket/shared/connections"
)

const address = "https://lambda.us-east-1.amazonaws.com/2015-03-31/functions/chat-Fanout/invocations"

func sdkConfig() aws.Config {
	return aws.Config{Region: "us-east-1",
		Credentials: aws.CredentialsProviderFunc(func(context.Context) (aws.Credentials, error) {
			return aws.Credentials{AccessKeyID: "AKIDEXAMPLE", SecretAccessKey: "example", SessionToken: "token"}, nil
		})}
}

func TestASegmentIsAnAsynchronousEvent(t *testing.T) {
	t.Parallel()
	status := http.StatusAccepted
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		arrived, err := broadcast.DecodeSegment(body)
		if err != nil || len(arrived.Members) != 1 {
			t.Errorf("%+v, %v", arrived, err)
		}
		got := r.Method + " " + r.RequestURI + " " + r.Header.Get("X-Amz-Invocation-Type")
		if want := "POST /2015-03-31/functions/chat-Fanout/invocations Event"; got != want {
			t.Errorf("request %q, want %q", got, want)
		}
		if signed := r.Header.Get("Authorization"); !strings.Contains(signed, "/us-east-1/lambda/aws4_request") ||
			!strings.Contains(signed, "x-amz-invocation-type") {
			t.Errorf("signed %s", signed)
		}
		w.Header().Set("X-Amzn-Errortype", "TooManyRequestsException")
		w.WriteHeader(status)
	}))
	t.Cleanup(server.Close)
	fanout, err := awsclient.NewFunction(sdkConfig(), address, server.URL, handOvers)
	if err != nil {
		t.Fatal(err)
	}
	queue := fanoutQueue{fanout}
	s := broadcast.Segment{Frame: []byte("{}"), Members: []connections.Member{{ConnectionID: "a="}}}
	if err := queue.Send(t.Context(), s); err != nil {
		t.Error(err)
	}
	status = http.StatusTooManyRequests
	if err := queue.Send(t.Context(), s); err == nil || !strings.Contains(err.Error(), "429 TooManyRequestsException") {
		t.Errorf("err = %v", err)
	}
	server.Close()
	if err := queue.Send(t.Context(), s); err == nil {
		t.Error("a server that is gone took a segment")
	}
}
