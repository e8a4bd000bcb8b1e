package gateway_test

import (
	"errors"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/aws/retry"
	"github.com/aws/aws-sdk-go-v2/credentials"
	api "github.com/aws/aws-sdk-go-v2/service/apigatewaymanagementapi"
	"github.com/aws/aws-sdk-go-v2/service/apigatewaymanagementapi/types"
	"github.com/aws/smithy-go"

	"signedsocket/localstage/internal/gateway"
)

// counting counts requests.
type counting struct{ requests atomic.Int64 }

func (c *counting) Do(r *http.Request) (*http.Response, error) {
	c.requests.Add(1)
	return http.DefaultClient.Do(r)
}

// sdk returns AWS's own client of the stage, and the counter of its requests.
func (s *stage) sdk(stageName string) (*api.Client, *counting) {
	requests := &counting{}
	return api.New(api.Options{
		BaseEndpoint: aws.String("http://" + s.host + "/" + stageName), Region: "us-east-1", HTTPClient: requests,
		Credentials: credentials.NewStaticCredentialsProvider("AKIDEXAMPLE", "secret", "token"),
		Retryer:     retry.NewStandard(func(o *retry.StandardOptions) { o.MaxBackoff = time.Millisecond }),
	}), requests
}

func TestAWSsOwnClientUnderstandsEveryAnswer(t *testing.T) {
	t.Parallel()
	s := newStage(t, options{})
	c, id := s.connected(t)
	client, _ := s.sdk("prod")
	if _, err := client.PostToConnection(t.Context(),
		&api.PostToConnectionInput{ConnectionId: &id, Data: []byte("hello")}); err != nil {
		t.Fatal(err)
	}
	if got := readText(t, c); got != "hello" {
		t.Errorf("the client of the stage got %q", got)
	}
	described, err := client.GetConnection(t.Context(), &api.GetConnectionInput{ConnectionId: &id})
	if err != nil || described.ConnectedAt == nil || described.LastActiveAt == nil ||
		aws.ToString(described.Identity.SourceIp) != "127.0.0.1" {
		t.Errorf("GetConnection returned %+v, %v", described, err)
	}
	if _, err := client.DeleteConnection(t.Context(), &api.DeleteConnectionInput{ConnectionId: &id}); err != nil {
		t.Error(err)
	}
	_, err = client.PostToConnection(t.Context(),
		&api.PostToConnectionInput{ConnectionId: &id, Data: []byte("too late")})
	if _, ok := errors.AsType[*types.GoneException](err); !ok {
		t.Errorf("a post to the deleted connection: %v, want a GoneException", err)
	}
}

func TestAWSsOwnClientUnderstandsEveryRefusal(t *testing.T) {
	t.Parallel()
	s := newStage(t, options{cfg: gateway.Config{Faults: gateway.Faults{LimitPosts: 1}}})
	_, id := s.connected(t)
	for _, test := range []struct {
		name, stage, id, data string
		code                  string
		typed                 func(err error) bool
		requests              int64
	}{
		{"unknown connection", "prod", unknownID, "x", "GoneException", is[*types.GoneException], 1},
		{
			"payload too large",
			"prod",
			id,
			strings.Repeat("x", 131073),
			"PayloadTooLargeException",
			is[*types.PayloadTooLargeException],
			1,
		},
		{"wrong stage", "test", id, "x", "ForbiddenException", is[*types.ForbiddenException], 1},
		{"malformed id", "prod", "abc", "x", "BadRequestException", is[*smithy.GenericAPIError], 1},
		// the client tries again by itself
		{"limited", "prod", id, "x", "LimitExceededException", is[*types.LimitExceededException], 3},
	} {
		client, requests := s.sdk(test.stage)
		_, err := client.PostToConnection(t.Context(),
			&api.PostToConnectionInput{ConnectionId: &test.id, Data: []byte(test.data)})
		refusal, ok := errors.AsType[smithy.APIError](err)
		if !ok || refusal.ErrorCode() != test.code || !test.typed(err) {
			t.Errorf("%s: %v, want a %s", test.name, err, test.code)
		}
		if n := requests.requests.Load(); n != test.requests {
			t.Errorf("%s: %d requests, want %d", test.name, n, test.requests)
		}
	}
}

func is[E error](err error) bool {
	_, ok := errors.AsType[E](err)
	return ok
}

// TestNothingIsAuthorizedAfterTheHandshake shows that policies about a custom route have no effect.
func TestNothingIsAuthorizedAfterTheHandshake(t *testing.T) {
	t.Parallel()
	s := newStage(t, options{connectAuth: "AWS_IAM"})
	c := s.dial(t)
	writeText(t, c, `{"action":"sendmessage"}`)
	s.message.next(t)
	if err := c.Close(1000, ""); err != nil {
		t.Fatal(err)
	}
	s.disconnected(t)
	if asked := s.auth.accesses(); len(asked) != 1 {
		t.Errorf("the authorizer was asked %d times: %+v", len(asked), asked)
	}
}
